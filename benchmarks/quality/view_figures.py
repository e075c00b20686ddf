"""Held-out PSNR in the mask: as it is, and after the affine map that fits the colours best."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.config import load_method
from neus.images import read_image
from neus.metrics.evaluation import Surroundings
from neus.metrics.images import psnr
from neus.scene import Scene, load_image, load_mask, load_scene
from neus.sources import number_in

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float


def measure_views(views: Path, scene: Path, config: Path, scan: Path) -> dict[str, Any]:
    """Means over the held-out views of a run.

    Args:
        views: folder of ``render_views.py``.
        config: the method as ``train.py`` wrote it: what it was shown around the object.
        scan: the scan's folder, whose masks serve where the scene has none.
    """
    loaded, seen = load_scene(scene), Surroundings.of(load_method(config))
    raw, fitted = [], []
    for index in loaded.test:
        name = loaded.frames[index].name
        coverage = coverage_of(loaded, index, scan)
        photo = seen.photo(load_image(loaded, index) / 255, coverage)
        rendering = read_image(views / f"{name}.png") / 255
        raw.append(psnr(rendering, photo, coverage))
        fitted.append(psnr(affine_fit(rendering, photo, coverage > 0.5), photo, coverage))
    return {"psnr": finite_mean(raw), "psnr_affine": finite_mean(fitted), "views": len(raw)}


def coverage_of(scene: Scene, index: int, scan: Path) -> Float[np.ndarray, "h w"]:
    """Share of each pixel of a photo that the object covers."""
    if scene.frames[index].mask is not None:
        return load_mask(scene, index) / 255
    number = number_in(scene.frames[index].name)
    return read_image(scan / "mask" / f"{number:03d}.png")[:, :, 0] / 255


def affine_fit(
    rendering: Float[np.ndarray, "h w 3"],
    photo: Float[np.ndarray, "h w 3"],
    mask: np.ndarray,
) -> Float[np.ndarray, "h w 3"]:
    """The rendering with the map ``A rgb + b`` that is nearest to the photo in the mask.

    It takes out what no view but this one can know: the photo's exposure and white balance.
    """
    given = np.concatenate([rendering, np.ones((*rendering.shape[:2], 1))], axis=2)
    if not mask.any():
        return rendering
    solution = np.linalg.lstsq(given[mask], photo[mask], rcond=None)[0]
    return np.clip(given @ solution, 0.0, 1.0)


def finite_mean(values: list[float]) -> float | None:
    kept = [value for value in values if math.isfinite(value)]
    return float(np.mean(kept)) if kept else None
