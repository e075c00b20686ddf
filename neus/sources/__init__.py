"""Readers of data formats: each turns its source into a :class:`neus.sources.capture.Capture`."""

from __future__ import annotations

from pathlib import Path

from neus.sources.dtu import read_dtu
from neus.sources.photos import find_photos


def check_source(kind: str, path: Path, *, masks: bool) -> None:
    """Look at what a scan needs before any work starts; no image is decoded.

    Args:
        kind: ``dtu`` or ``demo`` (the layout of NeuS) or ``photos``.
        path: the scan's folder.
        masks: whether every image has a mask.

    Raises:
        InputError: something is missing, cannot be read or does not fit together.
    """
    check = {"dtu": read_dtu, "demo": read_dtu, "photos": find_photos}[kind]
    check(path, masks=masks)
