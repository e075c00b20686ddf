# What a trained network shows: held-out views with their figures, and a flight around the object.

# What is kept of a flight beside its video, by the program's options.
KINDS = {"depth": "path-depth", "gif": "path.gif", "pictures": "path-pictures"}
KEPT = {kind: name for kind, name in KINDS.items() if config["video"][kind]}
KEEP = "".join(f"--{kind} {{output.{kind}:q}} " for kind in KEPT)
# Of a flight's frames on CPUs, which take a second and more for a picture of 400x300.
CPU_SIDE = 480


def of_flight(kind):
    path = f"{RUN}/{KEPT[kind]}"
    return path if kind == "gif" else directory(path)


def grids():
    """The option of the program, where each held-out view is to have a picture of all."""
    return {"grids": True} if config["evaluation"]["grids"] else {}


def train_views():
    """How many; recorded with that option, which the param beside it is not, as it has an input."""
    count = config["evaluation"]["train_views"]
    return RecordedInt(count, "--grids") if grids() else count


def flight_side():
    """Pixels of the longer side of a flight's frames at most; None for those of the photos."""
    side = config["video"]["side"]
    return (None if trains_on_card(config) else CPU_SIDE) if side == "auto" else side


def flight_frames():
    """How many; recorded with a size that was asked for, so that an older flight stays as it is."""
    frames, side = config["video"]["frames"], config["video"]["side"]
    return frames if side == "auto" else RecordedInt(frames, f"{side} pixels")


rule render_views:
    input:
        scene=rules.normalize_scene.output.scene,
        model=rules.train.output.model,
        held_out=held_out("model.pt"),
    output:
        views=report(
            directory(f"{RUN}/views"),
            patterns=["{name}.png"],
            category="Held-out views",
            caption="../report/views.rst",
        ),
    params:
        train_views=train_views(),
        held_out=lambda wildcards, input: options(
            held_out_model=input.get("held_out") or None, **grids()
        ),
    log:
        f"{RUN}/logs/render_views.log",
    benchmark:
        f"{RUN}/benchmarks/render_views.tsv"
    threads: NETWORK_CORES
    resources:
        gpu=GPU,
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/render_views.py --scene {input.scene:q} "
        "--model {input.model:q} --device {config[device]} --threads {threads} "
        "--train-views {params.train_views} {params.held_out} --output {output.views:q}"


rule render_path:
    input:
        scene=rules.normalize_scene.output.scene,
        model=rules.train.output.model,
    output:
        video=report(f"{RUN}/path.mp4", category="Videos", caption="../report/video.rst"),
        **{kind: of_flight(kind) for kind in KEPT},
    params:
        frames=flight_frames(),
        **{key: config["video"][key] for key in ("fps", "path")},
        side=lambda wildcards, input: options(side=flight_side()),
    log:
        f"{RUN}/logs/render_path.log",
    benchmark:
        f"{RUN}/benchmarks/render_path.tsv"
    threads: NETWORK_CORES
    resources:
        gpu=GPU,
        mem_mb=8000,
        runtime=60,
    shell:
        "logged {log:q} python {SCRIPTS:q}/render_path.py --scene {input.scene:q} "
        "--model {input.model:q} --frames {params.frames} --fps {params.fps} "
        f"--path {{params.path}} {{params.side}} {KEEP}"
        "--device {config[device]} --threads {threads} --output {output.video:q}"


rule evaluate_views:
    input:
        scene=rules.normalize_scene.output.scene,
        views=rules.render_views.output.views,
        config=rules.train.output.config,
        held_out=held_out("train.json"),
    output:
        figures=f"{RUN}/views.json",
    log:
        f"{RUN}/logs/evaluate_views.log",
    params:
        apart=lambda wildcards, input: "--apart" if input.get("held_out") else "",
    benchmark:
        f"{RUN}/benchmarks/evaluate_views.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "logged {log:q} python {SCRIPTS:q}/evaluate_views.py --views {input.views:q} "
        "--scene {input.scene:q} --config {input.config:q} {params.apart} --output {output.figures:q}"
