"""The sharpest frames of a video, as photos."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import refusal
from neus.files import folder_written_whole
from neus.images.files import write_image
from neus.images.film import film_frames

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

VIDEOS = frozenset(
    {".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg"}
    | {".3gp", ".wmv", ".mxf"}
)
"""Suffixes of files that count as videos."""
MIN_FRAMES = 3
SHARPNESS_WIDTH = 640
"""Sharpness is judged at this width: finer detail is noise of the sensor."""


def is_video(path: Path) -> bool:
    """Whether a path is a file with the suffix of a video."""
    return path.suffix.lower() in VIDEOS and path.is_file()


def check_video(video: Path) -> None:
    """Decode the first frames, so that a file that is no video is refused before anything runs.

    Raises:
        InputError: see `extract_frames`.
    """
    count = sum(1 for _ in islice(film_frames(video, SHARPNESS_WIDTH), MIN_FRAMES))
    _check_count(video, count)


def extract_frames(
    video: Path, folder: Path, *, count: int, report: Callable[[str], None]
) -> list[int]:
    """Cut a video into ``count`` stretches of equal time and write the sharpest frame of each.

    Frames become ``folder/frame_000123.png``, numbered as in the video; see
    :mod:`neus.images.film` for what is done to them. The folder is written whole or not at all.

    Returns:
        The numbers of the frames.

    Raises:
        InputError: the file is no video, or has fewer than three frames.
    """
    seen = [(f.seconds, _sharpness(f.image)) for f in film_frames(video, SHARPNESS_WIDTH)]
    _check_count(video, len(seen))
    times, sharpness = np.array(seen).T
    chosen = sharpest(sharpness, count, times)
    wanted = set(chosen)
    report(f"{len(chosen)} of {len(seen)} frames of {video.name}, the sharpest ones")
    earlier = {path.name for path in folder.glob("frame_*.png")}
    with folder_written_whole(folder, earlier) as whole:
        for frame in film_frames(video):
            if frame.number in wanted:
                write_image(whole / f"frame_{frame.number:06d}.png", frame.image)
    return chosen


def sharpest(
    sharpness: Float[np.ndarray, "n"], count: int, times: Float[np.ndarray, "n"] | None = None
) -> list[int]:
    """The index of the largest value in each of ``count`` stretches of equal length.

    Args:
        times: of the values, where they are not evenly spaced; a stretch without any gives none.
    """
    count = min(count, len(sharpness))
    if times is None or not _are_uneven(times):
        edges = np.linspace(0, len(sharpness), count + 1).round().astype(int)
    else:
        span = float(times[-1] - times[0])
        limits = times[0] + span * np.arange(1, count) / count
        edges = np.concatenate([[0], np.searchsorted(times, limits), [len(times)]])
    return [
        int(start + sharpness[start:end].argmax()) for start, end in pairwise(edges) if end > start
    ]


def _are_uneven(times: Float[np.ndarray, "n"]) -> bool:
    """Whether frames are spaced by steps that differ, and all run forwards."""
    steps = np.diff(times)
    return bool(np.isfinite(times).all() and (steps > 0).all() and steps.max() > 1.5 * steps.min())


def _check_count(video: Path, count: int) -> None:
    if count < MIN_FRAMES:
        raise refusal(video, f"{count} frames", "three or more", "take a longer video")


def _sharpness(image: UInt8[np.ndarray, "h w 3"]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000)."""
    import cv2

    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())
