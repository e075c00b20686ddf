"""Train on a scan, DTU-sized, and measure time, memory and PSNR on training and held-out views."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.scan import Scan, scan_from_folder, wavy_ball
from benchmarks.gpu.training import method_for, replayed, step_of, synchronize, trainer_on
from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device, peak_memory_gib
from neus.files import written_whole
from neus.models import NeuS, TrainedModel, ready
from neus.training import Trainer, inv_s

CHECK_EVERY = 100
"""Steps between looks at the clock and at the loss, which wait for the device."""
TRAINING_VIEWS = 6
"""As many training views are compared, evenly spread."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scene", type=Path, help="canonical scene with masks (default: made here)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=1 << 18)
    parser.add_argument("--log2-entries", type=int, default=19)
    parser.add_argument("--views", type=int, nargs=3, default=(49, 800, 600), help="count and size")
    parser.add_argument("--seconds", type=float, default=150, help="training stops after so many")
    parser.add_argument("--plain", action="store_true", help="without a CUDA graph")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    with leased_device(options.device) as device:
        if options.scene is None:
            views, width, height = options.views
            scan = wavy_ball(views, width, height, device)
        else:
            scan = scan_from_folder(options.scene)
        method = method_for(options.samples, options.steps, options.log2_entries)
        trainer = trainer_on(scan, method, device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        result = {"scan": scan.name, "device": device_name(device), "samples": options.samples}
        result |= trained(trainer, options.seconds, device, plain=options.plain)
        result["peak_memory_gib"] = peak_memory_gib(device)
        result |= compared(scan, ready(trainer.model, method, trainer.step, device))
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0 if math.isfinite(result["loss"]) else 1


def trained(trainer: Trainer, limit: float, device: torch.device, plain: bool) -> dict[str, Any]:
    """Train to the end of the budget, or as far as ``limit`` seconds reach."""
    budget = trainer.method.training.steps
    step = step_of(trainer, graphed=not plain)
    start, report = time.perf_counter(), None
    while trainer.step < budget:
        report = step()
        if trainer.step % CHECK_EVERY == 0:
            synchronize(device)
            if time.perf_counter() - start > limit:
                print(f"stopped at step {trainer.step} of {budget}", file=sys.stderr)
                break
    synchronize(device)
    loss = getattr(report, "loss", torch.tensor(0.0))
    assert isinstance(trainer.model, NeuS)
    return {
        "replayed": replayed(step),
        "steps": trainer.step,
        "budget": budget,
        "train_seconds": time.perf_counter() - start,
        "loss": float(loss),
        "inv_s": inv_s(trainer),
    }


def compared(scan: Scan, model: TrainedModel) -> dict[str, float]:
    """Mean PSNR in dB over whole images on white."""
    spread = np.linspace(0, len(scan.train) - 1, min(TRAINING_VIEWS, len(scan.train)))
    shown = {"psnr_train": [scan.train[round(i)] for i in spread], "psnr_held_out": scan.test}
    return {
        name: float(np.mean([_psnr(scan, model, view) for view in views]))
        for name, views in shown.items()
        if views
    }


def _psnr(scan: Scan, model: TrainedModel, view: int) -> float:
    coverage = scan.masks[view][..., None] / 255
    photo = scan.images[view] / 255 * coverage + 1 - coverage
    return -10 * math.log10(((model.view(scan.cameras, view).rgb - photo) ** 2).mean())


if __name__ == "__main__":
    run(main)
