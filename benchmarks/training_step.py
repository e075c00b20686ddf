"""Time the training step and its operators against eager torch and against the machine's ceilings.

    python -m benchmarks.training_step --threads 2

writes JSON, and a document beside it, named by date and device. The last line sums up.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks import report
from benchmarks.ceilings import ceilings, rates, sizes_for
from benchmarks.eager import EagerStep
from benchmarks.fast import SLOWNESS, FastStep
from benchmarks.floor import terms_of_operators, terms_of_step
from benchmarks.operators import Pair, operator_cases
from benchmarks.scaling import Setting, scaling
from benchmarks.timing import Case, Timing, interleaved
from benchmarks.work_unit import method, work_unit
from neus.cli import run
from neus.config import LearningRateConfig
from neus.devices import DEVICES, leased_device, set_threads
from neus.errors import InputError

SAMPLES = {"cpu": 1 << 14, "cuda": 1 << 18}
LEVELS, LOG2_ENTRIES = 16, 19
RESULTS = Path("benchmarks/results")
AGREEMENT = 1e-3
"""Relative difference of the two losses: more would mean that two different things are timed."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="on the CPU")
    parser.add_argument("--samples", type=int, help="a step (default: 2^14 on the CPU, else 2^18)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that all runs")
    parser.add_argument("--output", type=Path, help=f"JSON (default: {RESULTS}/DATE-DEVICE.json)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    if options.output is not None and options.output.suffix != ".json":
        raise InputError(f"--output {options.output} must end in .json: a .md goes beside it")
    with leased_device(options.device) as device:
        on_cpu = device.type == "cpu"
        if on_cpu:
            set_threads(options.threads)
        samples = options.samples or (1024 if options.quick else SAMPLES[device.type])
        log2_entries = 12 if options.quick else LOG2_ENTRIES
        base = Setting(samples, LEVELS, log2_entries, options.threads if on_cpu else None)
        rounds = 1 if options.quick else options.rounds
        result = measured(base, rounds, device, options.quick)
        result["scaling"] = scaling(base, rounds, device, options.quick)
        words = ["python", "-m", "benchmarks.training_step", *(argv or sys.argv[1:])]
        result |= {"command": shlex.join(words), "rounds": rounds}
        result["circumstances"] = report.circumstances(device)
    default = RESULTS / f"{date.today()}-{device.type}.json"
    report.save(result, options.output or default)
    print(report.document(result))
    print(report.last_line(result))
    return 0


def measured(base: Setting, rounds: int, device: torch.device, quick: bool) -> dict[str, Any]:
    """Step, operators and ceilings, all in turns."""
    unit = work_unit(base.samples, device)
    fast = FastStep(method(base.levels, base.log2_entries), unit)
    eager = EagerStep(fast.model, unit, SLOWNESS * LearningRateConfig().table)
    _refuse_disagreement(fast, eager)
    grid = fast.model.sdf.grid
    steps = Case(lambda _: fast.step()), Case(lambda _: eager.step())
    memory = [_peak_gib(case, device) for case in steps]
    pairs = {"step": steps, **operator_cases(fast, eager)}
    bounds = ceilings(grid, sizes_for(device, quick), device)
    timings = interleaved(
        {f"{side} {name}": case for name, pair in pairs.items() for side, case in _sides(pair)}
        | {name: ceiling.case for name, ceiling in bounds.items()},
        rounds,
        device,
    )
    found = rates(bounds, timings)
    terms = terms_of_step(fast.model, base.samples, device)
    floor = {name: term.milliseconds(found) for name, term in terms.items()}
    of_operators = terms_of_operators(device)
    operators = {
        name: _compared(timings, name)
        | {"floor_ms": sum(floor[term] for term in of_operators.get(name, ())) or None}
        for name in pairs
        if name != "step"
    }
    step = _compared(timings, "step")
    step["floor_ms"] = sum(floor.values())
    step["floor_fraction"] = step["floor_ms"] / step["fast_ms"]
    return {
        "training_step": step | {"fast_gib": memory[0], "eager_gib": memory[1]},
        "work_unit": asdict(base)
        | {
            "rays": len(unit.origins),
            "table_rows": grid.rows,
            "width": len(fast.model.sdf.layers.biases[0]),
        },
        "operators": operators,
        "ceilings": found,
        "floor": {name: asdict(term) | {"ms": floor[name]} for name, term in terms.items()},
    }


def _sides(pair: Pair) -> tuple[tuple[str, Case], ...]:
    return ("fast", pair[0]), ("eager", pair[1])


def _compared(timings: dict[str, Timing], name: str) -> dict[str, Any]:
    fast, eager = timings[f"fast {name}"], timings[f"eager {name}"]
    return {
        "fast_ms": fast.median_ms,
        "fast_best_ms": fast.best_ms,
        "eager_ms": eager.median_ms,
        "eager_best_ms": eager.best_ms,
        "speedup": eager.median_ms / fast.median_ms,
    }


def _refuse_disagreement(fast: FastStep, eager: EagerStep) -> None:
    ours, theirs = (step.loss().item() for step in (fast, eager))
    if not abs(ours - theirs) <= AGREEMENT * abs(theirs):
        raise InputError(
            f"the loss is {ours}, but {theirs} in eager torch: one of the two steps is wrong, so"
            " mend that before any time means anything"
        )


def _peak_gib(case: Case, device: torch.device) -> float | None:
    """GPU memory that one call takes beyond what is held anyway; None on the CPU."""
    case.run(case.prepare())
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    held = torch.cuda.memory_allocated(device)
    case.run(case.prepare())
    torch.cuda.synchronize(device)
    return (torch.cuda.max_memory_allocated(device) - held) / 2**30


if __name__ == "__main__":
    run(main)
