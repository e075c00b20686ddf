# What the training views agree on before any network is trained: depths, and one cloud of points.

# As MODEL_VERSION: add one here when a change of neus/ puts the clouds made before it out of date.
STEREO_VERSION = 2


rule dense_stereo:
    input:
        scene=rules.normalize_scene.output.scene,
    output:
        stereo=directory(f"{SCAN}/stereo"),
    params:
        version=lambda wildcards: marked_by_images(STEREO_VERSION, wildcards),
        images=lambda wildcards, input: options(learn_from=learn_from(wildcards)),
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
        "logged {log:q} python {SCRIPTS:q}/dense_stereo.py --scene {input.scene:q} {params.images} "
        "--device {config[device]} --threads {threads} --output {output.stereo:q}"


# The same without the images that are held out, for a training of their own.
use rule dense_stereo as dense_stereo_held_out with:
    output:
        stereo=directory(f"{SCAN}/stereo-held-out"),
    params:
        version=STEREO_VERSION,
        images="",
    log:
        f"{SCAN}/logs/dense_stereo_held_out.log",
    benchmark:
        f"{SCAN}/benchmarks/dense_stereo_held_out.tsv"
