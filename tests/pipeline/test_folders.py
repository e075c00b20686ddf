"""Folders of photos and masks as people call them, and masks that lie above the images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neus.images import write_image
from neus.sources import choose_masks, find_photos


def write(folder: Path, images: str, masks: str) -> None:
    for i in range(3):
        path = folder / images / f"IMG_{i}.jfif"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 12, 3), 60 * i, np.uint8)).save(path, "JPEG")
        write_image(folder / masks / f"IMG_{i}.png", np.zeros((8, 12), np.uint8))


@pytest.mark.parametrize("images", ["images", "Images", "IMAGE", "."])
@pytest.mark.parametrize("masks", ["masks", "Masks", "MASK"])
def test_names_of_folders_in_any_case(tmp_path, images, masks):
    write(tmp_path, images, masks)
    photos = find_photos(tmp_path)
    assert photos.root == tmp_path / images
    found = choose_masks(tmp_path, photos.images, photos.root, "all")
    assert found == [tmp_path / masks / f"IMG_{i}.png" for i in range(3)]


def test_masks_beside_the_folder_of_images_that_a_path_names(tmp_path):
    write(tmp_path, "images", "masks")
    folder = tmp_path / "images"
    found = choose_masks(folder, find_photos(folder).images, folder, "auto")
    assert found == [tmp_path / "masks" / f"IMG_{i}.png" for i in range(3)]


def test_what_polycam_leaves_beside_its_photos_is_none(tmp_path):
    for name in ("images", "corrected_images", "confidence", "depth"):
        write_image(tmp_path / "keyframes" / name / "1.png", np.zeros((8, 12, 3), np.uint8))
    assert find_photos(tmp_path).names == ["keyframes/images/1.png"]
