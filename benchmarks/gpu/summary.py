"""One table of what the parts of ``gpu_checklist.sh`` wrote into a folder."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from benchmarks.report import table
from neus.cli import run
from neus.files import written_whole

TARGETS = {
    "stereo, s, second time": (3, "<="),
    "steps/s, plain": (400, ">="),
    "steps/s, graph": (400, ">="),
    "training steps": (20_000, ">="),
    "training seconds": (60, "<="),
    "PSNR on training views, dB": (32, ">="),
    "PSNR held out, dB": (28, ">="),
    "peak memory, GiB": (8, "<="),
}
"""What an H200 should reach at 2^18 samples a step and 20,000 steps."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(argv)
    text = document(options.folder)
    with written_whole(options.folder / "summary.md") as partial:
        partial.write_text(text)
    print(text)
    return 0


def document(folder: Path) -> str:
    """How each part ended, and the figures beside their targets."""
    parts = [line.split("\t") for line in _lines(folder / "parts.tsv")]
    figures = {name: value for name, value in _figures(folder).items() if value is not None}
    rows = [[name, _shown(value), *_verdict(name, value)] for name, value in figures.items()]
    left_out = _read(folder, "side_by_side").get("left_out")
    sections = [
        "# GPU checklist",
        table(["part", "ended", "seconds"], parts),
        table(["figure", "value", "target", "reached"], rows),
        left_out and f"tiny-cuda-nn and nerfacc: {left_out}",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _figures(folder: Path) -> dict[str, Any]:
    accuracy, products, stereo, step, rate, scan, beside = (
        _read(folder, name)
        for name in (
            *("accuracy", "products", "stereo"),
            *("training_step", "step_rate", "train_scan", "side_by_side"),
        )
    )
    timed = step.get("training_step", {})
    figures = {
        "greatest relative error": max(accuracy.get("errors", {}).values(), default=None),
        "step alone, ms": timed.get("fast_ms"),
        "times eager torch": timed.get("speedup"),
        "fraction of the floor": timed.get("floor_fraction"),
    }
    for name, operator in step.get("operators", {}).items():
        figures[f"{name}, ms"] = operator["fast_ms"]
        figures[f"{name}, floor ms"] = operator["floor_ms"]
    for name, product in products.get("products", {}).items():
        figures[f"{name}, times torch"] = product["torch_ms"] / product["kernel_ms"]
    for turn in ("first", "second"):
        parts = [seconds for part, seconds in stereo.get(turn, {}).items() if part.endswith("_s")]
        figures[f"stereo, s, {turn} time"] = sum(parts) if parts else None
    for name in ("plain", "graph"):
        figures[f"steps/s, {name}"] = (rate.get(name) or {}).get("steps_per_second")
    figures |= {
        "training steps": scan.get("steps"),
        "training seconds": scan.get("train_seconds"),
        "PSNR on training views, dB": scan.get("psnr_train"),
        "PSNR held out, dB": scan.get("psnr_held_out"),
        "peak memory, GiB": scan.get("peak_memory_gib"),
    }
    return figures | {f"{name}, ms": value for name, value in beside.get("ms", {}).items()}


def _verdict(name: str, value: float) -> list[str]:
    if name not in TARGETS:
        return ["", ""]
    target, relation = TARGETS[name]
    reached = value >= target if relation == ">=" else value <= target
    return [f"{relation} {target}", "yes" if reached else "no"]


def _shown(value: float) -> str:
    return f"{value:.3g}" if isinstance(value, float) and math.isfinite(value) else str(value)


def _read(folder: Path, name: str) -> dict[str, Any]:
    """Empty where a part left nothing."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


if __name__ == "__main__":
    run(main)
