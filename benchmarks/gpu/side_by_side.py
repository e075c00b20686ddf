"""The training step on Triton kernels and on tiny-cuda-nn and nerfacc, where those import."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.fast import FastStep
from benchmarks.operators import march_operands
from benchmarks.timing import Case, interleaved
from benchmarks.work_unit import method, work_unit
from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device
from neus.errors import InputError
from neus.files import written_whole
from neus.ops import backend_for


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--samples", type=int, default=1 << 18)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args(argv)
    with leased_device(options.device) as device:
        result: dict[str, Any] = {"device": device_name(device), "samples": options.samples}
        try:
            result |= measured(options.samples, options.rounds, device)
        except InputError as error:  # says which package is missing
            result["left_out"] = str(error)
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0


def measured(samples: int, rounds: int, device: torch.device) -> dict[str, Any]:
    """Milliseconds, and losses, which agree within float16's tolerance.

    Raises:
        InputError: a package is missing.
    """
    from neus.ops import tcnn

    tcnn.require_packages(device)
    unit = work_unit(samples, device)
    backends = {"own": backend_for(device), "tcnn and nerfacc": tcnn}
    steps = {name: FastStep(method(16, 19), unit, module) for name, module in backends.items()}
    losses = {name: step.loss().item() for name, step in steps.items()}
    cases: dict[str, Case] = {}
    for name, step in steps.items():
        operands = march_operands(step)
        cases[f"training step, {name}"] = Case(lambda _, step=step: step.step())
        cases[f"march_rays, {name}"] = Case(
            lambda _, step=step, operands=operands: step.backend.march_rays(*operands)
        )
    timings = interleaved(cases, rounds, device)
    return {"losses": losses, "ms": {name: t.median_ms for name, t in timings.items()}}


if __name__ == "__main__":
    run(main)
