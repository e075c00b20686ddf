"""The small configuration that a run takes: few keys, each with the reason beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neus.commands.recognition import Recognised

LONGEST = {"cpu": 800, "cuda": 1600}
"""Pixels of an image's longer side that training is worth, on a processor and on a card."""


def downscale_of(found: Recognised, device: str) -> int:
    """The whole number that brings images to at most `LONGEST`."""
    if found.size is None:
        return 1
    return max(1, -(-max(found.size) // LONGEST[device]))


def configuration(
    found: Recognised,
    *,
    results: str,
    device: str,
    method: str | None = None,
    downscale: int | None = None,
    steps: int | None = None,
    scale: str | None = None,
    unit: str | None = None,
) -> tuple[str, list[str]]:
    """The YAML of a configuration, and sentences about what was chosen.

    Args:
        device: ``cpu`` or ``cuda``, whichever there is.
        method, downscale, steps: instead of ours.
        scale: ``gps`` or a file of positions, which give real units.
        unit: the name of the unit.
    """
    chosen, why = found.method if method is None else (method, "as you asked")
    factor, full = downscale_of(found, device) if downscale is None else downscale, found.size
    images, sizes = _said_of_images(found), _said_of_sizes(full, factor)
    said = [images, f"method {chosen}: {why}", *([sizes] if sizes else [])]
    scan: dict[str, Any] = {"name": found.name, "source": found.source, "path": str(found.path)}
    lines = ["# Written by neus; config/README.md of the project explains every key.", "scans:"]
    notes = {"source": images.split(": ", 1)[1], "downscale": sizes}
    scan |= {"downscale": factor} if factor > 1 else {}
    if scale is not None:
        scan["scale"] = {"positions": "gps" if scale == "gps" else str(Path(scale).resolve())}
    scan |= {"unit": unit} if unit is not None else {}
    for i, (key, value) in enumerate(scan.items()):
        note = f"  # {notes[key]}" if notes.get(key) else ""
        lines.append(f"  {'- ' if i == 0 else '  '}{key}: {json.dumps(value)}{note}")
    lines.append(f"methods: [{chosen}]  # {why}")
    lines.append(f"results: {json.dumps(results)}")
    if steps is not None:
        lines.append(f"overrides: {json.dumps({'training': {'steps': steps}})}")
    return "\n".join(lines) + "\n", said


def _said_of_sizes(full: tuple[int, int] | None, factor: int) -> str:
    if full is None:
        return ""
    width, height = (-(-side // factor) for side in full)
    reduced = f"reduced by {factor}, to about" if factor > 1 else "taken as they are,"
    return f"images are {reduced} {width}x{height}"


def _said_of_images(found: Recognised) -> str:
    kind = "bare photos" if found.source == "photos" else f"the layout of {found.source}"
    if found.images is None:
        return f"{found.name}: a video"
    masks = f", {found.masked} with masks" if found.masked else ""
    return f"{found.name}: {found.images} images{masks}, {kind}"
