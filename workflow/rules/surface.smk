# The surface of a trained network, one to hand over, and its figures against a reference.

# An OBJ's MTL and JPEG are no outputs: a mesh that xatlas gives up on has neither.
HANDED_OVER = [f"{RUN}/mesh.{name}" for name in config["mesh"]["formats"]]
ASKS_FIELD = config["mesh"]["colours"] == "field"


rule extract_mesh:
    input:
        scene=rules.normalize_scene.output.scene,
        model=rules.train.output.model,
        stereo=stereo,
    output:
        mesh=f"{RUN}/mesh.ply",
    params:
        resolution=mesh_resolution,
        stereo=lambda wildcards, input: options(
            stereo=input.get("stereo") or None, **surface_threshold(wildcards)
        ),
    log:
        f"{RUN}/logs/extract_mesh.log",
    benchmark:
        f"{RUN}/benchmarks/extract_mesh.tsv"
    threads: NETWORK_CORES
    resources:
        gpu=GPU,
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/extract_mesh.py --scene {input.scene:q} "
        "--model {input.model:q} --resolution {params.resolution} {params.stereo} "
        "--device {config[device]} --threads {threads} --output {output:q}"


rule texture_mesh:
    input:
        scene=rules.normalize_scene.output.scene,
        mesh=rules.extract_mesh.output.mesh,
        model=rules.train.output.model if ASKS_FIELD else [],
    output:
        HANDED_OVER,
    params:
        faces=config["mesh"]["faces"],
        texture=config["mesh"]["texture"],
        model=lambda wildcards, input: options(model=input.get("model") or None),
    log:
        f"{RUN}/logs/texture_mesh.log",
    benchmark:
        f"{RUN}/benchmarks/texture_mesh.tsv"
    threads: NETWORK_CORES if ASKS_FIELD else 4
    resources:
        gpu=GPU if ASKS_FIELD else 0,
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/texture_mesh.py --scene {input.scene:q} "
        "--mesh {input.mesh:q} --faces {params.faces} --texture {params.texture} {params.model} "
        "--device {config[device]} --threads {threads} --output {output:q}"


rule evaluate_mesh:
    input:
        scene=rules.normalize_scene.output.scene,
        mesh=rules.extract_mesh.output.mesh,
        reference=reference_paths,
    output:
        figures=f"{RUN}/mesh-{{culling}}.json",
        errors=report(
            directory(f"{RUN}/errors-{{culling}}"),
            patterns=["{name}.png"],
            category="Errors of the surface",
            caption="../report/errors.rst",
        ),
    params:
        options=evaluation_options,
    wildcard_constraints:
        culling="[a-z0-9]+",
    log:
        f"{RUN}/logs/evaluate_mesh-{{culling}}.log",
    benchmark:
        f"{RUN}/benchmarks/evaluate_mesh-{{culling}}.tsv"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/evaluate_mesh.py --mesh {input.mesh:q} "
        "--scene {input.scene:q} {params.options} --threads {threads} --errors {output.errors:q} "
        "--output {output.figures:q}"
