"""Pictures side by side, with words below them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from docs.plots import INK, PAPER, SOFT

HEIGHT = 285
"""Of a picture in a row, in pixels."""
GAP = 26
GROUND = (255, 255, 255)
"""Behind what is drawn; it becomes paper."""
STOPS = np.array([[27, 96, 118], [120, 165, 150], [232, 200, 120], [196, 83, 47]], float)
"""Colours from 0 to 1."""


def in_a_row(
    pieces: Sequence[Image.Image], titles: Sequence[str], notes: Sequence[str] = ()
) -> Image.Image:
    """Pictures of one height, side by side on paper, each with a title below, and a note.

    What is white in them is paper, too.
    """
    sizes = [(round(piece.width * HEIGHT / piece.height), HEIGHT) for piece in pieces]
    foot = 84 if notes else 54
    width = sum(size[0] for size in sizes) + GAP * (len(pieces) + 1)
    whole = Image.new("RGB", (width, GAP + HEIGHT + foot), PAPER)
    draw, left = ImageDraw.Draw(whole), GAP
    for i, (piece, size) in enumerate(zip(pieces, sizes, strict=True)):
        small = piece.resize(size, Image.Resampling.LANCZOS)
        whole.paste(ImageChops.multiply(small, Image.new("RGB", size, PAPER)), (left, GAP))
        draw.text((left, HEIGHT + GAP + 10), titles[i], INK, ImageFont.load_default(23))
        if notes:
            draw.text((left, HEIGHT + GAP + 42), notes[i], SOFT, ImageFont.load_default(18))
        left += size[0] + GAP
    return whole


def sheet(pictures: Sequence[Image.Image], columns: int, width: int) -> Image.Image:
    """Pictures in rows, cut to one size, on a sheet so wide and as high as a row's pictures."""
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (width, HEIGHT), PAPER)
    side, height = width // columns, HEIGHT // rows
    for place, picture in enumerate(pictures):
        small = ImageOps.fit(picture, (side - 3, height - 3), Image.Resampling.LANCZOS)
        whole.paste(small, (place % columns * side, place // columns * height))
    return whole


def tinted(share: np.ndarray) -> Image.Image:
    """Shares ``[h, w]`` from blue at 0 to red at 1; paper where they are not finite."""
    place = np.linspace(0, 1, len(STOPS))
    channels = [np.interp(np.nan_to_num(share), place, STOPS[:, c]) for c in range(3)]
    pixels = np.where(np.isfinite(share)[..., None], np.stack(channels, axis=-1), GROUND)
    return Image.fromarray(pixels.astype(np.uint8))
