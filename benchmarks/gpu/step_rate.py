"""Steps per second of the trainer, plain and from a CUDA graph, at the size of a DTU run."""

from __future__ import annotations

import argparse
import json
import time
import traceback
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.scan import Scan, wavy_ball
from benchmarks.gpu.training import method_for, replayed, step_of, synchronize, trainer_on
from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device, peak_memory_gib
from neus.files import written_whole

BUDGET = 20_000
SETTLING = 0.3
"""Part of the budget after which all levels are on and the distance between samples is final."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--samples", type=int, default=1 << 18)
    parser.add_argument("--log2-entries", type=int, default=19)
    parser.add_argument("--steps", type=int, default=300, help="timed steps")
    parser.add_argument("--views", type=int, nargs=3, default=(8, 800, 600), help="count and size")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args(argv)
    status = 0
    with leased_device(options.device) as device:
        views, width, height = options.views
        scan = wavy_ball(views, width, height, device)
        result: dict[str, Any] = {"device": device_name(device), "samples": options.samples}
        for name, graphed in (("plain", False), ("graph", True)):
            try:
                result[name] = measured(scan, options, graphed, device)
            except RuntimeError:  # of a replay; the plain rate must not be lost with it
                traceback.print_exc()
                result[name], status = None, 1
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return status


def measured(
    scan: Scan, options: argparse.Namespace, graphed: bool, device: torch.device
) -> dict[str, float] | None:
    """Rate over the last steps, after as many to warm up, in the settled part of a schedule.

    None if steps from a graph are wanted, but all were plain.
    """
    trainer = trainer_on(scan, method_for(options.samples, BUDGET, options.log2_entries), device)
    for _ in range(options.steps):
        trainer.train_step()
    trainer.step = int(SETTLING * BUDGET)
    step = step_of(trainer, graphed)
    for _ in range(options.steps):
        step()
    synchronize(device)
    before = replayed(step)
    start = time.perf_counter()
    for _ in range(options.steps):
        step()
    synchronize(device)
    seconds = time.perf_counter() - start
    if graphed and not replayed(step):
        return None
    return {
        "steps_per_second": options.steps / seconds,
        "ms": 1e3 * seconds / options.steps,
        "replayed": (replayed(step) - before) / options.steps,
        "rays": trainer.rays,
        "peak_memory_gib": peak_memory_gib(device),
    }


if __name__ == "__main__":
    run(main)
