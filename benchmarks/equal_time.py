"""Held-out PSNR that a method reaches, and what eager torch reaches in the same seconds.

Both sides train by the same program, schedule and seed; eager torch is ``neus.ops.reference``,
which differentiates twice, for as many steps as fit into the time that ours took. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from neus.cli import run
from neus.config import MethodConfig, load_method
from neus.devices import device_name, set_threads
from neus.metrics.evaluation import Surroundings
from neus.metrics.images import psnr
from neus.models import TrainedModel, ready
from neus.ops import cpu, reference, threads_of_steps
from neus.ops.cpu.warm_up import compile_kernels
from neus.scene import Scene, load_images, load_mask, load_scene
from neus.training import trainer_of_scene

METHODS = Path(__file__).parents[1] / "config" / "methods"
SEED = 0
CPU = torch.device("cpu")
TRIAL = 0.02
"""Part of the budget that eager torch is timed for, spread over its schedule."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--scene", type=Path, required=True, help="canonical, with views held out")
    parser.add_argument("--methods", nargs="+", default=["nerf-blender", "neus-blender"])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args(argv)
    set_threads(options.threads)
    compile_kernels(surface=True, densities=True)
    scene = load_scene(options.scene)
    found = {}
    for name in options.methods:
        method = with_steps(load_method(METHODS / f"{name}.yaml"), options.steps)
        ours = trained(scene, method, cpu)
        print(f"{name}: {ours}", file=sys.stderr, flush=True)
        found[name] = {"ours": ours, "eager": in_time(scene, method, ours["seconds"])}
    circumstances = {"device": device_name(CPU), "seed": SEED}
    print(json.dumps({"benchmark": "equal_time", **circumstances, "methods": found}))
    return 0


def with_steps(method: MethodConfig, steps: int) -> MethodConfig:
    return replace(method, training=replace(method.training, steps=steps))


def in_time(scene: Scene, method: MethodConfig, seconds: float) -> dict[str, float]:
    """What eager torch makes of ``seconds``: a few steps tell how many fit, schedules stretched."""
    few = max(4, int(TRIAL * method.training.steps))
    trial = trained(scene, with_steps(method, few), reference, measure=False)
    steps = max(1, int(few * seconds / trial["seconds"]))
    return trained(scene, with_steps(method, steps), reference)


def trained(
    scene: Scene, method: MethodConfig, backend: ModuleType, *, measure: bool = True
) -> dict[str, float]:
    """Train on a backend: steps, seconds within them, and the mean PSNR of the held-out views."""
    images = load_images(scene)
    trainer = trainer_of_scene(scene, images, method, CPU, SEED, backend=backend)
    start = time.perf_counter()
    with threads_of_steps(backend):
        while trainer.step < method.training.steps:
            trainer.train_step()
    found = {"steps": trainer.step, "seconds": round(time.perf_counter() - start, 1)}
    if measure:
        model = ready(trainer.model, method, trainer.step, CPU)
        found["psnr"] = round(held_out_psnr(scene, model, images), 2)
    return found


def held_out_psnr(scene: Scene, model: TrainedModel, images: list[np.ndarray]) -> float:
    """Mean over the whole of all views that training does not see."""
    surroundings = Surroundings.of(model.method)
    found = []
    for index in scene.test:
        coverage = load_mask(scene, index) / 255 if index in scene.masked else None
        photo = surroundings.photo(images[index] / 255, coverage)
        found.append(psnr(model.view(scene.cameras, index).rgb, photo))
    return float(np.mean(found))


if __name__ == "__main__":
    run(main)
