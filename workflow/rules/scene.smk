# From images to the canonical scene.


rule make_demo:
    output:
        directory(f"{RESULTS}/demo/{{demo}}"),
    params:
        options=lambda wildcards: options(**SCANS[wildcards.demo].demo),
    log:
        f"{RESULTS}/demo/{{demo}}.log",
    benchmark:
        f"{RESULTS}/demo/{{demo}}.tsv"
    threads: ALL_CORES
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "logged {log:q} python {SCRIPTS:q}/make_demo.py {params.options} --output {output:q}"


rule extract_frames:
    input:
        source,
    output:
        directory(f"{SCAN}/frames"),
    params:
        frames=frame_count,
    log:
        f"{SCAN}/logs/extract_frames.log",
    benchmark:
        f"{SCAN}/benchmarks/extract_frames.tsv"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/extract_frames.py --video {input:q} "
        "--count {params.frames} --output {output:q}"


rule estimate_poses:
    input:
        photos,
        intrinsics=known_intrinsics,
    output:
        directory(f"{SCAN}/poses"),
    params:
        options=pose_options,
        photos=source_fingerprint,
        # No output: features and matches outlive a change of what comes after them.
        work=f"{SCAN}/run/poses",
    log:
        f"{SCAN}/logs/estimate_poses.log",
    benchmark:
        f"{SCAN}/benchmarks/estimate_poses.tsv"
    threads: ALL_CORES
    resources:
        mem_mb=16000,
        runtime=240,
    shell:
        "logged {log:q} python {SCRIPTS:q}/estimate_poses.py {params.options} "
        "--device {config[device]} --work {params.work:q} --threads {threads} --output {output:q}"


rule normalize_scene:
    input:
        photos,
        poses=poses,
        positions=known_positions,
        mask_model=mask_model,
    output:
        scene=report(
            directory(f"{SCAN}/scene"),
            patterns=["{name,overview}.png"],  # a bare {name} would take the images, too
            category="Scenes",
            caption="../report/scene.rst",
        ),
    params:
        options=scene_options,
        photos=source_fingerprint,
        # No output, as above: masks of a network outlive another sphere.
        work=f"{SCAN}/run/masks",
    log:
        f"{SCAN}/logs/normalize_scene.log",
    benchmark:
        f"{SCAN}/benchmarks/normalize_scene.tsv"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/normalize_scene.py {params.options} "
        "--work {params.work:q} --threads {threads} --output {output:q}"
