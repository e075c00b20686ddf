"""Videos of phones and camcorders: turned, uneven in time, interlaced, in high dynamic range."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from neus.errors import InputError
from neus.images import check_video, is_video, read_image
from neus.images.film import HLG, PQ, film_frames, tone_mapped
from neus.images.video import extract_frames, sharpest

SIZE = (96, 64)


def picture(step: int) -> np.ndarray:
    """A smooth picture that moves to the right, brighter at its top left."""
    y, x = np.indices(SIZE[::-1])
    wave = 90 + 50 * np.sin((x - 2 * step) / 6) + 40 * np.cos(y / 9)
    image = np.stack([wave, wave * 0.9, wave * 0.7], axis=2)
    image[:16, :24] = 250
    return np.clip(image, 0, 255).astype(np.uint8)


def write(
    path: Path,
    frames: list[np.ndarray],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: list[int] | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    tags: dict[str, int] | None = None,
    aspect: Fraction | None = None,
    as_frame=lambda image: av.VideoFrame.from_ndarray(image, format="rgb24"),
) -> Path:
    with av.open(str(path), "w", options=container or {}) as output:
        stream: Any = output.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = frames[0].shape[1], frames[0].shape[0]
        stream.pix_fmt = pix_fmt
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for key, value in (tags or {}).items():
            setattr(stream.codec_context, key, value)
        for i, image in enumerate(frames):
            frame = as_frame(image)
            frame.pts = 40 * i if times is None else times[i]
            frame.time_base = Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


MOVING = [picture(i) for i in range(12)]


def difference(image: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(image.astype(int) - expected).mean())


@pytest.mark.parametrize(
    "name", ["00001.MTS", "clip.m2ts", "a.mkv", "b.mov", "c.avi", "d.webm.mp4"]
)
def test_containers_of_camcorders_and_phones(tmp_path, name):
    video = write(tmp_path / "raw.mp4", MOVING)
    suffix = Path(name).suffix.lower()
    video = write(tmp_path / f"x{suffix}", MOVING, codec="mpeg4" if suffix == ".avi" else "libx264")
    video = video.rename(tmp_path / name)
    assert is_video(video)
    check_video(video)
    frames = list(film_frames(video))
    assert len(frames) == 12
    assert difference(frames[7].image, MOVING[7]) < 6
    chosen = extract_frames(video, tmp_path / "frames", count=4, report=lambda line: None)
    assert len(chosen) == 4


@pytest.mark.parametrize("name", ["- a (1) #%d.mp4", "C: clip.mp4", "ü 日.mp4"])
def test_names_of_any_kind(tmp_path, name):
    check_video(write(tmp_path / "a.mp4", MOVING).rename(tmp_path / name))


def test_a_phone_held_upright(tmp_path):
    """The stored frames lie; a matrix in the file says by how much they are to be turned."""
    video = write(tmp_path / "a.mov", MOVING)
    content = video.read_bytes()
    place = content.index(b"tkhd")
    identity = b"".join(n.to_bytes(4, "big") for n in (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
    at = content.index(identity, place)
    turned = (0, 1 << 16, 0, (1 << 32) - (1 << 16), 0, 0, SIZE[1] << 16, 0, 1 << 30)
    matrix = b"".join(n.to_bytes(4, "big") for n in turned)
    video.write_bytes(content[:at] + matrix + content[at + 36 :])
    image = next(film_frames(video)).image
    assert image.shape == (SIZE[0], SIZE[1], 3)
    assert difference(image, np.rot90(MOVING[0], -1)) < 6
    assert image[4, -4].min() > 200, "the bright corner is at the top right"


def test_frames_that_are_unevenly_spaced_are_chosen_by_time(tmp_path):
    """A phone drops frames in the dark: here the first half has four times as many."""
    times = [*range(0, 800, 100), 850, 1250, 1600]
    video = write(tmp_path / "a.mkv", MOVING[: len(times)], times=times)
    assert [round(1000 * frame.seconds) for frame in film_frames(video)] == times
    chosen = extract_frames(video, tmp_path / "f", count=4, report=lambda line: None)
    stretches = [min(times[i] // 400, 3) for i in chosen]
    assert stretches == [0, 1, 2, 3]


def test_stretches_without_a_frame_give_none():
    times = np.array([0.0, 0.1, 0.2, 5.0])
    assert sharpest(np.array([1.0, 3, 2, 1]), 4, times) == [1, 3]
    assert sharpest(np.array([1.0, 3, 2, 1]), 2, np.array([0.0, 1, 2, 3])) == [1, 2]
    assert sharpest(np.array([1.0, 3, 2, 1]), 2, np.array([0.0, 0, 0, 0])) == [1, 2]


def test_half_frames_of_two_times_become_whole_ones(tmp_path):
    """Each stored frame holds the odd lines of one picture and the even ones of the next."""
    woven = []
    for i in range(0, 12):
        frame = picture(4 * i).copy()
        frame[1::2] = picture(4 * i + 2)[1::2]
        woven.append(frame)
    video = write(
        tmp_path / "a.mts", woven,
        options={"x264-params": "interlaced=1:tff=1", "crf": "8", "flags": "+ildct+ilme"},
    )  # fmt: skip
    frames = list(film_frames(video))
    assert len(frames) == 12
    middle = slice(2, -2)

    def comb(image: np.ndarray) -> float:
        grey = image.astype(float).mean(axis=2)
        return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())

    assert comb(woven[6]) > 4
    assert np.mean([comb(frame.image) for frame in frames[middle]]) < 0.4 * comb(woven[6])
    assert min(difference(frames[6].image, picture(step)) for step in (24, 26)) < 4


def test_ten_bits_of_plain_range_and_pixels_that_are_not_square(tmp_path):
    video = write(tmp_path / "a.mp4", MOVING, pix_fmt="yuv420p10le")
    assert difference(next(film_frames(video)).image, MOVING[0]) < 6
    video = write(tmp_path / "b.mp4", MOVING, aspect=Fraction(4, 3))
    image = next(film_frames(video)).image
    assert image.shape == (SIZE[1], SIZE[0] * 4 // 3, 3)
    assert difference(image, cv2.resize(MOVING[0], (image.shape[1], image.shape[0]))) < 6


def hlg_of(light: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100's OETF of scene light in [0, 1]."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(
        light <= 1 / 12, np.sqrt(3 * light), a * np.log(np.maximum(12 * light - b, 1e-9)) + c
    )


def pq_of(nits: np.ndarray) -> np.ndarray:
    y = (nits / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_tones_of_high_dynamic_range(transfer):
    """White of 203 nits ends just below white, mid grey stays, colours keep their order."""
    nits = np.array([0.0, 1, 5, 40, 100, 150, 203, 400, 1000])
    signal = pq_of(nits) if transfer == PQ else hlg_of((nits / 1000) ** (1 / 1.2))
    grey = tone_mapped(np.repeat(signal[None, :, None], 3, axis=2), transfer)[0]
    assert (np.ptp(grey.astype(int), axis=1) <= 1).all(), "grey stays grey"
    values = grey[:, 1].astype(int)
    assert (np.diff(values) >= 0).all()
    assert values[0] == 0
    linear = nits[3:6] / 203
    srgb = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(values[3:6], srgb, atol=2)
    assert 230 < values[6] < 250
    assert values[-1] >= 253


@pytest.mark.parametrize(("transfer", "encode"), [(HLG, hlg_of), (PQ, pq_of)])
def test_a_video_of_high_dynamic_range_is_as_bright_as_the_plain_one(tmp_path, transfer, encode):
    """A ramp of known light, stored in ten bits of BT.2020."""
    nits = np.tile(np.linspace(2, 150, SIZE[0]), (SIZE[1], 1))
    signal = encode((nits / 1000) ** (1 / 1.2)) if transfer == HLG else encode(nits)
    luma = np.rint(64 + 876 * signal).astype(np.uint16)

    def as_frame(image: np.ndarray) -> av.VideoFrame:
        frame = av.VideoFrame(*SIZE, "yuv420p10le")
        neutral = np.full((SIZE[1] // 2, SIZE[0] // 2), 512, np.uint16)
        for plane, content in zip(frame.planes, (luma, neutral, neutral), strict=True):
            rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
            rows[:, : content.shape[1]] = content
            plane.update(rows.tobytes())
        return frame

    tags = {"color_trc": transfer, "color_primaries": 9, "colorspace": 9, "color_range": 1}
    video = write(
        tmp_path / "a.mov", MOVING[:4], codec="libx265", pix_fmt="yuv420p10le", tags=tags,
        options={"x265-params": "log-level=none:crf=4"}, as_frame=as_frame,
    )  # fmt: skip
    image = next(film_frames(video)).image
    linear = nits / 203
    expected = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(image.astype(float) - expected[:, :, None]).mean() < 3


def test_a_file_that_is_cut_off_gives_what_is_there(tmp_path):
    video = write(tmp_path / "a.mts", MOVING, options={"g": "1"})
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.6)])
    assert 3 <= len(list(film_frames(video))) < 12
    extract_frames(video, tmp_path / "frames", count=3, report=lambda line: None)
    assert all(read_image(p).shape == (64, 96, 3) for p in (tmp_path / "frames").iterdir())


def test_what_is_no_film_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"a\.mp4: found what cannot be read .* a video"):
        check_video(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="found 2 frames, expected three or more"):
        check_video(write(tmp_path / "b.mp4", MOVING[:2]))
    with av.open(str(tmp_path / "c.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with pytest.raises(InputError, match="found no picture, expected a video"):
        check_video(tmp_path / "c.mp4")
