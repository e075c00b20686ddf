# The surface of a trained network, and its figures against a reference.


rule extract_mesh:
    input:
        scene=rules.normalize_scene.output.scene,
        model=rules.train.output.model,
        stereo=stereo,
    output:
        mesh=f"{RUN}/mesh.ply",
        glb=f"{RUN}/mesh.glb",
    params:
        resolution=mesh_resolution,
        stereo=lambda wildcards, input: options(stereo=input.get("stereo") or None),
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
