"""Pictures and videos out: uint8 RGB ``[height, width, 3]`` throughout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.files import written_whole

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

WHITE = 255
PALETTES = ("turbo", "jet", "magma")
"""Of depths."""


def write_image(path: Path, image: UInt8[np.ndarray, "h w *c"]) -> None:
    """Write RGB ``[h, w, 3]``, RGBA ``[h, w, 4]`` or grey ``[h, w]`` as PNG, whole or not at all.

    Raises:
        InputError: the name does not end in ``.png``.
    """
    import cv2

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: images are written as .png, not as '{path.suffix}'")
    if image.ndim == 3:
        channels = [2, 1, 0, 3][: image.shape[2]]
        image = image[:, :, channels]
    content = cv2.imencode(".png", image)[1].tobytes()
    with written_whole(path) as partial:
        partial.write_bytes(content)


def to_uint8(rgb: Float[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n"]:
    """Values in [0, 1] to bytes, clipped and rounded to the nearest."""
    return np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)


def resize_image(
    image: UInt8[np.ndarray, "h w *c"], width: int, height: int
) -> UInt8[np.ndarray, "height width *c"]:
    """Shrink to exactly ``width`` x ``height``; each pixel is the mean of the area it covers.

    Raises:
        InputError: either side would grow.
    """
    import cv2

    if width > image.shape[1] or height > image.shape[0] or min(width, height) < 1:
        raise InputError(
            f"an image of {image.shape[1]}x{image.shape[0]} cannot be shrunk to {width}x{height}: "
            "ask for a positive size that is no larger"
        )
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def resize_coverage(
    mask: Bool[np.ndarray, "h w"] | UInt8[np.ndarray, "h w"], width: int, height: int
) -> UInt8[np.ndarray, "height width"]:
    """The part of each smaller pixel that the mask covers, 0 to 255."""
    grey = np.where(mask, np.uint8(255), np.uint8(0)) if mask.dtype == bool else mask
    return resize_image(grey, width, height)


def depth_to_colour(
    depth: Float[np.ndarray, "h w"],
    opacity: Float[np.ndarray, "h w"],
    near: float,
    far: float,
    palette: str = "turbo",
) -> UInt8[np.ndarray, "h w 3"]:
    """Depth as a colour of :data:`PALETTES`, white where opacity is 0.

    From red at ``near`` to blue at ``far`` (turbo, jet), or from bright to dark (magma). Hold both
    fixed over a video, or its colours flicker.
    """
    import cv2

    nearness = (far - np.nan_to_num(depth, nan=far)) / (far - near)
    code = getattr(cv2, f"COLORMAP_{palette.upper()}")
    colour = cv2.applyColorMap(to_uint8(nearness), code)[:, :, ::-1]
    return _over_white(colour / 255, opacity)


def normals_to_colour(
    normals: Float[np.ndarray, "h w 3"],
    opacity: Float[np.ndarray, "h w"],
    camera_to_world: Float[np.ndarray, "3 4"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Normals as the camera sees them, ``(n + 1) / 2`` with x right, y up, z towards the viewer.

    Args:
        normals: unit vectors in the scene frame; those rendered with weights are brought to unit
            length first.
        opacity: 0 shows white.
        camera_to_world: the view's pose (OpenCV axes).
    """
    in_camera = normals @ camera_to_world[:, :3]
    length = np.linalg.norm(in_camera, axis=2, keepdims=True)
    in_camera = in_camera / np.maximum(length, 1e-6)
    return _over_white((in_camera * [1, -1, -1] + 1) / 2, opacity)


def _over_white(
    rgb: Float[np.ndarray, "h w 3"], opacity: Float[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    weight = np.clip(opacity, 0, 1)[:, :, None]
    return to_uint8(weight * rgb + 1 - weight)


def panel(
    rows: Sequence[Sequence[UInt8[np.ndarray, "h w 3"]]],
    captions: Sequence[str] = (),
    *,
    gap: int = 4,
) -> UInt8[np.ndarray, "H W 3"]:
    """Join images into rows on white, each row aligned at its top left.

    Args:
        rows: images of any sizes.
        captions: ASCII texts above the images of the first row, one for each, or none at all.
        gap: pixels between images.
    """
    strips = [_joined(row, gap, axis=1) for row in rows]
    if captions:
        titles = [_title(text, len(i[0])) for text, i in zip(captions, rows[0], strict=True)]
        strips.insert(0, _joined(titles, gap, axis=1))
    return _joined(strips, gap, axis=0)


def _joined(
    images: Sequence[UInt8[np.ndarray, "h w 3"]], gap: int, *, axis: int
) -> UInt8[np.ndarray, "H W 3"]:
    """Images side by side along an axis, white where one is shorter than the others."""
    sizes = np.array([image.shape[:2] for image in images])
    starts = np.concatenate([[0], np.cumsum(sizes[:, axis] + gap)])
    shape = sizes.max(axis=0)
    shape[axis] = starts[-1] - gap
    joined = np.full((*shape, 3), WHITE, np.uint8)
    for image, start in zip(images, starts[:-1], strict=True):
        corner = [0, 0]
        corner[axis] = start
        top, left = corner
        joined[top : top + image.shape[0], left : left + image.shape[1]] = image
    return joined


def _title(text: str, width: int) -> UInt8[np.ndarray, "h w 3"]:
    """A line of dark text, shrunk if it is wider than the image below it."""
    import cv2

    font, height = cv2.FONT_HERSHEY_SIMPLEX, 24
    full_width = cv2.getTextSize(text, font, 1.0, 1)[0][0]
    scale = min(0.55, (width - 4) / max(full_width, 1))
    title = np.full((height, width, 3), WHITE, np.uint8)
    return cv2.putText(title, text, (2, height - 8), font, scale, (40, 40, 40), 1, cv2.LINE_AA)


def write_video(
    path: Path, frames: Iterable[UInt8[np.ndarray, "h w 3"]], *, fps: int = 30, crf: int = 18
) -> None:
    """Write an MP4 that browsers play (H.264, yuv420p, index first), whole or not at all.

    Frames are encoded as they arrive, so an iterator keeps one of them in memory. An odd width or
    height grows by one pixel, a copy of the last. Colours are BT.709, limited range, and say so.

    Args:
        path: ends in ``.mp4``.
        frames: all of one size.
        fps: frames per second.
        crf: constant rate factor of x264, 0 for lossless; 18 looks like the original.

    Raises:
        InputError: the name does not end in ``.mp4``, there is no frame, or their sizes differ.
    """
    if Path(path).suffix.lower() != ".mp4":
        raise InputError(f"{path}: videos are written as .mp4, not as '{Path(path).suffix}'")
    with written_whole(path) as partial:
        _encode(path, partial, frames, fps, crf)


def _encode(path: Path, partial: Path, frames: Iterable[np.ndarray], fps: int, crf: int) -> None:
    import av
    from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

    with av.open(str(partial), "w", options={"movflags": "+faststart"}) as container:
        stream, size, reformatter = None, (0, 0), VideoReformatter()
        for image in frames:
            if stream is None:
                size = image.shape[:2]
                stream = container.add_stream("libx264", rate=fps, options={"crf": str(crf)})
                stream.pix_fmt = "yuv420p"
                stream.height, stream.width = (side + side % 2 for side in size)
                context = stream.codec_context
                context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
                context.color_range = 1  # limited
            if image.shape[:2] != size:
                raise InputError(f"{path}: a frame is {image.shape[:2]}, but the first was {size}")
            even = np.pad(image, [(0, size[0] % 2), (0, size[1] % 2), (0, 0)], mode="edge")
            frame = reformatter.reformat(
                av.VideoFrame.from_ndarray(even, format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            container.mux(stream.encode(frame))
        if stream is None:
            raise InputError(f"{path}: a video needs one frame or more")
        container.mux(stream.encode(None))
