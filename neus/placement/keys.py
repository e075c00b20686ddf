"""The keys sphere, up and scale of a scan, from a configuration to what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import InputError
from neus.placement.normalize import Ball, SphereChoice, UpChoice
from neus.placement.scale import Mark, Scale

MEANINGFUL_AXES = frozenset({"blender", "demo", "dtu", "middlebury"})
"""Sources whose axes somebody chose; those of the others are as they happened to come out."""
GPS = "gps"


def sphere_from(value: Any) -> SphereChoice:
    """Where the object is: a word, or a ball or the box ``low``, ``high`` around it.

    Raises:
        InputError: the radius or the box is not positive, or the value is none of these.
    """
    if value in ("auto", "masks", "points", "cameras"):
        return value
    try:
        if set(value) == {"low", "high"}:
            low, high = _vector(value["low"]), _vector(value["high"])
            if not (high > low).all():
                raise InputError("sphere: every coordinate of high must be larger than of low")
            return Ball((low + high) / 2, float(np.linalg.norm(high - low) / 2))
        ball = Ball(_vector(value["centre"]), float(value["radius"]))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"sphere: {value!r} is neither auto, masks, points, cameras, {{centre, radius}} nor "
            "{low, high}"
        ) from None
    if not ball.radius > 0:
        raise InputError(f"sphere: the radius {ball.radius} is not positive")
    return ball


def up_from(value: Any, source: str, scale: Scale | None) -> UpChoice:
    """What becomes +z; ``auto`` keeps axes that mean something, else asks the cameras.

    Raises:
        InputError: the value is neither a known word nor a direction.
    """
    if value == "auto":
        is_aligned = scale is not None and scale.positions is not None
        return "source" if is_aligned or source in MEANINGFUL_AXES else "cameras"
    if value in ("source", "cameras", "ground"):
        return value
    try:
        x, y, z = _vector(value)
    except (TypeError, ValueError):
        raise InputError(
            f"up: {value!r} is neither auto, source, cameras, ground nor a direction [x, y, z]"
        ) from None
    if x == y == z == 0:
        raise InputError("up: [0, 0, 0] is no direction")
    return float(x), float(y), float(z)


def scale_from(value: dict[str, Any] | None, unit: str | None) -> Scale | None:
    """Metric units: ``{distance, between}`` or ``{positions}``, in ``unit`` (metres by default).

    Raises:
        InputError: keys are missing or do not go together.
    """
    if value is None:
        return None
    if set(value) not in ({"distance", "between"}, {"positions"}):
        raise InputError("scale: give distance and between, or positions")
    distance = None
    if "distance" in value:
        marks = [_mark(mark) for mark in value["between"]]
        if len(marks) != 2 or not value["distance"] > 0:
            raise InputError("scale: between takes two marks, and distance is positive")
        distance = (marks[0], marks[1], float(value["distance"]))
    positions = value.get("positions")
    if positions is not None and positions != GPS:
        positions = Path(positions)
        unit = unit or "m"
    elif positions == GPS and unit not in (None, "m"):
        raise InputError("scale: positions of gps are in metres: set unit to m, or leave it out")
    return Scale(distance, positions, unit or "m")


def _mark(value: Any) -> Mark:
    try:
        if isinstance(value, dict):
            return {str(name): (float(x), float(y)) for name, (x, y) in value.items()}
        x, y, z = _vector(value)
    except (TypeError, ValueError):
        raise InputError(
            f"scale: {value!r} is no mark: write [x, y, z], or {{photo.jpg: [x, y], ...}}"
        ) from None
    return float(x), float(y), float(z)


def _vector(value: Any) -> np.ndarray:
    vector = np.array(value, dtype=np.float64)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise ValueError("three finite numbers are needed")
    return vector
