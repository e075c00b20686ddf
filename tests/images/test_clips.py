"""Moving pictures by suffix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neus.errors import InputError
from neus.images.clips import write_clip
from neus.images.files import PALETTES, depth_to_colour

GREYS = [np.full((6, 8, 3), 40 * i, np.uint8) for i in range(4)]


def test_a_gif_plays_for_ever_at_its_pace(tmp_path: Path):
    write_clip(tmp_path / "path.gif", iter(GREYS), fps=25)
    with Image.open(tmp_path / "path.gif") as gif:
        assert (gif.n_frames, gif.info["loop"], gif.info["duration"]) == (4, 0, 40)  # pyright: ignore
        for index, expected in enumerate(GREYS):
            gif.seek(index)
            np.testing.assert_array_equal(np.asarray(gif.convert("RGB")), expected)
    assert [file.name for file in tmp_path.iterdir()] == ["path.gif"]


def test_an_mp4_is_a_video(tmp_path: Path):
    write_clip(tmp_path / "path.mp4", GREYS)
    assert b"moov" in (tmp_path / "path.mp4").read_bytes()


def test_what_is_no_clip_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"\.mp4 or \.gif, not as '\.avi'"):
        write_clip(tmp_path / "path.avi", GREYS)
    with pytest.raises(InputError, match="one frame or more"):
        write_clip(tmp_path / "path.gif", [])
    with pytest.raises(InputError, match=r"\(3, 8\), but the first was \(6, 8\)"):
        write_clip(tmp_path / "path.gif", [GREYS[0], GREYS[1][:3]])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("palette", PALETTES)
def test_near_and_far_look_apart_in_every_palette(palette: str):
    depth = np.array([[1.0, 2.0, 3.0]])
    near, middle, far = depth_to_colour(depth, np.ones_like(depth), 1.0, 3.0, palette)[0].astype(
        int
    )
    assert len({tuple(near), tuple(middle), tuple(far)}) == 3
    if palette == "magma":
        assert near.sum() > middle.sum() > far.sum()
    else:
        assert near[0] > near[2]
        assert far[2] > far[0]
