"""Kinds of image files: each is read as the picture that was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, features

from neus.errors import InputError
from neus.images import colmap_reads, kinds, read_alpha, read_image, read_mask
from neus.sources.headers import image_size

SMOOTH = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8),
    (64, 48),
    interpolation=cv2.INTER_CUBIC,
)
GREY = np.ascontiguousarray(SMOOTH[:, :, 0])
WEBP = pytest.mark.skipif(not features.check("webp"), reason="Pillow was built without WebP")
AVIF = pytest.mark.skipif(not features.check("avif"), reason="Pillow was built without AVIF")


def error(path: Path, expected: np.ndarray) -> float:
    assert image_size(path) == expected.shape[1::-1]
    return float(np.abs(read_image(path).astype(int) - expected).mean())


def stacked(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
@pytest.mark.parametrize("picture", [SMOOTH, GREY], ids=["colour", "grey"])
def test_sixteen_bits_become_eight(tmp_path, suffix, picture):
    path = tmp_path / f"a{suffix}"
    stored = picture[..., ::-1] if picture.ndim == 3 else picture
    cv2.imwrite(str(path), stored.astype(np.uint16) * 257)
    assert error(path, picture if picture.ndim == 3 else stacked(picture)) < 1


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_and_grey(tmp_path, suffix):
    options: dict[str, Any] = {"quality": 95} if suffix == ".jpg" else {}
    Image.fromarray(SMOOTH).convert("CMYK").save(tmp_path / f"cmyk{suffix}", **options)
    assert error(tmp_path / f"cmyk{suffix}", SMOOTH) < 2
    Image.fromarray(GREY).save(tmp_path / f"grey{suffix}", **options)
    assert error(tmp_path / f"grey{suffix}", stacked(GREY)) < 1.5


@pytest.mark.parametrize("mode", ["P", "1", "LA", "RGBA"])
def test_palettes_and_alpha_in_png(tmp_path, mode):
    picture = Image.fromarray(SMOOTH).convert("L" if mode in ("1", "LA") else "RGB").convert(mode)
    picture.save(tmp_path / "a.png")
    assert error(tmp_path / "a.png", np.asarray(picture.convert("RGB"))) < 0.6


@pytest.mark.parametrize(
    "suffix", [pytest.param(".webp", marks=WEBP), pytest.param(".avif", marks=AVIF)]
)
def test_webp_and_avif_with_their_alpha(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(SMOOTH).save(path, quality=95)
    assert error(path, SMOOTH) < 5
    assert read_alpha(path) is None
    alpha = np.where(np.arange(64) < 20, 0, 255).astype(np.uint8)[None].repeat(48, 0)
    Image.fromarray(np.dstack([SMOOTH, alpha])).save(path, quality=95)
    found = read_alpha(path)
    assert found is not None
    assert np.abs(found.astype(int) - alpha).mean() < 3
    assert not colmap_reads(path)


def test_heic_where_it_can_be_read(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="pip install pillow-heif")
    heif.register_heif_opener()
    Image.fromarray(SMOOTH).save(tmp_path / "a.heic", quality=95)
    assert error(tmp_path / "a.heic", SMOOTH) < 7
    (tmp_path / "a.heic").rename(tmp_path / "a.jpg")  # as messengers rename them
    assert error(tmp_path / "a.jpg", SMOOTH) < 7
    assert not colmap_reads(tmp_path / "a.jpg")


def test_heic_where_it_cannot_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(kinds, "reads_heic", lambda: False)
    kinds._register_heic.cache_clear()
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(200))
    with pytest.raises(InputError, match=r"found a HEIC photo, .*: pip install pillow-heif"):
        image_size(tmp_path / "a.heic")
    kinds._register_heic.cache_clear()


def test_a_tiff_with_an_orientation_is_upright(tmp_path):
    tags = Image.Exif()
    tags[kinds.ORIENTATION] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(SMOOTH))).save(tmp_path / "a.tif", exif=tags)
    assert error(tmp_path / "a.tif", SMOOTH) == 0
    assert not colmap_reads(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_masks_of_any_number_of_channels(tmp_path, dtype, channels):
    mask = np.zeros((12, 16), np.uint8)
    mask[3:8, 4:11] = 255
    layers = [mask] * min(channels, 3) + [np.full_like(mask, 255)] * (channels == 4)
    stored = np.dstack(layers).astype(dtype) * (257 if dtype == np.uint16 else 1)
    cv2.imwrite(str(tmp_path / "m.png"), stored)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), mask)


def test_a_mask_in_the_alpha_channel_and_one_of_zeros_and_ones(tmp_path):
    mask = np.zeros((12, 16), np.uint8)
    mask[3:8, 4:11] = 255
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([np.full((12, 16, 3), 255, np.uint8), mask]))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), mask)
    for dtype in (np.uint8, np.uint16):
        cv2.imwrite(str(tmp_path / "b.png"), (mask // 255).astype(dtype))
        np.testing.assert_array_equal(read_mask(tmp_path / "b.png"), mask)
