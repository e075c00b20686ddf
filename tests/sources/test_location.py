"""Tags of photos: where they were taken, and tags that make no sense."""

from __future__ import annotations

import pytest
from PIL import Image

from neus.errors import InputError
from neus.sources.intrinsics import read_intrinsics
from neus.sources.location import GPS, read_location


def tagged(path, gps: dict | None = None):
    tags = Image.Exif()
    if gps is not None:
        tags.get_ifd(GPS).update(gps)
    Image.new("RGB", (6, 4)).save(path, exif=tags)
    return path


def test_places(tmp_path):
    sydney = {1: "S", 2: (33, 51, 36), 3: "E", 4: (151, 12, 36), 5: b"\1", 6: 12.5}
    location = read_location(tagged(tmp_path / "a.jpg", gps=sydney))
    assert location == pytest.approx((-33.86, 151.21, -12.5))
    without_altitude = {k: v for k, v in sydney.items() if k < 5}
    location = read_location(tagged(tmp_path / "b.jpg", gps=without_altitude))
    assert location == pytest.approx((-33.86, 151.21, 0))
    assert read_location(tagged(tmp_path / "c.jpg", gps={2: (1, 2, 3)})) is None


def test_files_without_tags(tmp_path):
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpg")
    assert read_location(tmp_path / "a.jpg") is None
    (tmp_path / "b.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot be read"):
        read_location(tmp_path / "b.jpg")


def test_known_intrinsics(tmp_path):
    file = tmp_path / "K.txt"
    file.write_text("2759.48 0 1520.69\n0 2764.16 1006.81\n0 0 1\n")
    assert read_intrinsics(file)[1].tolist() == [0, 2764.16, 1006.81]
    for text in ("1 2 3", "a b c d e f g h i"):
        file.write_text(text)
        with pytest.raises(InputError, match="nine numbers"):
            read_intrinsics(file)
    file.write_text("100 5 50 0 100 40 0 0 1")
    with pytest.raises(InputError, match="is no K"):
        read_intrinsics(file)
    with pytest.raises(InputError, match="does not exist"):
        read_intrinsics(tmp_path / "nowhere")
