"""Poses from photos: a rendered capture with a known lens, and a real one with known cameras."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2  # before pycolmap, see import_pycolmap
import numpy as np
import pycolmap
import pytest
from lenses import lens, normalized_plane
from scipy.spatial.transform import Rotation
from synthetic_captures import ring_cameras

from neus.cameras import Cameras
from neus.errors import InputError
from neus.images import read_image, write_image
from neus.poses import Registration, estimate_poses
from neus.scene import load_images, load_masks, read_mask
from neus.similarity import umeyama
from neus.sources.colmap import read_colmap
from neus.sources.photos import find_photos

ANGLES = (10.0, 80.0)


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
    """Ten photos by two cameras, the second with fewer pixels, and one photo of something else."""
    folder = tmp_path_factory.mktemp("book")
    cameras = ring_cameras(
        10, distance=3.0, azimuths=ANGLES, elevations=(0.0, 25.0), focus=np.array([0.5, 0.5, 0])
    )
    for i in range(10):
        camera = lens(400, 300, 0.08) if i % 2 else lens(320, 240, -0.05)
        photo, mask = book_photo(cameras, i, normalized_plane(camera))
        write_image(folder / "images" / f"{i}.png", photo)
        write_image(folder / "masks" / f"{i}.png", mask)
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    write_image(folder / "images" / "99.png", noise)
    write_image(folder / "masks" / "99.png", noise)
    return folder, cameras


def run(book: Path, output: Path, threads: int = 2) -> tuple[Registration, list[str]]:
    photos, lines = find_photos(book, masks=True), []
    registration = estimate_poses(
        photos.images,
        photos.masks,
        output,
        max_size=1600,
        seed=0,
        threads=threads,
        report=lines.append,
    )
    return registration, lines


@pytest.fixture(scope="module")
def posed(book, tmp_path_factory) -> tuple[Path, Registration, list[str]]:
    output = tmp_path_factory.mktemp("posed") / "model"
    return output, *run(book[0], output)


def pose_errors(cameras: Cameras, reference: Cameras) -> tuple[np.ndarray, np.ndarray]:
    """Errors of centres, as a part of the largest distance, and of rotations in degrees.

    After the similarity that brings the centres together, and without the turn that all cameras
    share: a principal point that is held at the centre of the image turns all of them alike.
    """
    moved = cameras.transformed(umeyama(cameras.centres, reference.centres))
    apart = np.linalg.norm(reference.centres[:, None] - reference.centres, axis=2).max()
    turns = Rotation.from_matrix(
        reference.camera_to_world[:, :, :3].transpose(0, 2, 1) @ moved.camera_to_world[:, :, :3]
    )
    own = (turns * turns.mean().inv()).magnitude()
    return np.linalg.norm(moved.centres - reference.centres, axis=1) / apart, np.degrees(own)


def test_photos_are_placed_and_the_one_of_something_else_is_named(posed):
    output, registration, lines = posed
    assert (registration.images, registration.registered) == (11, 10)
    assert registration.left_out == ("99.png",)
    assert "not registered: 99.png" in lines
    assert any("2 lenses" in line for line in lines)
    assert json.loads((output / "registration.json").read_text())["left_out"] == ["99.png"]
    assert sorted(p.name for p in output.iterdir()) == [
        "images",
        "masks",
        "registration.json",
        "sparse",
    ]


def test_poses_and_points_are_right(posed, book):
    scene = read_colmap(posed[0], masks=True).scene
    cameras = book[1]
    assert [frame.name for frame in scene.frames] == [str(i) for i in range(10)]
    centres, rotations = pose_errors(scene.cameras, cameras)
    assert np.median(centres) < 0.005
    assert np.median(rotations) < 0.1
    points = umeyama(scene.cameras.centres, cameras.centres).apply(scene.points)
    assert len(points) > 200
    assert len(scene.points_rgb) == len(points)
    assert np.median(np.abs(points[:, :2]).min(axis=1)) < 0.01  # on one of the pages


def test_model_photos_and_masks_are_undistorted_alike(posed):
    model = pycolmap.Reconstruction(posed[0] / "sparse")
    stated = model.compute_mean_reprojection_error()
    model.update_point_3d_errors()  # with pinholes, from the observations that were moved
    assert stated < 0.3
    assert model.compute_mean_reprojection_error() == pytest.approx(stated, rel=0.05)
    scene = read_colmap(posed[0], masks=True).scene
    for i, (image, mask) in enumerate(zip(load_images(scene), load_masks(scene), strict=True)):
        assert image.shape == ((300, 400, 3) if i % 2 else (240, 320, 3))
        assert ((image.max(axis=2) > 20) == (mask > 127)).mean() > 0.99


def test_equal_seeds_give_equal_poses_on_any_number_of_threads(posed, book, tmp_path):
    run(book[0], tmp_path / "again", threads=1)
    for name in ("cameras.bin", "images.bin", "points3D.bin"):
        again = (tmp_path / "again" / "sparse" / name).read_bytes()
        assert again == (posed[0] / "sparse" / name).read_bytes()


def test_photos_that_do_not_overlap_are_refused_and_nothing_is_left(book, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(3):
        noise = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        write_image(tmp_path / "images" / f"{i}.png", noise)
        write_image(tmp_path / "masks" / f"{i}.png", noise)
    with pytest.raises(InputError, match="overlap by two thirds"):
        run(tmp_path, tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "masks"]


def test_too_few_placed_photos_are_refused(book, tmp_path):
    rng = np.random.default_rng(0)
    for i in range(9):
        photo = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        if i < 4:
            photo = read_image(book[0] / "images" / f"{2 * i + 1}.png")
        write_image(tmp_path / "images" / f"{i}.png", photo)
        write_image(tmp_path / "masks" / f"{i}.png", photo)
    with pytest.raises(InputError, match=r"of the 9 photos in .* could be placed"):
        run(tmp_path, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_models_that_cannot_be_used_are_refused(posed, tmp_path):
    with pytest.raises(InputError, match=r"run estimate_poses\.py first"):
        read_colmap(tmp_path, masks=False)
    (tmp_path / "sparse").mkdir()
    with pytest.raises(InputError, match="no readable COLMAP model"):
        read_colmap(tmp_path, masks=False)
    model = pycolmap.Reconstruction(posed[0] / "sparse")
    model.write_text(tmp_path / "sparse")
    with pytest.raises(InputError, match=r"0\.png, named in the COLMAP model, does not exist"):
        read_colmap(tmp_path, masks=False)
    (tmp_path / "images").symlink_to(posed[0] / "images")
    assert len(read_colmap(tmp_path, masks=False).scene.frames) == 10
    with pytest.raises(InputError, match="with --masks"):
        read_colmap(tmp_path, masks=True)
    text = (tmp_path / "sparse" / "cameras.txt").read_text()
    (tmp_path / "sparse" / "cameras.txt").write_text(text.replace("PINHOLE", "OPENCV_FISHEYE"))
    with pytest.raises(InputError):
        read_colmap(tmp_path, masks=False)
    assert read_mask(posed[0] / "masks" / "0.png").shape == (240, 320)


def strecha_cameras(folder: Path, names: list[str]) -> Cameras:
    """Reference cameras of Strecha et al., CVPR 2008: K, zeros, rotation, centre, size."""
    numbers = np.array(
        [(folder / f"{name}.jpg.camera").read_text().split() for name in names], dtype=np.float64
    )
    count = len(names)
    rotations, centres = numbers[:, 12:21].reshape(count, 3, 3), numbers[:, 21:24, None]
    return Cameras(
        numbers[:, :9].reshape(count, 3, 3),
        np.concatenate([rotations, centres], axis=2),
        *numbers[:, 24:].astype(int).T,
    )


def fountain_folder() -> Path:
    beside = Path(__file__).parents[1] / ".." / "shared" / "data"
    return Path(os.environ.get("NEUS_DATA", beside)) / "strecha" / "fountain-P11"


@pytest.mark.slow
@pytest.mark.skipif(not fountain_folder().is_dir(), reason="set NEUS_DATA to a folder with strecha")
def test_fountain_against_its_reference_cameras(tmp_path, capsys):
    photos = find_photos(fountain_folder(), masks=False)
    registration = estimate_poses(
        photos.images, None, tmp_path / "model", max_size=1600, seed=0, threads=2, report=print
    )
    assert registration.registered == registration.images == 11
    scene = read_colmap(tmp_path / "model", masks=False).scene
    names = [frame.name for frame in scene.frames]
    reference = strecha_cameras(fountain_folder() / "gt_dense_cameras", names)
    centres, rotations = pose_errors(scene.cameras, reference)
    with capsys.disabled():
        print(
            f"\nfountain-P11: median centre error {100 * np.median(centres):.3f} % of the largest "
            f"distance, median rotation error {np.median(rotations):.3f} degrees, "
            f"{registration.seconds:.0f} s"
        )
    assert np.median(centres) <= 0.001
    assert np.median(rotations) <= 0.1
