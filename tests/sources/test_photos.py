"""Folders of photos: what is found in them, masks by name or number, headers of image files."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neus.errors import InputError
from neus.images import kinds
from neus.images.files import write_image
from neus.sources import photos as module
from neus.sources.beside import masks_beside, number_in
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.photos import find_photos, natural_order
from neus.sources.readers import check_source


def test_photos_match_masks_by_name_or_number_and_other_files_are_ignored(tmp_path):
    picture = np.zeros((8, 8, 3), np.uint8)
    for name in ("IMG_9.png", "IMG_10.png", "._IMG_9.png"):
        write_image(tmp_path / "images" / name, picture)
    (tmp_path / "images" / "notes.txt").write_text("")
    for name in ("009.png", "IMG_10.png.png", "010.png"):
        write_image(tmp_path / "masks" / name, picture)
    photos = find_photos(tmp_path)
    assert photos.names == ["IMG_9.png", "IMG_10.png"]
    masks = choose_masks(tmp_path, photos.images, photos.root, "all")
    assert [mask and mask.name for mask in masks] == ["009.png", "IMG_10.png.png"]
    assert find_photos(tmp_path / "images").images == photos.images
    assert photos.account == (f"{tmp_path / 'images'}: left out are 1 hidden files (._IMG_9.png)",)


def test_masks_are_not_matched_by_numbers_that_are_not_unique(tmp_path):
    picture = np.zeros((8, 8, 3), np.uint8)
    for name in ("left_1.png", "right_1.png"):
        write_image(tmp_path / "images" / name, picture)
    write_image(tmp_path / "masks" / "1.png", picture)
    images = find_photos(tmp_path).images
    with pytest.raises(InputError, match=r"no mask with the name of an image"):
        choose_masks(tmp_path, images, tmp_path / "images", "all")


def test_natural_order_and_numbers():
    names = ["b2", "a10", "a9", "a", "10", "9", "a²0"]
    assert sorted(names, key=natural_order) == ["9", "10", "a", "a9", "a10", "a²0", "b2"]
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
        with pytest.raises(InputError, match=r"cut off|no image inside|cannot be read"):
            image_size(path)


def photos(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".png":
            write_image(path, np.full((8, 10, 3), 90, np.uint8))
        else:
            Image.new("RGB", (10, 8)).save(path, "JPEG")


def said(folder: Path) -> str:
    return "\n".join(find_photos(folder).account)


def test_folders_below_count_and_it_is_said_from_which(tmp_path):
    photos(tmp_path, "day1/a.jpg", "day1/b.jpg", "day 2/round/c.jpg", "d.jpg")
    assert find_photos(tmp_path).names == ["d.jpg", "day1/a.jpg", "day1/b.jpg", "day 2/round/c.jpg"]
    assert "4 photos, those in folders below it too: . (1), day 2/round (1), day1 (2)" in said(
        tmp_path
    )


def test_images_comes_first_and_what_lies_beside_it_is_no_photo(tmp_path):
    photos(tmp_path, "images/a.jpg", "images/left/b.jpg", "other/c.jpg", "d.jpg")
    assert find_photos(tmp_path).names == ["a.jpg", "left/b.jpg"]
    for file in (tmp_path / "images").rglob("*.jpg"):
        file.unlink()
    assert find_photos(tmp_path).names == ["d.jpg", "other/c.jpg"], (
        "an empty images/ is passed over"
    )


def test_what_is_no_photo_is_left_out_and_counted(tmp_path):
    photos(tmp_path, *(f"IMG_{i}.jpg" for i in range(4)), "IMG_1_thumb.jpg", "thumb_IMG_2.jpg")
    photos(tmp_path, "thumbnails/IMG_1.jpg", ".hidden/a.jpg", "__MACOSX/a.jpg", "@eaDir/a.jpg")
    photos(tmp_path, "._IMG_1.jpg", ".IMG_2.jpg", "sparse/a.jpg", "results/statue/x.jpg")
    for name in ("IMG_1.dng", "IMG_2.CR2", "clip.MOV", "a.gif", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert find_photos(tmp_path).names == [f"IMG_{i}.jpg" for i in range(4)]
    lines = said(tmp_path)
    assert "2 hidden files (.IMG_2.jpg, ._IMG_1.jpg)" in lines
    assert "2 thumbnails (IMG_1_thumb.jpg, thumb_IMG_2.jpg)" in lines
    assert "1 .dng files, which are not read: convert them to .jpg (IMG_1.dng)" in lines
    assert "1 .cr2 files" in lines
    assert "1 .gif files" in lines
    assert "1 videos (.mov), which are read only if path names one (clip.MOV)" in lines


def test_heic_beside_its_jpeg_is_left_out_and_alone_it_counts_where_it_can_be_read(
    tmp_path, monkeypatch
):
    photos(tmp_path, *(f"IMG_{i}.JPG" for i in range(3)))
    (tmp_path / "IMG_1.HEIC").write_bytes(b"x")
    (tmp_path / "IMG_9.heic").write_bytes(b"x")
    monkeypatch.setattr(module, "reads_heic", lambda: True)
    assert find_photos(tmp_path).names == ["IMG_0.JPG", "IMG_1.JPG", "IMG_2.JPG", "IMG_9.heic"]
    assert "1 .heic photos beside another of the same name (IMG_1.HEIC)" in said(tmp_path)
    monkeypatch.setattr(module, "reads_heic", lambda: False)
    assert len(find_photos(tmp_path).names) == 3
    assert "1 .heic photos: pip install pillow-heif, or convert them" in said(tmp_path)
    for file in tmp_path.glob("*.JPG"):
        file.unlink()
    with pytest.raises(InputError, match=r"no photo that can be used .*\n.*2 \.heic photos"):
        find_photos(tmp_path)


def test_photos_that_are_broken_are_named_in_the_dry_run(tmp_path):
    photos(tmp_path, *(f"{i}.jpg" for i in range(4)))
    (tmp_path / "3.jpg").write_bytes((tmp_path / "2.jpg").read_bytes()[:100])
    (tmp_path / "4.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(200))
    lines: list[str] = []
    check_source("photos", tmp_path, masks="auto", report=lines.append)
    assert any("3.jpg" in line and "cannot be read" in line for line in lines)
    assert any("4.heic" in line for line in lines)


def test_two_photos_that_differ_in_suffix_alone_are_two_photos(tmp_path):
    photos(tmp_path, "0.png", "0.jpg", "1.jpg")
    assert len(find_photos(tmp_path).names) == 3


def test_links_and_loops_are_followed_once(tmp_path):
    photos(tmp_path / "disk", "a.jpg", "below/b.jpg")
    scan = tmp_path / "scan"
    scan.mkdir()
    (scan / "round").symlink_to(tmp_path / "disk", target_is_directory=True)
    (scan / "c.jpg").symlink_to(tmp_path / "disk" / "a.jpg")
    (tmp_path / "disk" / "loop").symlink_to(tmp_path / "disk", target_is_directory=True)
    assert find_photos(scan).names == ["c.jpg", "round/a.jpg", "round/below/b.jpg"]


def test_a_folder_that_cannot_be_written_to_is_read(tmp_path):
    photos(tmp_path / "images", "a.jpg", "b.jpg", "c.jpg")
    for folder in (tmp_path / "images", tmp_path):
        os.chmod(folder, 0o555)
    try:
        check_source("photos", tmp_path, masks="auto")
    finally:
        for folder in (tmp_path, tmp_path / "images"):
            os.chmod(folder, 0o755)


def test_names_that_are_no_utf8_are_left_out(tmp_path):
    photos(tmp_path, "a.jpg", "b.jpg")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb") as file:
        file.write(b"x")
    assert find_photos(tmp_path).names == ["a.jpg", "b.jpg"]
    assert "files whose names are no UTF-8" in said(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["IMG_1_mask.png", "IMG_1.mask.png", "mask_IMG_1.png", "IMG_1-mask.png", "IMG_1_Mask.PNG",
     "IMG_1.jpg.mask.png", "Mask-IMG_1.jpg"],
)  # fmt: skip
def test_a_mask_beside_its_photo_by_the_names_that_tools_give(tmp_path, name):
    photos(tmp_path, "IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg")
    path = tmp_path / name
    grey = Image.fromarray(np.eye(8, 10).astype(np.uint8) * 255)
    grey.save(path, "PNG" if name.lower().endswith("png") else "JPEG")
    found = find_photos(tmp_path)
    assert found.names == ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg"]
    assert "_mask, .mask, mask_" in "\n".join(found.account)
    lines: list[str] = []
    masks = choose_masks(tmp_path, found.images, found.root, "auto", report=lines.append)
    assert masks == [None, path, None]
    assert "1 masks lie beside their images and are used" in lines[0]
    assert choose_masks(tmp_path, found.images, found.root, "none") == [None] * 3


def test_colmap_s_name_of_a_mask_beside_its_photo_has_to_be_grey(tmp_path):
    photos(tmp_path, "a.jpg", "a.jpg.png", "b.jpg")
    assert find_photos(tmp_path).names == ["a.jpg", "a.jpg.png", "b.jpg"], "a colour copy"
    write_image(tmp_path / "a.jpg.png", np.zeros((8, 10), np.uint8))
    assert find_photos(tmp_path).names == ["a.jpg", "b.jpg"]


def test_a_word_in_the_name_makes_no_mask(tmp_path):
    photos(tmp_path, "carnival_mask.jpg", "mask_of_agamemnon.jpg", "unmask.jpg", "mask.jpg")
    assert len(find_photos(tmp_path).names) == 4
    assert masks_beside([tmp_path / "a_mask.jpg", tmp_path / "a_mask_mask.png"]) == {
        tmp_path / "a_mask.jpg": tmp_path / "a_mask_mask.png"
    }


@pytest.mark.parametrize(
    "place",
    ["masks/day1/a.png", "mask/day1/a.png", "day1/masks/a.png", "masks/a.png",
     "day1/mask/a_mask.png", "masks/day1/a.jpg.png"],
)  # fmt: skip
def test_masks_lie_in_a_folder_of_the_scan_or_of_the_photos(tmp_path, place):
    photos(tmp_path, "day1/a.jpg", "day2/b.jpg", place)
    found = find_photos(tmp_path)
    assert len(found.images) == 2
    masks = choose_masks(tmp_path, found.images, found.root, "auto")
    assert masks == [tmp_path / place, None]


def test_alpha_counts_for_each_image_by_itself(tmp_path):
    for i in range(4):
        alpha = np.full((8, 10, 1), 255, np.uint8)
        alpha[:3] = 0 if i in (1, 3) else 255
        rgb = np.full((8, 10, 3), 90, np.uint8)
        write_image(tmp_path / f"{i}.png", rgb if i == 0 else np.dstack([rgb, alpha]))
    images = find_photos(tmp_path).images
    assert choose_masks(tmp_path, images, tmp_path, "auto") == [None, images[1], None, images[3]]
    choice: MaskChoice = "own"
    assert choose_masks(tmp_path, images, tmp_path, choice) == list(images)


def test_every_kind_that_is_read_is_listed():
    assert {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".heic", ".avif"} <= kinds.SUFFIXES
