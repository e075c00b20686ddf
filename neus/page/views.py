"""Held-out views beside their photos, small enough for a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.images import read_image, resize_image, to_uint8
from neus.page.packing import picture
from neus.scene import Scene, load_image, load_mask

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

    from neus.metrics.evaluation import Surroundings

MOST_VIEWS, LONGEST_SIDE = 6, 720
SHOWN = 0.25
"""Of the range of colours: the difference at which the scale of differences ends."""
SCALE = np.array([[255, 255, 255], [250, 176, 88], [205, 62, 40], [90, 12, 40]], np.float64)
"""Colours of differences, from none to `SHOWN` and more."""


def chosen_views(names: list[str], psnr: Mapping[str, float | None]) -> list[str]:
    """At most `MOST_VIEWS` of the held-out views, evenly spaced, with the worst among them."""
    if len(names) <= MOST_VIEWS:
        return names
    places = np.linspace(0, len(names) - 1, MOST_VIEWS).round().astype(int)
    chosen = [names[i] for i in places]
    worst = worst_view(names, psnr)
    if worst not in chosen:
        nearest = min(range(MOST_VIEWS), key=lambda i: abs(places[i] - names.index(worst)))
        chosen[nearest] = worst
    return chosen


def worst_view(names: list[str], psnr: Mapping[str, float | None]) -> str:
    """The view whose rendering is farthest from its photo, as far as that is known."""
    return min(names, key=lambda name: np.inf if psnr.get(name) is None else psnr[name])  # pyright: ignore


def compared(folder: Path, scene: Scene, index: int, seen: Surroundings) -> dict[str, np.ndarray]:
    """Photo as the method saw it, rendering, normals and difference of one view, equally large.

    Args:
        folder: of the renderings, as render_views.py wrote it.
    """
    frame = scene.frames[index]
    coverage = None if frame.mask is None else load_mask(scene, index) / 255
    photo = seen.photo(load_image(scene, index) / 255, coverage)
    rendering = read_image(folder / f"{frame.name}.png")
    pictures = {
        "photo": to_uint8(photo),
        "rendering": rendering,
        "difference": differences(photo, rendering / 255),
    }
    normals = folder / "normal" / f"{frame.name}.png"
    return pictures | ({"normals": read_image(normals)} if normals.is_file() else {})


def differences(
    photo: Float[np.ndarray, "h w 3"], rendering: Float[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Mean absolute difference of the channels in the colours of `SCALE`."""
    share = np.clip(np.abs(photo - rendering).mean(axis=2) / SHOWN, 0, 1)
    stops = np.linspace(0, 1, len(SCALE))
    channels = [np.interp(share, stops, SCALE[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=2)).astype(np.uint8)


def as_pictures(images: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Each shrunk to `LONGEST_SIDE`, as an address, with the size that they have in common."""
    shrunk = {name: fitted(image, LONGEST_SIDE) for name, image in images.items()}
    height, width = next(iter(shrunk.values())).shape[:2]
    return {"width": width, "height": height} | {n: picture(i, 78) for n, i in shrunk.items()}


def fitted(image: UInt8[np.ndarray, "h w 3"], longest: int) -> UInt8[np.ndarray, "H W 3"]:
    """An image whose longer side has at most so many pixels."""
    factor = min(1.0, longest / max(image.shape[:2]))
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    return resize_image(image, width, height)
