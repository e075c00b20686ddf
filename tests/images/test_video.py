"""Frames of a video: the sharp ones, upright, as PNG files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.errors import InputError
from neus.images.files import write_video
from neus.images.stored import read_image
from neus.images.video import extract_frames, is_video, sharpest


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(1, 80))
def test_one_frame_of_each_stretch_is_chosen(values, count):
    chosen = sharpest(np.array(values), count)
    assert len(chosen) == min(count, len(values))
    assert sorted(set(chosen)) == chosen
    assert np.argmax(values) in chosen or max(values) == max(values[i] for i in chosen)


@pytest.fixture
def video(tmp_path) -> Path:
    """30 frames of one texture, blurred but for frames 3, 14 and 25."""
    texture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    texture = cv2.resize(texture, (160, 120), interpolation=cv2.INTER_NEAREST)
    blurred = cv2.GaussianBlur(texture, (0, 0), 4)
    frames = [texture if i in (3, 14, 25) else blurred for i in range(30)]
    write_video(tmp_path / "walk.mp4", frames, fps=30, crf=10)
    return tmp_path / "walk.mp4"


def test_sharp_frames_are_found_and_written_once(video, tmp_path):
    lines: list[str] = []
    folder = tmp_path / "frames"
    assert extract_frames(video, folder, count=3, report=lines.append) == [3, 14, 25]
    assert [path.name for path in sorted(folder.iterdir())] == [
        "frame_000003.png",
        "frame_000014.png",
        "frame_000025.png",
    ]
    assert read_image(folder / "frame_000003.png").shape == (120, 160, 3)
    assert lines == ["3 of 30 frames of walk.mp4, the sharpest ones"]
    assert len(extract_frames(video, folder, count=5, report=lines.append)) == 5
    assert len(list(folder.iterdir())) == 5
    assert is_video(video)
    assert not is_video(folder)


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(InputError, match="what cannot be read"):
        extract_frames(tmp_path / "a.mp4", tmp_path / "frames", count=3, report=print)
    write_video(tmp_path / "b.mp4", [np.zeros((16, 16, 3), np.uint8)] * 2)
    with pytest.raises(InputError, match="found 2 frames, expected three or more"):
        extract_frames(tmp_path / "b.mp4", tmp_path / "frames", count=3, report=print)
    assert not (tmp_path / "frames").exists()
