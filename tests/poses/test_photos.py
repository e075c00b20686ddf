"""Poses from photos: a rendered capture with known lenses, however the phone was held."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2  # before pycolmap, see import_pycolmap
import numpy as np
import pycolmap
import pytest
from PIL import Image

from neus.errors import InputError
from neus.images import ORIENTATION
from neus.images.files import write_image
from neus.images.stored import read_image
from neus.poses.gathered import gather
from neus.poses.method import Method
from neus.poses.photos import Registration, estimate_poses
from neus.scene.cameras import Cameras, look_at
from neus.scene.reading import Scene, load_image, load_mask, load_scene
from neus.scene.similarity import umeyama
from neus.sources.colmap import read_colmap
from tests.helpers.lenses import lens, normalized_plane
from tests.helpers.pose_errors import pose_errors
from tests.helpers.small_scenes import program
from tests.helpers.synthetic_captures import ring_cameras

ANGLES = (10.0, 80.0)
SIDEWAYS = {2: 1, 3: 3, 6: 2, 7: 1}
"""Photos that are stored turned, and the quarter turns to the right that put them upright."""
MIRRORED = (3, 8)
"""Photos of a front camera: left and right change places in their files."""
NO_MASK = 5
DEFAULTS = Method()
STRANGERS = ("95.png", "96.png", "97.png")


def book_photo(cameras: Cameras, index: int, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a camera sees of two textured pages that stand at right angles, and the mask of these.

    Args:
        plane: ``[h, w, 2]``, for each pixel the position at depth 1 that it looks at.
    """
    height, width = plane.shape[:2]
    homogeneous = np.concatenate([plane, np.ones((height, width, 1))], axis=2)
    directions = homogeneous @ cameras.camera_to_world[index, :, :3].T
    origin = cameras.centres[index]
    rng = np.random.default_rng(0)
    photo, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    nearest = np.full((height, width), np.inf)
    for page, (axis, along) in enumerate(((0, 1), (1, 0))):
        texture = sum(
            cv2.resize(
                rng.integers(0, 80, (n, n, 3)).astype(np.float32), (512, 512), interpolation=2
            )
            for n in (16, 64, 192)
        )
        t = -origin[axis] / directions[..., axis]
        points = origin + t[..., None] * directions
        u, v = points[..., along], points[..., 2]
        hit = (t > 0) & (t < nearest) & (u > 0) & (u < 1.5) & (np.abs(v) < 1)
        sample = cv2.remap(
            np.asarray(texture),
            (u * 512 / 1.5 - 0.5).astype(np.float32),
            ((v + 1) * 256 - 0.5).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        photo[hit] = (sample * (0.8, 1.0)[page])[hit]
        mask[hit] = 255
        nearest[hit] = t[hit]
    return photo, mask


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> tuple[Path, Cameras]:
    """Ten photos by two cameras, four of them held sideways; three of something else, one broken.

    Those held sideways are stored as phones do it: turned, with a tag that says so.
    """
    folder = tmp_path_factory.mktemp("book")
    cameras = ring_cameras(
        10, distance=3.0, azimuths=ANGLES, elevations=(0.0, 25.0), focus=np.array([0.5, 0.5, 0])
    )
    for i in range(10):
        camera = lens(400, 300, 0.08) if i % 2 else lens(320, 240, -0.05)
        held, clockwise = cameras.camera_to_world[i].copy(), SIDEWAYS.get(i, 0)
        for _ in range(-clockwise % 4):  # the stored image is the upright one, turned back
            held[:, 0], held[:, 1] = -held[:, 1], held[:, 0].copy()
        turned = replace(cameras, camera_to_world=np.tile(held, (10, 1, 1)))
        photo, mask = book_photo(turned, i, normalized_plane(camera))
        tags = Image.Exif()
        tags[ORIENTATION] = ((1, 6, 3, 8), (2, 7, 4, 5))[i in MIRRORED][clockwise]
        photo = photo[:, ::-1] if i in MIRRORED else photo
        (folder / "images").mkdir(exist_ok=True)
        Image.fromarray(photo).save(
            folder / "images" / f"{i}.jpg", quality=98, subsampling=0, exif=tags
        )
        if i != NO_MASK:
            write_image(folder / "masks" / f"{i}.png", np.rot90(mask, -clockwise))
    rng = np.random.default_rng(0)
    for name in STRANGERS:
        noise = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
        write_image(folder / "images" / name, noise)
    content = (folder / "images" / "2.jpg").read_bytes()
    (folder / "images" / "98.jpg").write_bytes(content[: len(content) // 2])
    return folder, cameras


def run(
    book: Path, output: Path, method: Method = DEFAULTS, threads: int = 2, work: Path | None = None
) -> tuple[Registration, list[str]]:
    lines: list[str] = []
    folder, photos = gather(book, "auto", threads=threads, report=lines.append)
    registration = estimate_poses(
        photos,
        output,
        method,
        work=work,
        threads=threads,
        report=lines.append,
        place=folder.root,
    )
    return registration, lines


@pytest.fixture(scope="module")
def posed(book, tmp_path_factory) -> tuple[Path, Registration, list[str]]:
    output = tmp_path_factory.mktemp("posed") / "model"
    return output, *run(book[0], output, work=output.parent / "work")


def scene_of(book: tuple[Path, Cameras], model: Path) -> Scene:
    return read_colmap(book[0], masks="auto", model=model / "sparse").scene


def test_photos_are_placed_and_those_of_something_else_and_broken_ones_are_named(posed):
    output, registration, lines = posed
    assert (registration.images, registration.registered) == (14, 10)
    assert registration.left_out == STRANGERS
    assert registration.unreadable == ("98.jpg",)
    assert "not registered: 95.png, 96.png, 97.png" in lines
    assert "cannot be read and is left out: 98.jpg" in lines
    assert any("2 lenses" in line for line in lines)
    assert json.loads((output / "registration.json").read_text())["unreadable"] == ["98.jpg"]
    assert sorted(p.name for p in output.iterdir()) == ["registration.json", "sparse"]


def test_poses_and_points_are_right_however_the_phone_was_held(posed, book):
    scene = scene_of(book, posed[0])
    cameras = book[1]
    assert [frame.name for frame in scene.frames] == [str(i) for i in range(10)]
    for i in SIDEWAYS:
        tall = SIDEWAYS[i] % 2 == 1
        assert (scene.cameras.widths[i] < scene.cameras.heights[i]) == tall
    centres, rotations = pose_errors(scene.cameras, cameras)
    assert np.median(centres) < 0.005
    assert np.median(rotations) < 0.15
    assert rotations.max() < 2  # and no camera by a quarter turn
    points = umeyama(scene.cameras.centres, cameras.centres).apply(scene.points)
    assert len(points) > 200
    assert len(scene.points_rgb) == len(points)
    assert np.median(np.abs(points[:, :2]).min(axis=1)) < 0.01  # on one of the pages


def test_photos_and_masks_are_undistorted_and_turned_alike(posed, book):
    scene = scene_of(book, posed[0])
    assert scene.masked == tuple(i for i in range(10) if i != NO_MASK)
    model = pycolmap.Reconstruction(posed[0] / "sparse")
    assert model.compute_mean_reprojection_error() < 0.4
    for i in scene.masked:
        image, mask = load_image(scene, i), load_mask(scene, i)
        stored = (300, 400) if i % 2 else (240, 320)
        assert image.shape[:2] == stored[:: -1 if SIDEWAYS.get(i, 0) % 2 else 1]
        assert ((image.max(axis=2) > 20) == (mask > 127)).mean() > 0.98
        pixels, depth = scene.cameras.project(i, scene.points)
        seen = pixels[scene.cameras.in_image(i, pixels, depth)].astype(int)
        assert (mask[seen[:, 1], seen[:, 0]] > 127).mean() > 0.95


def test_a_second_run_does_nothing_again_and_a_change_only_what_follows(posed, book, tmp_path):
    output, _, lines = posed
    work = output.parent / "work"
    registration, again = run(book[0], tmp_path / "again", work=work)
    assert registration.registered == 10
    assert registration.seconds < 3
    assert [line for line in lines if "features in" in line]
    assert not [line for line in again if "features in" in line or "match" in line]
    changed, report = run(book[0], tmp_path / "global", Method(mapper="global"), work=work)
    assert changed.registered == 10
    assert not [line for line in report if "features in" in line or "pairs" in line]
    centres, _ = pose_errors(scene_of(book, tmp_path / "global").cameras, book[1])
    assert np.median(centres) < 0.005


def test_equal_seeds_give_equal_poses_on_any_number_of_threads(posed, book, tmp_path):
    """But for rounding: bundle adjustment adds up in the order in which its threads finish."""
    run(book[0], tmp_path / "again", threads=1)
    first, again = (scene_of(book, folder).cameras for folder in (posed[0], tmp_path / "again"))
    for name in ("intrinsics", "camera_to_world"):
        np.testing.assert_allclose(getattr(again, name), getattr(first, name), rtol=1e-7, atol=1e-7)


def test_photos_that_do_not_overlap_are_refused_and_nothing_is_left(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        noise = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        write_image(tmp_path / "images" / f"{i}.png", noise)
    with pytest.raises(InputError, match="overlap by two thirds"):
        run(tmp_path, tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]
    (tmp_path / "images" / "0.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"2 photos in .* can be read"):
        run(tmp_path, tmp_path / "model")


def test_photos_from_one_place_and_blank_ones_have_each_their_sentence(tmp_path):
    here, up = np.array([2.5, 1.5, 0.3]), np.array([0.0, 0, 1])
    poses = [look_at(here, np.array([0.5, 0.5 + 0.1 * i, 0]), up) for i in range(4)]
    cameras = replace(ring_cameras(4), camera_to_world=np.stack(poses))
    plane = normalized_plane(lens(400, 300, 0.0))
    for i in range(4):
        write_image(tmp_path / "turn" / f"{i}.png", book_photo(cameras, i, plane)[0])
        write_image(tmp_path / "blank" / f"{i}.png", np.full((60, 80, 3), 120, np.uint8))
    with pytest.raises(InputError, match="show no depth: they were taken from one place"):
        run(tmp_path / "turn", tmp_path / "model", threads=1)
    with pytest.raises(InputError, match=r"show the same thing: .* something with texture"):
        run(tmp_path / "blank", tmp_path / "model", threads=1)


def test_the_photos_become_a_scene_of_those_that_were_placed(posed, book, tmp_path):
    words = ["--source", "photos", "--path", str(book[0]), "--model", str(posed[0])]
    words += ["--holdout", "4", "--output", str(tmp_path / "scene")]
    assert program("normalize_scene")(words) == 0
    scene = load_scene(tmp_path / "scene")
    assert len(scene.frames) == 10
    assert scene.masked == tuple(i for i in range(10) if i != NO_MASK)
    assert len(set(zip(scene.cameras.widths, scene.cameras.heights, strict=True))) == 4
    pages = scene.to_source.inverse().apply(scene_of(book, posed[0]).points)
    assert (np.linalg.norm(pages, axis=1) < 1).mean() > 0.95
    assert (tmp_path / "scene" / "overview.png").stat().st_size > 0


def test_too_few_placed_photos_are_refused(book, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(9):
        photo = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        if i < 4:
            photo = read_image(book[0] / "images" / f"{2 * i + 1}.jpg")
        write_image(tmp_path / "images" / f"{i}.png", photo)
    with pytest.raises(InputError, match=r"of the 9 photos in .* could be placed"):
        run(tmp_path, tmp_path / "model")
    assert not (tmp_path / "model").exists()
