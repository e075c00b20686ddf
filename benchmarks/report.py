"""What was measured, as JSON and as a document in markdown."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks.ceilings import UNIT_SIZES, UNITS
from neus.devices import device_name
from neus.files import written_whole

METHOD = """\
All cases of the first two tables and the ceilings take turns, one call each a round, after an
untimed call of their own; the figures are medians over the rounds. "Eager torch" is
`benchmarks/eager.py`: indexing, autograd twice, AdamW with torch's defaults. The step is rendering
with gradients, losses, backward pass and optimizer of all parameters, on fixed samples."""

FLOOR = """\
Each term is the work that nobody can avoid, over the ceiling measured in the same run; the floor is
the sum of the terms, as if none overlapped.

- Products: two operations for each multiplication of the networks' matrices. A hidden layer of the
  distance network takes part in six products (value, gradient chain, and for each of the two the
  backward pass for inputs and for weights), a layer of the colour network in three. Activations,
  interpolation, compositing and losses are left out.
- Gathers: 8 corners of each level and sample, at the rate of random 8-byte reads in one level's
  table. Neighbouring samples and corners share cache lines, and coarse levels are small, so that
  a real step may gather faster than that.
- Scatter: as many additions of two floats, at the rate of random ones to one level's table.
- Optimizer: table and two moments read and written, at the rate of a pass over memory in place."""


def save(result: dict[str, Any], path: Path) -> None:
    """Write ``path``, which ends in .json, and the document of the same name beside it."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    with written_whole(path.with_suffix(".md")) as partial:
        partial.write_text(document(result))


def circumstances(device: torch.device) -> dict[str, str]:
    """Date, machine and versions, without which a figure means nothing."""
    return {
        "date": str(date.today()),
        "commit": _commit(),
        "device": device_name(device),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def last_line(result: Mapping[str, Any]) -> str:
    step = result["training_step"]
    return (
        f"training step: {step['fast_ms']:.1f} ms, {step['speedup']:.1f} times eager torch, "
        f"{100 * step['floor_fraction']:.0f} % of the floor"
    )


def document(result: Mapping[str, Any]) -> str:
    step, size, where = (result[k] for k in ("training_step", "work_unit", "circumstances"))
    floor = sum(term["ms"] for term in result["floor"].values())
    operators = [
        [name, _ms(o["fast_ms"]), _ms(o["eager_ms"]), f"{o['speedup']:.1f}", _ms(o["floor_ms"])]
        for name, o in result["operators"].items()
    ]
    whole = ["whole step", *map(_ms, (step["fast_ms"], step["eager_ms"]))]
    ceilings = [[n, f"{rate:,.1f} {UNITS[n]}"] for n, rate in result["ceilings"].items()]
    terms = [[n, _amount(t), t["ceiling"], _ms(t["ms"])] for n, t in result["floor"].items()]
    parts = [
        f"# The training step on {where['device']}",
        f"Date {where['date']}, commit {where['commit']}, Python {where['python']}, torch "
        f"{where['torch']}. `{result['command']}`",
        f"{size['samples']:,} samples a step on {size['rays']:,} rays, {size['levels']} x 2 levels,"
        f" 2^{size['log2_entries']} entries a level ({size['table_rows']:,} rows in all), networks"
        f" of width {size['width']}; {result['rounds']} rounds.",
        f"**{last_line(result)}**",
        METHOD,
        _memory(step),
        table(
            ["operator", "ms", "eager torch ms", "times", "floor ms"],
            [*operators, [*whole, f"{step['speedup']:.1f}", _ms(floor)]],
        ),
        "## The floor",
        FLOOR,
        table(["term", "work", "ceiling", "ms"], terms),
        f"Sum {floor:.2f} ms; measured {step['fast_ms']:.2f} ms.",
        "Ceilings:",
        table(["ceiling", "rate"], ceilings),
        "## Scaling",
        "Milliseconds of a step when one size changes:",
        *(
            table([name, *line], [["ms", *map(_ms, line.values())]])
            for name, line in result["scaling"].items()
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in markdown, its first column left-aligned."""
    head = list(head)
    lines = [head, [":--"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _amount(term: Mapping[str, Any]) -> str:
    unit = UNITS[term["ceiling"]]
    return f"{term['amount'] / UNIT_SIZES[unit]:,.3g} {unit.removesuffix('/s')}"


def _memory(step: Mapping[str, Any]) -> str:
    if step["fast_gib"] is None:
        return ""
    return (
        f"Memory that a step takes beyond parameters and moments: {step['fast_gib']:.2f} GiB, eager"
        f" torch {step['eager_gib']:.2f} GiB."
    )


def _commit() -> str:
    """The commit of the working tree, with a plus where files differ from it."""
    words = ["git", "describe", "--always", "--abbrev=7", "--exclude=*", "--dirty=+"]
    try:
        process = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return process.stdout.strip() or "unknown"
