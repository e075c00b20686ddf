"""The sharpest frames of a video, as photos."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.files import folder_written_whole
from neus.images.files import write_image

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm"})
SHARPNESS_WIDTH = 640
"""Sharpness is judged at this width: finer detail is noise of the sensor."""


def is_video(path: Path) -> bool:
    """Whether a path is a file with the suffix of a video."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def extract_frames(
    video: Path, folder: Path, *, count: int, report: Callable[[str], None]
) -> list[int]:
    """Cut a video into ``count`` stretches and write the sharpest frame of each.

    Frames become ``folder/frame_000123.png``, numbered as in the video and turned upright; the
    folder is written whole or not at all.

    Returns:
        The numbers of the frames.

    Raises:
        InputError: the file is no video, or has fewer than three frames.
    """
    sharpness = np.array([_sharpness(image) for _, image in _frames(video, SHARPNESS_WIDTH)])
    if len(sharpness) < 3:
        raise InputError(f"{video} has {len(sharpness)} frames: a longer video is needed")
    chosen = sharpest(sharpness, count)
    wanted = set(chosen)
    report(f"{len(chosen)} of {len(sharpness)} frames of {video.name}, the sharpest ones")
    earlier = {path.name for path in folder.glob("frame_*.png")}
    with folder_written_whole(folder, earlier) as whole:
        for number, image in _frames(video, None):
            if number in wanted:
                write_image(whole / f"frame_{number:06d}.png", image)
    return chosen


def sharpest(sharpness: Float[np.ndarray, "n"], count: int) -> list[int]:
    """The index of the largest value in each of ``count`` stretches of equal length."""
    edges = np.linspace(0, len(sharpness), min(count, len(sharpness)) + 1).round().astype(int)
    return [int(start + sharpness[start:end].argmax()) for start, end in pairwise(edges)]


def _frames(video: Path, width: int | None) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
    """Number and RGB pixels of each frame, upright; made smaller if a width is given."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(video)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if width is not None and frame.width > width:
                    height = round(frame.height * width / frame.width)
                    frame = frame.reformat(width, height, "rgb24")
                image = frame.to_ndarray(format="rgb24")
                yield number, np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
    except (FFmpegError, IndexError) as error:
        raise InputError(f"{video} cannot be read as a video: convert it to .mp4") from error


def _sharpness(image: UInt8[np.ndarray, "h w 3"]) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000)."""
    import cv2

    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())
