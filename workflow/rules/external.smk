# Programs of others on the same scans: exported, run, taken and measured like ours.
#
# What a program leaves undone is a sentence in its outcome, not a failed job: its surface and views
# are no outputs of a rule, since they may be missing, and taken.json stands for them.

EXTERNAL = f"{SCAN}/{{external}}/seed{{seed}}"


def external(wildcards):
    return EXTERNALS[wildcards.external]


def exported_images(wildcards):
    """Those that a surface may learn from: all, or those that are not held out. Only a program that
    renders views gets the others as well, and the split."""
    if learn_from(wildcards) == "all":
        return "all"
    return "split" if external(wildcards).views else "train"


def exported(images):
    """The folder of a scan in the layout of a program."""

    def folder(wildcards):
        method = external(wildcards)
        masks = "masks" if method.masks else "photos"
        name = f"{method.layout}-{method.frame}-{images(wildcards)}-{masks}"
        return f"{SCAN}/exports/{name}".format(scan=wildcards.scan)

    return folder


def renders_apart(wildcards):
    """Whether held-out views come from a run of their own, without these images."""
    return bool(external(wildcards).views) and trains_apart(wildcards.scan)


def externally_held_out(file):
    return lambda wildcards: f"{EXTERNAL}/held-out/{file}" if renders_apart(wildcards) else []


def program_options(wildcards):
    method = external(wildcards)
    return options(name=method.name, command=method.command, container=method.container)


def taken_externals():
    """What is left of every run of a program of others, or why there is nothing."""
    return [
        f"{SCAN}/{name}/seed{{seed}}/taken.json".format(scan=scan, seed=seed)
        for scan in WANTED
        for name, method in EXTERNALS.items()
        if scan in method.scans
        for seed in RUNS["seed"]
    ]


def taking_options(wildcards):
    """What to look for; a change of it counts, as of no param that looks at the inputs."""
    method = external(wildcards)
    return options(mesh=method.mesh, views=method.views, background=method.background)


def held_out_options(wildcards, input):
    return options(
        held_out=input.get("held_out") or None,
        held_out_outcome=input.get("held_out_outcome") or None,
        held_out_export=input.get("held_out_export") or None,
    )


rule export_scan:
    input:
        scene=rules.normalize_scene.output.scene,
    output:
        export=directory(f"{SCAN}/exports/{{layout}}-{{frame}}-{{images}}-{{masks}}"),
    wildcard_constraints:
        layout="colmap-binary|nerfstudio|dtu|blender",
        frame="scene|source",
        images="all|split|train",
        masks="masks|photos",
    params:
        masks=lambda wildcards: "" if wildcards.masks == "masks" else "--without-masks",
        points=lambda wildcards: options(
            random_points=100000 if wildcards.layout == "colmap-binary" else None
        ),
    log:
        f"{SCAN}/logs/export_scan-{{layout}}-{{frame}}-{{images}}-{{masks}}.log",
    benchmark:
        f"{SCAN}/benchmarks/export_scan-{{layout}}-{{frame}}-{{images}}-{{masks}}.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "logged {log:q} python {SCRIPTS:q}/export_scene.py --scene {input.scene:q} "
        "--format {wildcards.layout} --frame {wildcards.frame} --images {wildcards.images} "
        "{params.masks} {params.points} --output {output.export:q}"


# Cores, card, memory and time are those of our own training.
rule run_external:
    input:
        export=exported(exported_images),
    output:
        outcome=f"{EXTERNAL}/outcome.json",
        left=directory(f"{EXTERNAL}/left"),
    params:
        program=program_options,
    log:
        f"{EXTERNAL}/logs/run_external.log",
    benchmark:
        f"{EXTERNAL}/benchmarks/run_external.tsv"
    threads: NETWORK_CORES
    resources:
        gpu=GPU,
        mem_mb=16000,
        runtime=480,
    shell:
        "logged {log:q} python {SCRIPTS:q}/run_external.py {params.program} --input {input.export:q} "
        "--scan {wildcards.scan:q} --seed {wildcards.seed} --device {config[device]} "
        "--threads {threads} --minutes {resources.runtime} --outcome {output.outcome:q} "
        "--output {output.left:q}"


# Without the images that are held out, where surfaces learn from all of them.
use rule run_external as run_external_held_out with:
    input:
        export=exported(lambda wildcards: "split"),
    output:
        outcome=f"{EXTERNAL}/held-out/outcome.json",
        left=directory(f"{EXTERNAL}/held-out/left"),
    log:
        f"{EXTERNAL}/held-out/logs/run_external.log",
    benchmark:
        f"{EXTERNAL}/held-out/benchmarks/run_external.tsv"


rule take_external:
    input:
        scene=rules.normalize_scene.output.scene,
        export=exported(exported_images),
        outcome=rules.run_external.output.outcome,
        left=rules.run_external.output.left,
        held_out=externally_held_out("left"),
        held_out_outcome=externally_held_out("outcome.json"),
        held_out_export=lambda wildcards: exported(lambda _: "split")(wildcards)
        if renders_apart(wildcards)
        else [],
    output:
        taken=f"{EXTERNAL}/taken.json",
        figures=f"{EXTERNAL}/train.json",
    params:
        options=taking_options,
        held_out=held_out_options,
        folder=EXTERNAL,
    log:
        f"{EXTERNAL}/logs/take_external.log",
    benchmark:
        f"{EXTERNAL}/benchmarks/take_external.tsv"
    resources:
        mem_mb=8000,
        runtime=30,
    shell:
        "logged {log:q} python {SCRIPTS:q}/take_external.py --scene {input.scene:q} "
        "--export {input.export:q} --outcome {input.outcome:q} --left {input.left:q} "
        "{params.options} {params.held_out} --seed {wildcards.seed} --folder {params.folder:q} "
        "--figures {output.figures:q} --output {output.taken:q}"


rule evaluate_external_mesh:
    input:
        scene=rules.normalize_scene.output.scene,
        taken=rules.take_external.output.taken,
        reference=reference_paths,
    output:
        figures=f"{EXTERNAL}/mesh-{{culling}}.json",
        errors=directory(f"{EXTERNAL}/errors-{{culling}}"),
    params:
        options=evaluation_options,
        mesh=f"{EXTERNAL}/mesh.ply",
    wildcard_constraints:
        culling="[a-z0-9]+",
    log:
        f"{EXTERNAL}/logs/evaluate_mesh-{{culling}}.log",
    benchmark:
        f"{EXTERNAL}/benchmarks/evaluate_mesh-{{culling}}.tsv"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/evaluate_mesh.py --mesh {params.mesh:q} "
        "--taken {input.taken:q} --scene {input.scene:q} {params.options} --threads {threads} "
        "--errors {output.errors:q} --output {output.figures:q}"


rule evaluate_external_views:
    input:
        scene=rules.normalize_scene.output.scene,
        taken=rules.take_external.output.taken,
    output:
        figures=f"{EXTERNAL}/views.json",
    params:
        views=f"{EXTERNAL}/views",
    log:
        f"{EXTERNAL}/logs/evaluate_views.log",
    benchmark:
        f"{EXTERNAL}/benchmarks/evaluate_views.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "logged {log:q} python {SCRIPTS:q}/evaluate_views.py --views {params.views:q} "
        "--taken {input.taken:q} --scene {input.scene:q} --output {output.figures:q}"
