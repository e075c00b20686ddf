# The stage that takes long: a scene becomes a network.

# Snakemake does not see the code that a script imports. Add one here when a change of neus/ puts
# the networks that were trained before it out of date.
MODEL_VERSION = 1


rule train:
    input:
        scene=rules.normalize_scene.output.scene,
        stereo=stereo,
        weights=weights,
    output:
        model=f"{RUN}/model.pt",
        config=f"{RUN}/config.yaml",
        metrics=f"{RUN}/train.json",
    params:
        method=lambda wildcards: marked_by_images(method_fingerprint(wildcards), wildcards),
        choices=lambda wildcards, input: options(
            stereo=input.get("stereo") or None,
            learn_from=learn_from(wildcards),
            budget=budget_file(wildcards),
            weights=input.get("weights") or None,
        ),
        overrides=lambda wildcards: overrides_of(wildcards.scan),
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
        "--method {METHODS:q}/{wildcards.method:q}.yaml --overrides {params.overrides:q} {params.choices} "
        "--seed {wildcards.seed} --device {config[device]} --threads {threads} "
        "--output {output.model:q} --config {output.config:q} --metrics {output.metrics:q} "
        "--run-dir {params.checkpoints:q}"


# The training that held-out views come from, where the surface learns from all images.
use rule train as train_held_out with:
    input:
        scene=rules.normalize_scene.output.scene,
        stereo=stereo_held_out,
        weights=weights,
    output:
        model=f"{RUN}/held-out/model.pt",
        config=f"{RUN}/held-out/config.yaml",
        metrics=f"{RUN}/held-out/train.json",
    params:
        method=method_fingerprint,
        choices=lambda wildcards, input: options(
            stereo=input.get("stereo") or None,
            budget=budget_file(wildcards),
            weights=input.get("weights") or None,
        ),
        overrides=lambda wildcards: overrides_of(wildcards.scan),
        version=MODEL_VERSION,
        checkpoints=f"{RUN}/held-out/run",
    log:
        f"{RUN}/held-out/logs/train.log",
    benchmark:
        f"{RUN}/held-out/benchmarks/train.tsv"
