"""Masks that images bring themselves, and which mask belongs to which image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from neus.errors import InputError
from neus.images.files import write_image
from neus.images.masks import read_mask, read_own_mask, resize_seen, silhouette_on_black
from neus.sources.masks import choose_masks


def test_an_alpha_channel_is_the_mask_and_an_opaque_one_is_not(tmp_path):
    rgba = np.full((8, 10, 4), 200, np.uint8)
    rgba[:, :, 3] = np.arange(10) * 28
    write_image(tmp_path / "a.png", rgba)
    np.testing.assert_array_equal(read_own_mask(tmp_path / "a.png"), rgba[:, :, 3])
    deep = rgba.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    np.testing.assert_array_equal(read_own_mask(tmp_path / "deep.png"), rgba[:, :, 3])
    rgba[:, :, 3] = 255
    write_image(tmp_path / "opaque.png", rgba)
    assert (read_own_mask(tmp_path / "opaque.png") == 255).all()  # bright, so not black
    with pytest.raises(InputError, match="does not exist"):
        read_own_mask(tmp_path / "b.png")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read"):
        read_own_mask(tmp_path / "b.png")


def test_on_black_the_largest_object_counts_with_its_shadows_and_real_holes():
    y, x = np.indices((200, 300))
    image = np.full((200, 300, 3), 12, np.uint8)  # not quite black
    disk = np.hypot(x - 140, y - 100) < 80
    image[disk] = [180, 120, 90]
    shadow = np.hypot(x - 120, y - 80) < 6
    hole = np.hypot(x - 160, y - 110) < 30
    image[shadow | hole] = 15
    image[10:14, 280:284] = 255  # a speck
    mask = silhouette_on_black(image)
    np.testing.assert_array_equal(np.unique(mask), [0, 255])
    expected = disk & ~hole
    agree = ((mask > 0) & expected).sum() / ((mask > 0) | expected).sum()
    assert agree > 0.98
    assert mask[80, 120] == 255
    assert mask[110, 160] == 0
    assert mask[12, 282] == 0
    assert (silhouette_on_black(np.zeros((20, 30, 3), np.uint8)) == 0).all()


def test_an_object_cut_by_the_edge_keeps_its_outline():
    image = np.zeros((100, 100, 3), np.uint8)
    image[20:80, :50] = 200
    assert (silhouette_on_black(image)[:, :] > 0).sum() == 60 * 50


def test_colours_are_averaged_where_they_are_seen():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    alpha = rng.integers(0, 256, (6, 8), dtype=np.uint8)
    alpha[:2, :2] = 0
    shrunk = resize_seen(image, alpha, 4, 3)
    for row in range(3):
        for column in range(4):
            block = np.s_[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            weights = alpha[block].astype(float)[..., None]
            expected = (image[block] * weights).sum((0, 1)) / max(weights.sum(), 1e-9)
            assert np.abs(shrunk[row, column] - expected).max() <= 1
    assert (shrunk[0, 0] == 0).all()


def photos(folder, names: list[str], channels: int = 3) -> list:
    for name in names:
        write_image(folder / name, np.full((8, 10, channels), 100, np.uint8))
    return [folder / name for name in names]


def test_masks_of_some_images_are_used_and_insisting_names_the_missing_ones(tmp_path):
    images = photos(tmp_path / "images", ["a.png", "b.png", "c.png"])
    photos(tmp_path / "masks", ["b.png"])
    root = tmp_path / "images"
    assert choose_masks(tmp_path, images, root, "none") == [None] * 3
    chosen = choose_masks(tmp_path, images, root, "auto")
    assert chosen == [None, tmp_path / "masks" / "b.png", None]
    with pytest.raises(InputError, match=r"a\.png.* c\.png"):
        choose_masks(tmp_path, images, root, "all")
    (tmp_path / "masks" / "b.png").rename(tmp_path / "masks" / "x.png")
    with pytest.raises(InputError, match="no mask with the name of an image"):
        choose_masks(tmp_path, images, root, "auto")
    write_image(tmp_path / "masks" / "a.png", np.zeros((10, 8), np.uint8))
    assert choose_masks(tmp_path, images, root, "auto")[0] is not None  # the photo held upright
    write_image(tmp_path / "masks" / "a.png", np.zeros((10, 9), np.uint8))
    with pytest.raises(InputError, match="make them again at the size of the images"):
        choose_masks(tmp_path, images, root, "auto")


def test_alpha_channels_are_noticed_where_there_is_no_folder(tmp_path):
    opaque = photos(tmp_path, ["a.png"])
    assert choose_masks(tmp_path, opaque, tmp_path, "auto") == [None]
    with pytest.raises(InputError, match="masks/ or mask/"):
        choose_masks(tmp_path, opaque, tmp_path, "all")
    transparent = photos(tmp_path, ["b.png"], channels=4)
    assert choose_masks(tmp_path, transparent, tmp_path, "auto") == transparent
    assert (read_own_mask(transparent[0]) == 100).all()


def test_masks_of_zeros_and_ones_and_of_one_colour_are_read(tmp_path):
    binary = np.zeros((4, 4), np.uint8)
    binary[1:3] = 1
    write_image(tmp_path / "binary.png", binary)
    np.testing.assert_array_equal(read_mask(tmp_path / "binary.png"), binary * 255)
    red = np.zeros((4, 4, 3), np.uint8)
    red[1:3, :, 0] = 255
    write_image(tmp_path / "red.png", red)
    np.testing.assert_array_equal(read_mask(tmp_path / "red.png"), red[..., 0])
