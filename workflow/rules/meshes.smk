# Meshes that exist already, by anybody's method.


def given_mesh(wildcards):
    return MESHES[wildcards.scan, wildcards.mesh]


def mesh_options(wildcards):
    """How a mesh that exists already comes into the frame of its scan."""
    mesh, scan = given_mesh(wildcards), SCANS[wildcards.scan]
    states = mesh.frame.name == "sphere"
    return options(
        frame=json.dumps(mesh.given),
        source=scan.source if states else None,
        path=scan.path if states else None,
        method=mesh.method,
    )


def measured_meshes(pattern):
    """A pattern filled in for every mesh that exists already, once for each culling of its scan."""
    return [
        pattern.format(scan=scan, mesh=name, method=mesh.method, culling=culling)
        for (scan, name), mesh in MESHES.items()
        for culling in SCANS[scan].reference.culling
    ]


rule place_mesh:
    input:
        scene=rules.normalize_scene.output.scene,
        mesh=lambda wildcards: str(given_mesh(wildcards).path),
        cameras=lambda wildcards: [ancient(str(file)) for file in given_mesh(wildcards).frame.files],
    output:
        mesh=f"{SCAN}/meshes/{{mesh}}/mesh.ply",
        glb=f"{SCAN}/meshes/{{mesh}}/mesh.glb",
        record=f"{SCAN}/meshes/{{mesh}}/placed.json",
    params:
        options=mesh_options,
    log:
        f"{SCAN}/meshes/{{mesh}}/logs/place_mesh.log",
    benchmark:
        f"{SCAN}/meshes/{{mesh}}/benchmarks/place_mesh.tsv"
    resources:
        mem_mb=8000,
        runtime=30,
    shell:
        "logged {log:q} python {SCRIPTS:q}/place_mesh.py --mesh {input.mesh:q} "
        "--scene {input.scene:q} {params.options} --record {output.record:q} "
        "--output {output.mesh:q} {output.glb:q}"


use rule evaluate_mesh as evaluate_given_mesh with:
    input:
        scene=rules.normalize_scene.output.scene,
        mesh=rules.place_mesh.output.mesh,
        reference=reference_paths,
    output:
        figures=f"{SCAN}/meshes/{{mesh}}/mesh-{{culling}}.json",
        errors=report(
            directory(f"{SCAN}/meshes/{{mesh}}/errors-{{culling}}"),
            patterns=["{name}.png"],
            category="Errors of the surface",
            caption="../report/errors.rst",
        ),
    log:
        f"{SCAN}/meshes/{{mesh}}/logs/evaluate_mesh-{{culling}}.log",
    benchmark:
        f"{SCAN}/meshes/{{mesh}}/benchmarks/evaluate_mesh-{{culling}}.tsv"
