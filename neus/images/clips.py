"""Moving pictures to files: MP4 for everything, GIF for where a video cannot go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.files import written_whole
from neus.images.files import write_video

if TYPE_CHECKING:
    from jaxtyping import UInt8


def write_clip(path: Path, frames: Iterable[UInt8[np.ndarray, "h w 3"]], *, fps: int = 30) -> None:
    """Write frames of one size to a ``.mp4`` or ``.gif`` file, whole or not at all.

    Raises:
        InputError: the suffix is another, there is no frame, or their sizes differ.
    """
    writers = {".mp4": write_video, ".gif": write_gif}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise InputError(f"{path}: flights are written as .mp4 or .gif, not as '{suffix}'")
    writers[suffix](path, frames, fps=fps)


def write_gif(path: Path, frames: Iterable[UInt8[np.ndarray, "h w 3"]], *, fps: int = 30) -> None:
    """Write an endless GIF, whole or not at all; every frame has 256 colours of its own.

    A GIF counts time in hundredths of a second, and viewers slow down what is faster than 50
    frames a second.
    """
    from PIL import Image

    pictures = (Image.fromarray(frame) for frame in _of_one_size(path, frames))
    first = next(pictures, None)
    if first is None:
        raise InputError(f"{path}: a GIF needs one frame or more")
    hundredths = max(2, round(100 / fps))
    with written_whole(path) as partial, partial.open("wb") as stream:
        first.save(
            stream,
            format="GIF",
            save_all=True,
            append_images=pictures,
            duration=10 * hundredths,
            loop=0,
        )


def _of_one_size(path: Path, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    size = None
    for frame in frames:
        size = frame.shape if size is None else size
        if frame.shape != size:
            raise InputError(f"{path}: a frame is {frame.shape[:2]}, but the first was {size[:2]}")
        yield frame
