"""Photos that are stored turned or mirrored: all eight ways, in all kinds of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from neus.images import (
    AS_SEEN,
    ORIENTATION,
    Orientation,
    Rectification,
    colmap_reads,
    exif_tags,
    orientation,
    read_alpha,
    read_image,
    read_mask,
)
from neus.images.masks import read_own_mask

SEEN = np.zeros((24, 32, 3), np.uint8)
SEEN[:8, :16], SEEN[:8, 16:], SEEN[16:, :16] = (250, 20, 20), (20, 250, 20), (20, 20, 250)
K = np.eye(3)
TRANSPOSED: Callable[[np.ndarray], np.ndarray] = lambda a: a.swapaxes(0, 1)  # noqa: E731
STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: TRANSPOSED,
    6: lambda a: np.rot90(a),
    7: lambda a: TRANSPOSED(a[::-1, ::-1]),
    8: lambda a: np.rot90(a, -1),
}
"""What lies in the file, by the tag: how the standard (EXIF 2.32, 4.6.4) has its first row lie."""
SUFFIXES = [
    pytest.param(suffix, marks=pytest.mark.skipif(not features.check(need), reason=f"no {need}"))
    for suffix, need in (
        (".jpg", "jpg"), (".png", "zlib"), (".tif", "zlib"), (".webp", "webp"), (".avif", "avif"),
    )
]  # fmt: skip


def write(path: Path, image: np.ndarray, tag: int | None) -> Path:
    tags = Image.Exif()
    if tag is not None:
        tags[ORIENTATION] = tag
    options: dict[str, Any] = {} if path.suffix in (".png", ".tif") else {"quality": 95}
    Image.fromarray(np.ascontiguousarray(image)).save(path, exif=tags, **options)
    return path


def upright(path: Path, image: np.ndarray, *, is_painted: bool = False) -> np.ndarray:
    """As a photo of that file is put upright."""
    lies = orientation(path)
    height, width = read_image(path).shape[:2]
    rectify = Rectification(None, K, width, height, lies.clockwise, lies.is_mirrored)
    return rectify(image, is_painted)


@pytest.mark.parametrize("tag", STORED)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_photo_is_read_as_it_was_seen(tmp_path, suffix, tag):
    path = write(tmp_path / f"a{suffix}", STORED[tag](SEEN), tag)
    found = upright(path, read_image(path))
    assert found.shape == SEEN.shape
    assert np.abs(found.astype(int) - SEEN).mean() < 8
    with Image.open(path) as image:  # as Pillow's own reader of the tag has it
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.abs(found.astype(int) - expected).mean() < 4


def test_the_table_of_turns_and_mirrors(tmp_path):
    marked = np.arange(6).reshape(2, 3)
    ways = [(0, 0), (0, 1), (2, 0), (2, 1), (3, 1), (1, 0), (1, 1), (3, 0)]
    for (tag, stored), (clockwise, mirrored) in zip(STORED.items(), ways, strict=True):
        lies = Orientation(clockwise, bool(mirrored))
        path = write(tmp_path / f"{tag}.png", stored(SEEN), tag)
        assert orientation(path) == lies
        image = stored(marked)
        image = image[:, ::-1] if lies.is_mirrored else image
        np.testing.assert_array_equal(np.rot90(image, -lies.clockwise), marked)
        assert lies.turn_alone == {0: 1, 1: 6, 2: 3, 3: 8}[lies.clockwise]


@pytest.mark.parametrize("tag", [None, 0, 9, 77])
def test_a_tag_that_makes_no_sense_counts_as_none(tmp_path, tag):
    assert orientation(write(tmp_path / "a.jpg", SEEN, tag)) == AS_SEEN
    assert orientation(write(tmp_path / "a.png", SEEN, tag)) == AS_SEEN


def test_a_tag_behind_the_pixels_of_a_png_is_found_and_damaged_ones_are_not(tmp_path):
    """The chunk eXIf may stand anywhere."""
    path = write(tmp_path / "a.png", SEEN, 6)
    content = path.read_bytes()
    start = content.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(content[start : start + 4], "big")
    last = content.index(b"IEND") - 4
    path.write_bytes(content[:start] + content[end:last] + content[start:end] + content[last:])
    assert orientation(path) == Orientation(1)
    path.write_bytes(content.replace(content[start + 8 : end - 4], bytes(end - start - 12)))
    assert orientation(path) == AS_SEEN
    path.write_bytes(content[: start + 6])
    assert dict(exif_tags(path)) == {}


@pytest.mark.parametrize("tag", STORED)
def test_a_mask_agrees_with_its_photo(tmp_path, tag):
    """Painted on the photo as it is seen, made from its file, or with the tag copied."""
    mask = SEEN[:, :, 0] // 250 * 255
    photo = write(tmp_path / "a.jpg", STORED[tag](SEEN), tag)
    seen = write(tmp_path / "seen.png", mask, None)
    tagged = write(tmp_path / "tagged.png", STORED[tag](mask), tag)
    np.testing.assert_array_equal(read_mask(tagged), mask)
    np.testing.assert_array_equal(upright(photo, read_mask(seen), is_painted=True), mask)
    if tag > 4:  # else a mask of that size is taken for one that was painted
        made = write(tmp_path / "made.png", STORED[tag](mask), None)
        np.testing.assert_array_equal(upright(photo, read_mask(made), is_painted=True), mask)


@pytest.mark.parametrize("tag", STORED)
def test_an_alpha_channel_lies_like_its_colours(tmp_path, tag):
    alpha = np.where(np.arange(32) < 10, 0, 255).astype(np.uint8)[None].repeat(24, 0)
    path = write(tmp_path / "a.png", STORED[tag](np.dstack([SEEN, alpha])), tag)
    found = read_alpha(path)
    assert found is not None
    np.testing.assert_array_equal(upright(path, found), alpha)
    np.testing.assert_array_equal(upright(path, read_own_mask(path)), alpha)


def test_colmap_is_given_other_files_for_photos_that_are_mirrored(tmp_path):
    for tag in STORED:
        path = write(tmp_path / f"{tag}.jpg", SEEN, tag)
        assert colmap_reads(path) == (tag not in (2, 4, 5, 7))
        assert colmap_reads(write(tmp_path / f"{tag}.tif", SEEN, tag)) == (tag == 1)


def test_sixteen_bits_in_a_tiff_that_is_stored_turned(tmp_path):
    deep = SEEN[:, :, 0].astype(np.uint16) * 257
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(deep))).save(tmp_path / "a.tif", exif=tags)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[:, :, 1], SEEN[:, :, 0])


def test_a_heic_photo_is_upright_when_it_is_decoded(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="pip install pillow-heif")
    heif.register_heif_opener()
    path = write(tmp_path / "a.heic", SEEN, 6)  # pillow-heif takes the tag out
    assert orientation(path) == AS_SEEN
    assert np.abs(read_image(path).astype(int) - SEEN).mean() < 8
