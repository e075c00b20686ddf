"""How a training went, from its journal."""

from __future__ import annotations

import csv
import math
from pathlib import Path

MOST_POINTS = 240
SHOWN = ("psnr", "loss", "eikonal", "inv_s")


def curves(journal: Path) -> dict[str, list[float | None]] | None:
    """The columns step, seconds and `SHOWN` of ``run/metrics.csv``, thinned; None without them."""
    if not journal.is_file():
        return None
    with journal.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < 2:
        return None
    step = max(1, -(-len(rows) // MOST_POINTS))
    kept = rows[::step] + ([rows[-1]] if (len(rows) - 1) % step else [])
    names = [name for name in ("step", "seconds", *SHOWN) if name in rows[0]]
    return {name: [_number(row[name]) for row in kept] for name in names}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
