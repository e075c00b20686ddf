# What the training views agree on before any network is trained: depths, and one cloud of points.

# As MODEL_VERSION: add one here when a change of neus/ puts the clouds made before it out of date.
STEREO_VERSION = 1


rule dense_stereo:
    input:
        scene=rules.normalize_scene.output.scene,
    output:
        stereo=directory(f"{SCAN}/stereo"),
    params:
        version=STEREO_VERSION,
    log:
        f"{SCAN}/logs/dense_stereo.log",
    benchmark:
        f"{SCAN}/benchmarks/dense_stereo.tsv"
    threads: NETWORK_CORES
    resources:
        gpu=GPU,
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/dense_stereo.py --scene {input.scene:q} "
        "--device {config[device]} --threads {threads} --output {output.stereo:q}"
