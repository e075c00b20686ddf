"""The frames of a video as a person sees them: upright, whole, in the colours of a plain screen.

Phones and camcorders store video turned, in pixels that are not square, in half frames (interlaced)
and in high dynamic range (HLG, PQ). All of that is undone here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import refusal

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

PQ, HLG = 16, 18
"""Transfer characteristics (ITU-T H.273) of high dynamic range."""
SDR_WHITE, HLG_PEAK = 203.0, 1000.0
"""Luminance of white in nits, by ITU-R BT.2408, and of the display that HLG is shown on."""
KNEE = 0.75
"""Of white: up to here tones are kept; what is brighter is pressed between it and white."""
KR, KB = 0.2627, 0.0593
"""Of luma, in ITU-R BT.2020."""
TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
"""Linear colours of BT.2020 to those of BT.709, by ITU-R BT.2087."""


@dataclass(frozen=True)
class FilmFrame:
    """Attributes:
    number: of the frame, from 0.
    seconds: when it is shown; frames need not be evenly spaced.
    image: RGB, upright, with square pixels.
    """

    number: int
    seconds: float
    image: UInt8[np.ndarray, "h w 3"]


def film_frames(video: Path, width: int | None = None) -> Iterator[FilmFrame]:
    """The frames of the largest picture in a file; a file that is cut off ends where it does.

    Args:
        width: pictures that are wider as stored are made smaller, which is faster than decoding
            their colours first.

    Raises:
        InputError: nothing in the file can be read as a video.
    """
    import av
    from av.error import FFmpegError

    number = -1
    try:
        with av.open(str(video.absolute())) as container:
            streams = [stream for stream in container.streams.video if not _is_cover(stream)]
            if not streams:
                raise refusal(video, "no picture", "a video", "name another file")
            stream = max(streams, key=lambda s: s.codec_context.width or 0)
            stream.thread_type = "AUTO"
            aspect = float(stream.sample_aspect_ratio or 1) or 1.0
            for number, frame in enumerate(_whole_frames(container.decode(stream))):
                seconds = frame.time if frame.time is not None else float(number)
                yield FilmFrame(number, seconds, _picture(frame, width, aspect))
    except (FFmpegError, IndexError, EOFError) as error:
        if number < 0:
            reason = getattr(error, "strerror", None) or str(error)
            raise refusal(
                video, f"what cannot be read ({reason})", "a video", "convert it to .mp4"
            ) from error


def _is_cover(stream: Any) -> bool:
    """Whether a stream is a picture attached to a file, which is no film."""
    disposition = getattr(stream, "disposition", None)
    return disposition is not None and "attached_pic" in str(disposition)


def _whole_frames(frames: Iterator[Any]) -> Iterator[Any]:
    """Frames, those that hold two half frames of different times interpolated to one."""
    first = next(frames, None)
    if first is None:
        return
    rotation = first.rotation
    if not first.interlaced_frame:
        for frame in _chain(first, frames):
            yield _Turned(frame, rotation)
        return
    graph, times = _deinterlacer(first), []
    for frame in _chain(first, frames):
        times.append(frame.time)
        graph.push(frame)
        for whole in _pulled(graph):
            yield _Turned(whole, rotation, times.pop(0) if times else None)
    graph.push(None)
    for whole in _pulled(graph):
        yield _Turned(whole, rotation, times.pop(0) if times else None)


class _Turned:
    """A frame with the rotation and time that filters lose."""

    def __init__(self, frame: Any, rotation: int, time: float | None = None) -> None:
        self.frame, self.rotation = frame, rotation
        self.time = frame.time if time is None else time


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _deinterlacer(first: Any) -> Any:
    import av.filter

    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=first.width, height=first.height, format=first.format, time_base=first.time_base
    )
    filtered = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(filtered)
    filtered.link_to(sink)
    graph.configure()
    return graph


def _pulled(graph: Any) -> Iterator[Any]:
    from av.error import BlockingIOError, EOFError

    while True:
        try:
            yield graph.pull()
        except (BlockingIOError, EOFError):
            return


def _picture(turned: _Turned, width: int | None, aspect: float) -> UInt8[np.ndarray, "h w 3"]:
    frame = turned.frame
    stored = frame.width, frame.height
    if width is not None and stored[0] > width:
        stored = width, max(round(stored[1] * width / stored[0]), 1)
    size = max(round(stored[0] * aspect), 1), stored[1]
    if int(frame.color_trc) in (PQ, HLG):
        yuv = frame.reformat(*size, "yuv444p16le")
        image = tone_mapped(_rgb_2020(yuv), int(frame.color_trc))
    else:
        image = frame.reformat(*size, "rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(image, round(turned.rotation / 90)))


def _rgb_2020(frame: Any) -> Float[np.ndarray, "h w 3"]:
    """Non-linear RGB of BT.2020 in [0, 1], from luma and colour differences in 16 bits."""
    planes = [
        np.frombuffer(plane, np.uint16).reshape(frame.height, -1)[:, : frame.width]
        for plane in frame.planes
    ]
    y, cb, cr = (plane.astype(np.float32) / 64 for plane in planes)  # as in 10 bits
    if int(frame.color_range) == 2:
        y, cb, cr = y / 1023, (cb - 512) / 1023, (cr - 512) / 1023
    else:
        y, cb, cr = (y - 64) / 876, (cb - 512) / 896, (cr - 512) / 896
    red, blue = y + 2 * (1 - KR) * cr, y + 2 * (1 - KB) * cb
    green = (y - KR * red - KB * blue) / (1 - KR - KB)
    return np.clip(np.stack([red, green, blue], axis=2), 0, 1)


def tone_mapped(signal: Float[np.ndarray, "h w 3"], transfer: int) -> UInt8[np.ndarray, "h w 3"]:
    """High dynamic range to the colours of a plain screen (sRGB).

    Light by SMPTE ST 2084 (PQ) or ITU-R BT.2100 (HLG with its system gamma), relative to the white
    of BT.2408, to BT.709's colours; then the brightest channel is pressed below white, which keeps
    hues.

    Args:
        signal: non-linear RGB of BT.2020 in [0, 1].
        transfer: :data:`PQ` or :data:`HLG`.
    """
    light = (_light_of_pq(signal) if transfer == PQ else _light_of_hlg(signal)) / SDR_WHITE
    rgb = np.maximum(light @ TO_709.T.astype(np.float32), 0)
    brightest = np.maximum(rgb.max(axis=2, keepdims=True), 1e-6)
    pressed = KNEE + (1 - KNEE) * (1 - np.exp((KNEE - brightest) / (1 - KNEE)))
    rgb *= np.where(brightest > KNEE, pressed, brightest) / brightest
    encoded = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return np.rint(255 * np.clip(encoded, 0, 1)).astype(np.uint8)


def _light_of_pq(signal: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Nits."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = signal ** (1 / m2)
    return 10000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _light_of_hlg(signal: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Nits on a display of :data:`HLG_PEAK`."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([KR, 1 - KR - KB, KB], np.float32)
    return HLG_PEAK * np.maximum(luminance, 1e-9)[:, :, None] ** 0.2 * scene
