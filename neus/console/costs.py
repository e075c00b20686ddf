"""How long a job will take, before it has begun: by earlier runs, else by the demo's."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

DEMO = {
    "cpu": {
        "make_demo": 20.0,
        "extract_frames": 20.0,
        "estimate_poses": 18.0,
        "normalize_scene": 1.0,
        "dense_stereo": 27.0,
        "train": 210.0,
        "extract_mesh": 21.0,
        "texture_mesh": 13.0,
        "render_views": 11.0,
        "render_path": 39.0,
        "evaluate_views": 1.0,
        "evaluate_mesh": 7.0,
        "place_mesh": 5.0,
        "results_table": 1.0,
        "page": 14.5,
    },
    "cuda": {
        "make_demo": 10.0,
        "extract_frames": 20.0,
        "estimate_poses": 15.0,
        "normalize_scene": 3.0,
        "dense_stereo": 15.0,
        "train": 60.0,
        "extract_mesh": 15.0,
        "texture_mesh": 18.0,
        "render_views": 8.0,
        "render_path": 12.0,
        "evaluate_views": 2.0,
        "evaluate_mesh": 7.0,
        "place_mesh": 5.0,
        "results_table": 4.0,
        "page": 20.0,
    },
}
"""Seconds of each rule's job in the demo of one scan: measured on two cores; of a card they are a
guess. How slow a machine is, its first jobs say; what a job takes there, its next run knows."""
UNKNOWN = 10.0
"""Seconds of a job of which nothing is known."""
ALIKE = {
    "train_held_out": "train",
    "dense_stereo_held_out": "dense_stereo",
    "evaluate_given_mesh": "evaluate_mesh",
}
PLACES = ("*", "*/benchmarks", "*/*/seed*/benchmarks", "*/*/seed*/held-out/benchmarks")
"""Where below a folder of results Snakemake leaves what jobs took."""


def kind_of(rule: str) -> str:
    """The rule that a rule's jobs are like."""
    return ALIKE.get(rule, rule)


class Costs:
    """Expected seconds of jobs.

    Args:
        results: folder of earlier results, whose benchmark files count.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(self, results: Path, device: str) -> None:
        self._results, self._demo = results, DEMO[device]
        self._alike: dict[str, float | None] = {}

    def expected(self, rule: str, benchmark: Path | None, size: float = 1.0) -> float:
        """By the last run of this very job, else by others of its rule, else by the demo's.

        Args:
            benchmark: file that Snakemake will write.
            size: of the job, as a multiple of the demo's; counts where no earlier run does.
        """
        if benchmark is not None:
            own = seconds_of(benchmark)
            others = self._of_others(benchmark) if own is None else own
            if others is not None:
                return others
        return size * self._demo.get(kind_of(rule), UNKNOWN)

    def _of_others(self, benchmark: Path) -> float | None:
        """The median of the same method's on other scans, else of all, as far as there are any."""
        try:
            _, *method, _, _ = benchmark.relative_to(self._results).parts
        except ValueError:
            return None
        of_method = [f"*/{'/'.join(method)}/benchmarks"] if method else []
        for places in (of_method, PLACES):
            key = "|".join([*places, benchmark.name])
            if key not in self._alike:
                files = (self._results.glob(f"{place}/{benchmark.name}") for place in places)
                self._alike[key] = _median(files)
            found = self._alike[key]
            if found is not None:
                return found
        return None


def seconds_of(benchmark: Path) -> float | None:
    """What a benchmark file of Snakemake says; None where there is none that can be read."""
    try:
        header, figures, *_ = benchmark.read_text(encoding="utf-8").splitlines()
        return float(figures.split("\t")[header.split("\t").index("s")])
    except (OSError, ValueError):
        return None


def _median(folders: Iterable[Iterable[Path]]) -> float | None:
    found = [seconds_of(file) for files in folders for file in files]
    known = [seconds for seconds in found if seconds is not None]
    return statistics.median(known) if known else None
