"""Masks that are black or white all over: what a segmentation leaves that found nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from neus.errors import listed, refusal
from neus.files import Facts
from neus.images import read_alpha, read_mask
from neus.sources.capture import Capture

OBJECT = 127
"""A pixel above this counts as object."""
Report = Callable[[str], None]


def without_blank_masks(
    capture: Capture, *, threads: int, report: Report, facts: Facts | None = None
) -> Capture:
    """The capture without masks that are black all over; those that are white are named.

    A black mask would teach that its image shows nothing of the object.

    Raises:
        InputError: all masks are black, or one cannot be read.
    """
    frames = capture.scene.frames
    black = blank_masks(
        [frame.image for frame in frames],
        [frame.mask for frame in frames],
        threads=threads,
        report=report,
        facts=facts,
    )
    if not black:
        return capture
    kept = tuple(
        replace(frame, mask=None) if i in black else frame for i, frame in enumerate(frames)
    )
    return replace(capture, scene=replace(capture.scene, frames=kept))


def blank_masks(
    images: Sequence[Path],
    masks: Sequence[Path | None],
    *,
    threads: int,
    report: Report,
    facts: Facts | None = None,
) -> set[int]:
    """Which masks are black all over; says so, and which are white.

    Raises:
        InputError: see `without_blank_masks`.
    """
    known = facts or Facts(None)
    pairs = [(i, mask) for i, mask in enumerate(masks) if mask is not None]

    def fact(pair: tuple[int, Path]) -> str:
        index, mask = pair
        return "alpha" if mask == images[index] else "mask"

    def extremes(pair: tuple[int, Path]) -> list[int] | None:
        name = fact(pair)
        return known.of(pair[1], name, _own if name == "alpha" else _painted)

    if all(known.knows(pair[1], fact(pair)) for pair in pairs):
        found = list(map(extremes, pairs))  # threads would take longer than this
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(extremes, pairs))
    spans = [(i, span) for (i, _), span in zip(pairs, found, strict=True) if span is not None]
    black = [i for i, (_, highest) in spans if highest <= OBJECT]
    white = [i for i, (lowest, _) in spans if lowest > OBJECT]
    names = {i: mask.name for i, mask in pairs}
    if black and len(black) == len(pairs):
        raise refusal(
            masks[black[0]],
            f"all {len(black)} masks black all over",
            "white where the object is",
            "paint the object white, or set masks to false",
        )
    if black:
        report(
            f"{len(black)} of {len(pairs)} masks are black all over, as if there were no object, "
            f"and are not used ({listed([names[i] for i in black])}): paint the object white"
        )
    if white:
        report(
            f"{len(white)} of {len(pairs)} masks are white all over, as if the object filled the "
            f"image ({listed([names[i] for i in white])}): look at them, or set masks to false"
        )
    return set(black)


def _painted(path: Path) -> list[int]:
    mask = read_mask(path)
    return [int(mask.min()), int(mask.max())]


def _own(path: Path) -> list[int] | None:
    """Of an alpha channel; None for an image that has none, whose silhouette is not looked for."""
    alpha = read_alpha(path)
    return None if alpha is None else [int(alpha.min()), int(alpha.max())]
