# The stage that takes long: a scene becomes a network.

# Snakemake does not see the code that a script imports. Add one here when a change of neus/ puts
# the networks that were trained before it out of date.
MODEL_VERSION = 1


rule train:
    input:
        scene=rules.normalize_scene.output.scene,
        stereo=stereo,
    output:
        model=f"{RUN}/model.pt",
        config=f"{RUN}/config.yaml",
        metrics=f"{RUN}/train.json",
    params:
        method=method_fingerprint,
        stereo=lambda wildcards, input: options(stereo=input.get("stereo") or None),
        overrides=lambda wildcards: json.dumps(SCANS[wildcards.scan].overrides),
        version=MODEL_VERSION,
        # No output: Snakemake deletes those of a job that failed, and a later attempt needs these.
        checkpoints=f"{RUN}/run",
    log:
        f"{RUN}/logs/train.log",
    benchmark:
        f"{RUN}/benchmarks/train.tsv"
    threads: NETWORK_CORES
    resources:
        gpu=GPU,
        mem_mb=16000,
        runtime=480,
    shell:
        "logged {log:q} python {SCRIPTS:q}/train.py --scene {input.scene:q} "
        "--method {METHODS:q}/{wildcards.method:q}.yaml --overrides {params.overrides:q} {params.stereo} "
        "--seed {wildcards.seed} --device {config[device]} --threads {threads} "
        "--output {output.model:q} --config {output.config:q} --metrics {output.metrics:q} "
        "--run-dir {params.checkpoints:q}"
