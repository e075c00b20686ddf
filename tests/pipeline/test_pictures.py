"""How many pictures scans have, and how large: known before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.pipeline import pictures_of
from neus.pipeline.pictures import Pictures
from neus.sources import read_source
from tests.helpers.foreign_models import write_dtu
from tests.helpers.photo_folders import photos
from tests.pipeline.test_preflight import with_defaults


def test_photos_are_counted_as_large_as_they_will_be_used(tmp_path: Path):
    photos(tmp_path, 5, (48, 64))
    for keys, pixels in (
        ({}, 48 * 64),
        ({"downscale": 4}, 12 * 16),
        ({"downscale": 0.5}, 4 * 3072),
    ):
        scan = with_defaults(name="a", source="photos", path=str(tmp_path), **keys)
        assert pictures_of(scan) == Pictures(5, pixels, 48 * 64)
    scan = with_defaults(name="a", source="photos", path=str(tmp_path), image_size=[20, 10])
    assert pictures_of(scan) == Pictures(5, 200, 48 * 64)


def test_of_posed_scans_what_was_read_counts(tmp_path: Path):
    write_dtu(tmp_path)
    scan = with_defaults(name="a", source="dtu", path=str(tmp_path), downscale=2)
    assert pictures_of(scan) is None
    capture = read_source("dtu", tmp_path, masks="auto", model=None, report=lambda line: None)
    cameras = capture.scene.cameras
    pixels = int(cameras.widths[0]) * int(cameras.heights[0])
    assert pictures_of(scan, capture) == Pictures(len(cameras), pixels / 4, pixels)


def test_a_demo_says_what_it_will_make(tmp_path: Path):
    scan = with_defaults(name="a", source="demo", demo={"views": 8, "width": 64, "height": 48})
    assert pictures_of(scan) == Pictures(8, 64 * 48, 64 * 48)


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_what_the_run_makes_or_nobody_can_read_is_not_known(tmp_path: Path, content: bytes | None):
    folder = tmp_path / "photos"
    if content is not None:
        folder.mkdir()
        (folder / "a.png").write_bytes(content)
    assert pictures_of(with_defaults(name="a", source="photos", path=str(folder))) is None
