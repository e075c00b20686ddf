"""Folders of photos: what is found in them, masks by name or number, headers of image files."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neus.errors import InputError
from neus.images.files import write_image
from neus.sources.headers import image_size
from neus.sources.photos import find_images, find_photos, natural_order, number_in


def test_photos_match_masks_by_name_or_number_and_other_files_are_ignored(tmp_path):
    picture = np.zeros((8, 8, 3), np.uint8)
    for name in ("IMG_9.png", "IMG_10.png", "._IMG_9.png"):
        write_image(tmp_path / "images" / name, picture)
    (tmp_path / "images" / "notes.txt").write_text("")
    for name in ("009.png", "IMG_10.png.png", "010.png"):
        write_image(tmp_path / "masks" / name, picture)
    photos = find_photos(tmp_path, masks=True)
    assert [image.name for image in photos.images] == ["IMG_9.png", "IMG_10.png"]
    assert photos.masks is not None
    assert [mask.name for mask in photos.masks] == ["009.png", "IMG_10.png.png"]
    assert photos.sizes == ((8, 8), (8, 8))
    assert find_images(tmp_path / "images") == list(photos.images)


def test_masks_are_not_matched_by_numbers_that_are_not_unique(tmp_path):
    picture = np.zeros((8, 8, 3), np.uint8)
    for name in ("left_1.png", "right_1.png"):
        write_image(tmp_path / "images" / name, picture)
    write_image(tmp_path / "masks" / "1.png", picture)
    with pytest.raises(InputError, match=r"no mask for the image left_1\.png"):
        find_photos(tmp_path, masks=True)


def test_two_images_of_one_name_are_refused(tmp_path):
    picture = np.zeros((8, 8, 3), np.uint8)
    write_image(tmp_path / "a.png", picture)
    cv2.imwrite(str(tmp_path / "a.jpg"), picture)
    with pytest.raises(InputError, match="2 images called a"):
        find_images(tmp_path)


def test_natural_order_and_numbers():
    names = ["b2", "a10", "a9", "a", "10", "9"]
    assert sorted(names, key=natural_order) == ["9", "10", "a", "a9", "a10", "b2"]
    assert [number_in(s) for s in ("000012", "IMG_0007_mask", "front")] == [12, 7, None]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([".png", ".jpg"]), st.booleans())
def test_sizes_are_read_from_headers(tmp_path_factory, width, height, suffix, grey):
    path = tmp_path_factory.mktemp("sizes") / f"image{suffix}"
    shape = (height, width) if grey else (height, width, 3)
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, int(grey)] if suffix == ".jpg" else []
    cv2.imwrite(str(path), np.zeros(shape, np.uint8), progressive)
    assert image_size(path) == (width, height)
    path.write_bytes(path.read_bytes() + b"a film that a phone appended" * 5000)
    assert image_size(path) == (width, height)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_file_cut_anywhere_is_refused(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    cv2.imwrite(str(path), noise)
    content = path.read_bytes()
    for length in range(0, len(content) - 8, 7):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"cut off|no PNG or JPEG"):
            image_size(path)
