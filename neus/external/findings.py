"""What a program left in its folder: a surface, views, and perhaps the way out of its frame."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from neus.errors import InputError
from neus.images import SUFFIXES
from neus.scene import Similarity

SIMILARITY = "similarity.json"
"""Optional: a 4x4 matrix from the frame of what it wrote to that of the cameras that it was given,
for a program that moves them."""


def in_order(paths: Iterable[Path]) -> list[Path]:
    """By names, whose numbers count as numbers: 9 comes before 10."""
    return sorted(
        paths, key=lambda path: [(len(w), w) if w.isdigit() else (0, w) for w in _words(path)]
    )


def _words(path: Path) -> list[str]:
    return re.findall(r"\d+|\D+", str(path))


def find_mesh(folder: Path, pattern: str) -> Path:
    """The surface: the last match in the order of names and numbers, as iteration_30000 is.

    Raises:
        InputError: nothing matches.
    """
    found = in_order([path for path in folder.glob(pattern) if path.is_file()])
    if not found:
        raise InputError(f"left no mesh (nothing matches {pattern} in its folder)")
    return found[-1]


def find_views(folder: Path, pattern: str, names: Sequence[str]) -> dict[str, Path]:
    """The pictures of held-out views, by the names of their images.

    They are called as the images, or else there is one for each, numbered in their order.

    Args:
        pattern: of the folder that they lie in.
        names: of the held-out images, without a suffix, in their order.

    Raises:
        InputError: there are no pictures, or they cannot be told apart.
    """
    places = in_order([path for path in folder.glob(pattern) if path.is_dir()])
    if not places:
        raise InputError(f"left no views (no folder matches {pattern})")
    pictures = [p for p in in_order(places[-1].iterdir()) if p.suffix.lower() in SUFFIXES]
    by_name = {picture.stem: picture for picture in pictures}
    if all(Path(name).name in by_name for name in names):
        return {name: by_name[Path(name).name] for name in names}
    if len(pictures) == len(names):
        return dict(zip(names, pictures, strict=True))
    raise InputError(
        f"left {len(pictures)} views, neither called as the {len(names)} held-out images nor one "
        "for each"
    )


def way_to_export(folder: Path) -> Similarity:
    """From the frame of what a program wrote to that of its cameras, as it says; else they are one.

    Raises:
        InputError: the file holds no similarity.
    """
    file = folder / SIMILARITY
    if not file.is_file():
        return Similarity.identity()
    try:
        matrix = np.asarray(json.loads(file.read_text(encoding="utf-8")), dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise ValueError("not four rows of four numbers")
        return Similarity.from_matrix(matrix)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"left a {SIMILARITY} that is no similarity ({error})") from error
