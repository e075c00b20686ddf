"""How the training step scales, one size at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from benchmarks.fast import FastStep
from benchmarks.timing import Case, interleaved, nothing
from benchmarks.work_unit import method, work_unit
from neus.devices import set_threads


@dataclass(frozen=True)
class Setting:
    """What a step is measured with; no threads on CUDA."""

    samples: int
    levels: int
    log2_entries: int
    threads: int | None

    @property
    def use_threads(self) -> Callable[[], None]:
        """Prepares a measurement."""
        if self.threads is None:
            return nothing
        threads = self.threads
        return lambda: set_threads(threads)


def variations(base: Setting, quick: bool) -> dict[str, list[Setting]]:
    """Lines of settings, each of which changes one size of ``base``."""
    samples = [base.samples * factor // 4 for factor in (1, 2, 4, 8, 16)]
    lines = {
        "samples": [replace(base, samples=count) for count in samples],
        "levels": [replace(base, levels=count) for count in (8, 16)],
        "log2_entries": [
            replace(base, log2_entries=base.log2_entries - down) for down in range(4, -1, -1)
        ],
    }
    if base.threads is not None:
        lines["threads"] = [replace(base, threads=n) for n in sorted({1, base.threads})]
    return {name: line[-2:] if quick else line for name, line in lines.items()}


def scaling(
    base: Setting, rounds: int, device: torch.device, quick: bool
) -> dict[str, dict[str, float]]:
    """Median milliseconds of a step by what changes and to which value, all interleaved."""
    lines = variations(base, quick)
    cases = {setting: _case(setting, device) for line in lines.values() for setting in line}
    by_name = {str(setting): case for setting, case in cases.items()}
    timings = interleaved(by_name, rounds, device)
    base.use_threads()
    return {
        name: {str(getattr(s, name)): timings[str(s)].median_ms for s in line}
        for name, line in lines.items()
    }


def _case(setting: Setting, device: torch.device) -> Case:
    unit = work_unit(setting.samples, device)
    step = FastStep(method(setting.levels, setting.log2_entries), unit)
    return Case(lambda _: step.step(), setting.use_threads)
