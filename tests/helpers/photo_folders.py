"""Folders of photos that show nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def photos(folder: Path, count: int = 4, size: tuple[int, int] = (48, 64)) -> Path:
    """So many photos of noise, of a height and a width."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03}.png"), rng.integers(0, 255, (*size, 3), np.uint8))
    return folder
