"""Train a method on a scene; a run that was interrupted resumes by itself.

Over several cards, or processes on a CPU: torchrun --nproc-per-node 2 scripts/train.py ...
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
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
from neus.scene import Scene, load_images, load_scene
from neus.stereo import POINTS, read_figures, read_points
from neus.training import (
    LONGEST_SIDE,
    SECONDS_A_STEP,
    CheckpointFolder,
    HeldOutViews,
    Processes,
    RunFigures,
    TrainingDivergedError,
    Validation,
    fingerprint,
    joined_processes,
    run_training,
    trainer_of_scene,
)
from neus.training.warm_up import compile_kernels, compiled_before

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


@dataclass(frozen=True)
class Task:
    """What the options name, read and checked.

    Attributes:
        scene: with nothing held out if it is learned whole.
        whole: whether views that the scene holds out are learned from, too.
        stereo: its folder, if the method rests on it.
        weights: the file that training starts from, if there is one.
    """

    options: argparse.Namespace
    budget: Budget | None
    method: MethodConfig
    scene: Scene
    whole: bool
    stereo: Path | None
    weights: list[Path]


def main(argv: list[str] | None = None) -> int:
    task = _task(arguments(argv))
    options = task.options
    with (
        leased_device(options.device) as device,
        joined_processes(device) as processes,
        held_alone(options.run_dir) if processes.first else nullcontext(),
    ):
        return train(task, device, processes)


def train(task: Task, device: torch.device, processes: Processes) -> int:
    """Train, or go on with it, and write what the options ask for; the exit status."""
    options, method, scene = task.options, task.method, task.scene
    files = [*([] if task.stereo is None else [task.stereo / POINTS]), *task.weights]
    of_run = (method, options.scene, options.seed, processes.count)
    mark = fingerprint(*of_run, *files, whole=task.whole)
    checkpoints = CheckpointFolder(options.run_dir / "checkpoints", mark)
    set_threads(options.threads)
    code = _begun(task) if processes.first else None
    operators_for(method, device)  # refuses before the images are read
    progress = _progress(method, device)
    progress.at("images")
    images = load_images(scene)
    trainer = trainer_of_scene(
        scene, images, method, device, options.seed,
        points=None if task.stereo is None else read_points(task.stereo),
        processes=processes, report=_report if processes.first else lambda sentence: None,
    )  # fmt: skip
    for path in task.weights:
        start_from(trainer.model, path)
    held_out = HeldOutViews(scene, images, method, LONGEST_SIDE) if processes.first else None
    validation = Validation(scene, images, options.run_dir / "panels", held_out)
    try:
        advance = progress.of("training") if processes.first else lambda share: None
        figures = run_training(trainer, checkpoints, options.run_dir, validation, advance)
    except TrainingDivergedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if processes.first:
        _write(task, _metrics(task, figures, device))
        save_model(options.output, trainer.model, method, trainer.step, options.seed, code)
        checkpoints.clear()
    return 0


def _task(options: argparse.Namespace) -> Task:
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
    return Task(options, budget, method, scene, whole, stereo, _weights(method))


def _begun(task: Task) -> str | None:
    """Note what the run is begun with; the code that it is trained by."""
    code = _code(task.options.run_dir)
    _record(task.budget, task.options.run_dir)
    notice = unfused_notice(task.method)
    if notice is not None:
        _report(notice)
    return code


def _progress(method: MethodConfig, device: torch.device) -> Progress:
    """How far the program is; on a CPU its kernels are compiled first."""
    expected = {"images": 1.0, "training": SECONDS_A_STEP * method.training.steps}
    if device.type != "cpu" or compiled_before(method):
        return Progress(expected)
    progress = Progress({"compiling": 15.0} | expected)
    progress.at("compiling")
    _report("compiling the kernels, once: some ten seconds")
    compile_kernels(method)
    return progress


def _write(task: Task, metrics: dict[str, Any]) -> None:
    """The method, every key spelt out, and what training cost."""
    with written_whole(task.options.config) as partial:
        partial.write_text(method_as_yaml(task.method))
    with written_whole(task.options.metrics) as partial:
        partial.write_text(json.dumps(metrics, indent=1) + "\n")


def _metrics(task: Task, figures: RunFigures, device: torch.device) -> dict[str, Any]:
    content = asdict(figures) | {
        "device": device_name(device),
        "seed": task.options.seed,
        "peak_memory_gib": peak_memory_gib(device),
        "commit": code_version(),
        "versions": versions(),
        "budget": task.budget and task.budget.name,
        "images": len(task.scene.train),
        "images_of_scene": len(task.scene.frames),
    }
    if task.stereo is not None:
        content["stereo_seconds"] = read_figures(task.stereo)["seconds"]
    return content


def _report(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


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


if __name__ == "__main__":
    run(main)
