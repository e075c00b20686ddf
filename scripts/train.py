"""Train a method on a scene; a run that was interrupted resumes by itself.

Over several cards, or processes on a CPU: torchrun --nproc-per-node 2 scripts/train.py ...
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from neus.cli import run
from neus.config import (
    RECORD,
    Budget,
    MethodConfig,
    load_budget,
    load_method,
    method_as_yaml,
    without_masks,
)
from neus.devices import DEVICES, device_name, leased_device, peak_memory_gib, set_threads
from neus.errors import InputError
from neus.files import code_snapshot, code_version, held_alone, versions, written_whole
from neus.models import operators_for, save_model, start_from, unfused_notice
from neus.progress import Progress
from neus.scene import Scene, load_images, load_mask, load_scene
from neus.stereo import POINTS, at_one_exposure, read_figures, read_points
from neus.training import (
    LONGEST_SIDE,
    SECONDS_A_STEP,
    CheckpointFolder,
    HeldOutViews,
    PatchViews,
    PixelPool,
    RunFigures,
    SurfacePoints,
    Trainer,
    TrainingDivergedError,
    Validation,
    fingerprint,
    joined_processes,
    run_training,
)

CODE = "code.patch"
"""File of a run's folder that holds the commit of the code, and how the code differs from it."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--method", type=Path, required=True, help="method file (YAML)")
    parser.add_argument(
        "--budget", type=Path, help="file laid over the method (config/budgets/*.yaml)"
    )
    parser.add_argument("--overrides", default="{}", help="keys laid over both, as JSON")
    parser.add_argument(
        "--stereo", type=Path, help="output of dense_stereo.py, for methods that rest on it"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        help="model or checkpoint to start from, in the place of the method's training.weights",
    )
    parser.add_argument(
        "--learn-from",
        choices=["split", "all"],
        default="split",
        help="images to learn from: all but those that the scene holds out, or all",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="the trained model")
    parser.add_argument(
        "--config", type=Path, required=True, help="the method, every key spelt out"
    )
    parser.add_argument("--metrics", type=Path, required=True, help="what training cost, as JSON")
    parser.add_argument(
        "--run-dir",
        type=Path,
        required=True,
        help="folder for checkpoints, metrics.csv, TensorBoard and validation panels",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    budget = options.budget and load_budget(options.budget, options.method.stem)
    method = load_method(options.method, _overrides(options.overrides), budget)
    if options.weights is not None:
        method = replace(method, training=replace(method.training, weights=str(options.weights)))
    scene = load_scene(options.scene)
    whole = options.learn_from == "all" and bool(scene.test)
    scene = scene.learned_whole() if whole else scene
    if not scene.train:
        raise InputError(f"{options.scene} has no training images: raise holdout")
    if method.training.losses.uses("mask") and not set(scene.masked) & set(scene.train):
        _report("the scene has no masks: training goes on without the mask loss")
        method = without_masks(method)
    stereo = options.stereo if method.training.losses.uses_stereo else None
    if method.training.losses.uses_stereo and stereo is None:
        _report("no --stereo is given: training goes on by colour alone")
    weights = _weights(method)
    with (
        leased_device(options.device) as device,
        joined_processes(device) as processes,
        held_alone(options.run_dir) if processes.first else nullcontext(),
    ):
        files = [] if stereo is None else [stereo / POINTS]
        files += weights
        of_run = (method, options.scene, options.seed, processes.count)
        mark = fingerprint(*of_run, *files, whole=whole)
        checkpoints = CheckpointFolder(options.run_dir / "checkpoints", mark)
        set_threads(options.threads)
        code = _code(options.run_dir) if processes.first else None
        if processes.first:
            _record(budget, options.run_dir)
        operators_for(method, device)  # refuses before the images are read
        notice = unfused_notice(method)
        if notice is not None and processes.first:
            _report(notice)
        expected = {"images": 1.0, "training": SECONDS_A_STEP * method.training.steps}
        if device.type == "cpu" and not _are_compiled(method):
            progress = Progress({"compiling": 15.0} | expected)
            progress.at("compiling")
            _compile_kernels(method)
        else:
            progress = Progress(expected)
        progress.at("images")
        train = list(scene.train)
        images = load_images(scene)
        masked = scene.masked if method.training.losses.uses("mask") else ()
        points = None if stereo is None else read_points(stereo)
        photos = [images[i] for i in train]
        if method.training.equal_exposure and points is not None:
            say = _report if processes.first else lambda sentence: None
            photos = at_one_exposure(points, scene.cameras[train], photos, say)
        pool = PixelPool(
            scene.cameras[train],
            photos,
            [load_mask(scene, i) if i in masked else None for i in train],
            device,
        )
        known = None if points is None else SurfacePoints(points, scene.cameras[train], device)
        views = _patch_views(method, scene, images, device)
        trainer = Trainer(
            method, pool, device, options.seed, processes, evidence=known, views=views
        )
        for path in weights:
            start_from(trainer.model, path)
        held_out = HeldOutViews(scene, images, method, LONGEST_SIDE) if processes.first else None
        validation = Validation(scene, images, options.run_dir / "panels", held_out)
        try:
            advance = progress.of("training") if processes.first else lambda share: None
            figures = run_training(trainer, checkpoints, options.run_dir, validation, advance)
        except TrainingDivergedError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        if not processes.first:
            return 0
        with written_whole(options.config) as partial:
            partial.write_text(method_as_yaml(method))
        with written_whole(options.metrics) as partial:
            content = _metrics(figures, options.seed, device_name(device), peak_memory_gib(device))
            content |= {"commit": code_version(), "versions": versions()}
            content |= {"budget": budget and budget.name}
            content |= {"images": len(train), "images_of_scene": len(scene.frames)}
            if stereo is not None:
                content["stereo_seconds"] = read_figures(stereo)["seconds"]
            partial.write_text(json.dumps(content, indent=1) + "\n")
        save_model(options.output, trainer.model, method, trainer.step, options.seed, code)
        checkpoints.clear()
    return 0


def _report(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _patch_views(
    method: MethodConfig, scene: Scene, images: list, device: torch.device
) -> PatchViews | None:
    """The training photos alone, where the method compares patches of them."""
    if not (method.training.losses.uses("patch") and method.model.kind == "neus"):
        return None
    train = list(scene.train)
    return PatchViews(scene.cameras[train], [images[i] for i in train], device)


def _weights(method: MethodConfig) -> list[Path]:
    """The file that training starts from, if there is one."""
    if method.training.weights is None:
        return []
    path = Path(method.training.weights).expanduser()
    if not path.is_file():
        raise InputError(f"training.weights: {path} does not exist: name a model or checkpoint")
    return [path]


def _overrides(text: str) -> dict[str, Any]:
    try:
        keys = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"--overrides is no JSON: {error}; quote its keys") from None
    if not isinstance(keys, dict):
        raise InputError('--overrides must be a JSON object, as {"training": {"steps": 2000}}')
    return keys


def _record(budget: Budget | None, run: Path) -> None:
    """What a run was begun with, so that another device goes on with the same."""
    if budget is None:
        (run / RECORD).unlink(missing_ok=True)
        return
    with written_whole(run / RECORD) as partial:
        partial.write_text(f"{budget.name}\n", encoding="utf-8")


def _code(run: Path) -> str | None:
    """What the run is trained by, kept beside it; of a run that was resumed, by what it ends."""
    code = code_snapshot()
    if code is not None:
        with written_whole(run / CODE) as partial:
            partial.write_text(code, encoding="utf-8", errors="surrogateescape")
    return code


def _kernels(method: MethodConfig) -> dict[str, bool]:
    """Which kernels of the CPU a method needs."""
    surface = method.model.kind == "neus"
    return {
        "surface": surface,
        "densities": not surface or method.model.background == "learned",
        "patches": surface and method.training.losses.uses("patch"),
    }


def _are_compiled(method: MethodConfig) -> bool:
    from neus.ops.cpu.warm_up import compiled_before

    return compiled_before(**_kernels(method))


def _compile_kernels(method: MethodConfig) -> None:
    from neus.ops.cpu.warm_up import compile_kernels

    print("compiling the kernels, once: some ten seconds", file=sys.stderr, flush=True)
    compile_kernels(**_kernels(method))


def _metrics(figures: RunFigures, seed: int, device: str, memory: float) -> dict:
    return asdict(figures) | {"device": device, "seed": seed, "peak_memory_gib": memory}


if __name__ == "__main__":
    run(main)
