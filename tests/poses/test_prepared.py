"""Photos under any name and of any kind, and objects that turn before their surroundings."""

from __future__ import annotations

from pathlib import Path

import cv2  # before pycolmap, see import_pycolmap
import numpy as np
import pycolmap
import pytest
from PIL import Image

from neus.errors import InputError
from neus.images import ORIENTATION, read_image, write_image
from neus.poses.gathered import gather, said_of_changes
from neus.poses.method import Method
from neus.poses.photos import estimate_poses
from neus.poses.prepared import Photo, prepare
from neus.sources.colmap import read_colmap
from tests.helpers.lenses import lens, normalized_plane
from tests.helpers.pose_errors import pose_errors
from tests.helpers.synthetic_captures import ring_cameras
from tests.poses.test_photos import book_photo

COUNT = 8
UGLY = [
    "IMG (1).jpg", "day 2/IMG 2.jpg", "day 2/IMG (1).jpg", "ü 日 #3 %d.png", "-x;y.png",
    "a'b\"c.webp", "IMG.1.tif", "IMG 2.jpg",
]  # fmt: skip


@pytest.fixture(scope="module")
def pages() -> list[tuple[np.ndarray, np.ndarray]]:
    """An object of two pages, seen every eight degrees, and its masks."""
    plane = normalized_plane(lens(320, 240, 0.0))
    return [book_photo(ring(), i, plane) for i in range(COUNT)]


def ring():
    return ring_cameras(
        COUNT, distance=3.0, azimuths=(20.0, 76.0), elevations=(0.0, 15.0),
        focus=np.array([0.5, 0.5, 0]), size=(320, 240), focal=352.0,
    )  # fmt: skip


def place(folder: Path, masks: str, output: Path) -> tuple[list[str], int]:
    lines: list[str] = []
    found, photos = gather(folder, masks, threads=2, report=lines.append)  # pyright: ignore
    registration = estimate_poses(
        photos, output, Method(), work=None, threads=2, report=lines.append, place=found.root
    )
    return lines, registration.registered


def test_photos_of_any_name_and_kind_are_placed_and_keep_their_names(pages, tmp_path):
    for name, (photo, _) in zip(UGLY, pages, strict=True):
        path = tmp_path / "scan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {".webp": {"lossless": True}, ".jpg": {"quality": 95, "subsampling": 0}}
        Image.fromarray(photo).save(path, **options.get(path.suffix, {}))  # pyright: ignore
    _, registered = place(tmp_path / "scan", "auto", tmp_path / "model")
    assert registered == COUNT
    model = pycolmap.Reconstruction(tmp_path / "model" / "sparse")
    assert sorted(image.name for image in model.images.values()) == sorted(UGLY)
    scene = read_colmap(tmp_path / "scan", masks="auto", model=tmp_path / "model/sparse").scene
    order = [UGLY.index(f.image.relative_to(tmp_path / "scan").as_posix()) for f in scene.frames]
    centres, rotations = pose_errors(scene.cameras, ring()[order])
    assert np.median(centres) < 0.02
    assert np.median(rotations) < 0.5


def far_ring():
    return ring_cameras(
        COUNT, distance=4.5, azimuths=(20.0, 76.0), elevations=(0.0, 15.0),
        focus=np.array([0.5, 0.5, 0]), size=(400, 300), focal=440.0,
    )  # fmt: skip


def turntable(folder: Path) -> Path:
    """The object turns; camera and wall stand still, so the wall is the same in all photos."""
    rng = np.random.default_rng(3)
    noise = [rng.integers(0, 130, (n, n, 3)).astype(np.float32) for n in (12, 40, 120)]
    wall = sum(cv2.resize(layer, (400, 300), interpolation=cv2.INTER_CUBIC) for layer in noise)
    wall = np.clip(np.asarray(wall) * 1.2 - 80, 0, 255).astype(np.uint8)
    plane = normalized_plane(lens(400, 300, 0.0))
    for i in range(COUNT):
        photo, mask = book_photo(far_ring(), i, plane)
        seen = np.where(mask[..., None] > 0, photo, wall)
        write_image(folder / "images" / f"{i}.png", seen)
        write_image(folder / "masks" / f"{i}.png", mask)
    return folder


@pytest.mark.long
def test_an_object_that_turns_before_a_textured_wall_needs_its_masks(tmp_path):
    scan = turntable(tmp_path / "scan")
    lines, registered = place(scan, "auto", tmp_path / "masked")
    assert registered == COUNT
    assert f"{COUNT} photos have masks: features off them are left out" in lines
    scene = read_colmap(scan, masks="auto", model=tmp_path / "masked" / "sparse").scene
    centres, rotations = pose_errors(scene.cameras, far_ring())
    assert np.median(centres) < 0.05
    assert np.median(rotations) < 1
    with pytest.raises(InputError, match=r"no depth|could be placed|no poses could be"):
        place(scan, "none", tmp_path / "bare")  # the wall stands still


def test_masks_are_laid_out_as_the_photos_are_stored(tmp_path):
    """A mask painted on the upright photo is turned with it; own masks are taken as they are."""
    mask = np.zeros((30, 40), np.uint8)
    mask[:10, :25] = 200
    photo = np.full((30, 40, 3), 120, np.uint8)
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(photo))).save(tmp_path / "a.jpg", exif=tags)
    write_image(tmp_path / "m.png", mask)
    write_image(tmp_path / "b.png", np.dstack([photo, mask]))
    write_image(tmp_path / "c.png", photo)
    photos = [
        Photo(tmp_path / "a.jpg", "a (1).jpg", tmp_path / "m.png"),
        Photo(tmp_path / "b.png", "b.png", tmp_path / "b.png"),
        Photo(tmp_path / "c.png", "c.png", None),
    ]
    laid = prepare(photos, place=tmp_path, work=tmp_path / "work", threads=2)
    assert laid.masks is not None
    white = np.where(mask > 127, 255, 0)
    names = [photo.name for photo in laid.photos]
    stored = [read_image(laid.masks / f"{name}.png")[..., 0] for name in names[:2]]
    np.testing.assert_array_equal(stored[0], np.rot90(white))
    np.testing.assert_array_equal(stored[1], white)
    assert (read_image(laid.masks / f"{names[2]}.png") == 255).all(), "COLMAP wants one of each"
    assert [photo.resolve() for photo in laid.photos] == [p.file.resolve() for p in photos]


def test_kinds_that_colmap_does_not_read_are_converted(pages, tmp_path):
    photo = pages[0][0]
    Image.fromarray(photo).save(tmp_path / "a.webp", lossless=True)
    laid = prepare(
        [Photo(tmp_path / "a.webp", "a.webp")], place=tmp_path, work=tmp_path / "w", threads=1
    )
    assert laid.photos[0].suffix == ".jpg"
    assert not laid.photos[0].is_symlink()
    bitmap = pycolmap.Bitmap.read(laid.photos[0], True)
    assert bitmap is not None
    assert np.abs(bitmap.to_array().astype(int) - photo).mean() < 3


def test_a_folder_that_grows_meanwhile_is_said(tmp_path):
    for i in range(3):
        write_image(tmp_path / f"{i}.png", np.full((8, 8, 3), 40 * i, np.uint8))
    before, photos = gather(tmp_path, "auto", threads=1, report=lambda line: None)
    assert [photo.name for photo in photos] == ["0.png", "1.png", "2.png"]
    assert said_of_changes(tmp_path, before) == []
    write_image(tmp_path / "3.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "0.png").unlink()
    (line,) = said_of_changes(tmp_path, before)
    assert "1 photos came, 1 went: 3.png, 0.png" in line


def test_another_content_of_the_same_size_and_time_is_another_state(tmp_path):
    import os

    write_image(tmp_path / "0.png", np.zeros((8, 8, 3), np.uint8))
    photo, state = Photo(tmp_path / "0.png", "0.png"), (tmp_path / "0.png").stat()
    before = photo.state
    content = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(content[:-1] + b"x")
    os.utime(tmp_path / "0.png", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert photo.state != before
