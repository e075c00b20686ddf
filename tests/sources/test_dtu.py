"""Scans in the NeuS layout: what is read, what is refused, and the scene that becomes of them."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.images.files import write_image
from neus.scene.cameras import Cameras
from neus.scene.reading import load_images, load_scene
from neus.scene.similarity import Similarity
from neus.sources import check_source
from neus.sources.dtu import read_dtu
from tests.helpers.places import ROOT
from tests.helpers.synthetic_captures import ellipsoid_masks, ring_cameras, scene_on_disk

SPHERE = Similarity(150.0, np.eye(3), np.array([10.0, -20, 640]))
COUNT = 11


def neus_matrices(cameras: Cameras) -> dict[str, np.ndarray]:
    """``cameras_sphere.npz`` as NeuS writes it: float32, integer pixel centres."""
    matrices = {}
    for i in range(len(cameras)):
        intrinsics = cameras.intrinsics[i].copy()
        intrinsics[:2, 2] -= 0.5
        world_to_camera = np.linalg.inv(np.vstack([cameras.camera_to_world[i], [0, 0, 0, 1]]))
        projection = np.eye(4)
        projection[:3] = intrinsics @ world_to_camera[:3]
        matrices[f"world_mat_{i}"] = projection.astype(np.float32)
        matrices[f"world_mat_inv_{i}"] = np.linalg.inv(projection).astype(np.float32)
        matrices[f"scale_mat_{i}"] = SPHERE.matrix.astype(np.float32)
        matrices[f"scale_mat_inv_{i}"] = SPHERE.inverse().matrix.astype(np.float32)
    return matrices


@pytest.fixture
def cameras() -> Cameras:
    ring = ring_cameras(COUNT, distance=3.5)
    return ring.transformed(SPHERE)


@pytest.fixture
def scan(tmp_path, cameras) -> Path:
    masks = ellipsoid_masks(cameras, SPHERE.translation, np.full(3, 100.0))
    scene_on_disk(tmp_path, cameras, masks)
    save_matrices(tmp_path, neus_matrices(cameras))
    return tmp_path


def rewrite(scan: Path, **changes: np.ndarray | None) -> None:
    with np.load(scan / "cameras_sphere.npz") as content:
        matrices = {key: content[key] for key in content.files} | changes
    save_matrices(scan, {key: value for key, value in matrices.items() if value is not None})


def save_matrices(scan: Path, matrices: dict[str, np.ndarray]) -> None:
    np.savez(scan / "cameras_sphere.npz", allow_pickle=False, **matrices)


def test_cameras_images_masks_and_sphere_are_read(scan, cameras):
    capture = read_dtu(scan, masks=True)
    scene = capture.scene
    np.testing.assert_allclose(scene.cameras.intrinsics, cameras.intrinsics, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(
        scene.cameras.camera_to_world, cameras.camera_to_world, rtol=1e-4, atol=1e-2
    )
    points = SPHERE.apply(np.random.default_rng(0).normal(size=(20, 3)) / 3)
    for i in range(COUNT):  # in pixels, with the half pixel between the two conventions
        np.testing.assert_allclose(
            scene.cameras.project(i, points)[0], cameras.project(i, points)[0], atol=2e-3
        )
    assert [frame.name for frame in scene.frames] == [f"{i:06d}" for i in range(COUNT)]
    assert scene.frames[10].mask == scan / "mask" / "010.png"
    assert len(load_images(scene)) == COUNT
    assert (scene.unit, scene.test, len(scene.points)) == ("mm", (), 0)
    np.testing.assert_array_equal(scene.to_source.matrix, np.eye(4))
    assert capture.sphere is not None
    np.testing.assert_allclose(capture.sphere.matrix, SPHERE.matrix, rtol=1e-6)


def test_masks_are_left_alone_unless_wanted(scan):
    assert not read_dtu(scan, masks=False).scene.masked


def test_cameras_npz_stands_in(scan):
    (scan / "cameras_sphere.npz").rename(scan / "cameras.npz")
    assert read_dtu(scan, masks=True).sphere is not None


def test_a_scan_without_scale_mats_states_no_sphere(scan):
    rewrite(scan, **{f"scale_mat_{i}": None for i in range(COUNT)})
    rewrite(scan, **{f"scale_mat_inv_{i}": None for i in range(COUNT)})
    assert read_dtu(scan, masks=True).sphere is None


def remove(name):
    return lambda scan: (scan / name).unlink()


SHEARED = np.diag([100.0, 100, 1, 1]) + np.pad([[50.0]], ((0, 3), (1, 2)))
STRETCHED = np.diag([150.0, 150, 100, 1])
BREAKAGES = {
    "no cameras": (
        remove("cameras_sphere.npz"),
        "found no file of cameras",
    ),
    "npz is text": (
        lambda scan: (scan / "cameras_sphere.npz").write_text("x"),
        "what NumPy cannot read",
    ),
    "six images fewer": (
        lambda scan: [(scan / f"image/{i:06}.png").unlink() for i in range(6)],
        "11 cameras for 5 images",
    ),
    "K apart from R and t": (
        lambda scan: rewrite(scan, world_mat_3=np.eye(4)),
        "world_mat_3: found a focal length of 1 pixels, .* multiply K into",
    ),
    "camera_mat alone": (
        lambda scan: save_matrices(scan, {f"camera_mat_{i}": np.eye(4) for i in range(COUNT)}),
        "found camera_mat_i alone, expected world_mat_i, .* the key sphere",
    ),
    "a camera of nan": (
        lambda scan: rewrite(scan, world_mat_3=np.full((4, 4), np.nan)),
        "world_mat_3: found NaN or infinity",
    ),
    "a camera of zeros": (
        lambda scan: rewrite(scan, world_mat_3=np.zeros((4, 4))),
        "world_mat_3: found no camera",
    ),
    "skew": (lambda scan: rewrite(scan, world_mat_3=SHEARED), "world_mat_3: found sheared pixels"),
    "two spheres": (
        lambda scan: rewrite(scan, scale_mat_2=2 * SPHERE.matrix),
        "scale_mat_2: found another sphere than in scale_mat_0",
    ),
    "an ellipsoid": (
        lambda scan: rewrite(scan, **{f"scale_mat_{i}": STRETCHED for i in range(COUNT)}),
        "scale_mat_0: found what is not a similarity",
    ),
    "one mask fewer": (remove("mask/007.png"), r"no mask for 1 of 11 images \(000007\.png\)"),
    "an empty image": (
        lambda scan: (scan / "image/000002.png").write_bytes(b""),
        r"000002\.png: found no image inside",
    ),
    "garbage for a mask": (
        lambda scan: (scan / "mask/002.png").write_bytes(b"garbage" * 9),
        r"002\.png: found a file that cannot be read as an image",
    ),
    "half an image": (
        lambda scan: (scan / "image/000002.png").write_bytes(
            (scan / "image/000001.png").read_bytes()[:9000]
        ),
        r"000002\.png: found a file that is cut off",
    ),
    "another size": (
        lambda scan: [
            write_image(scan / name, np.zeros((9, 12), np.uint8))
            for name in ("image/000005.png", "mask/005.png")
        ],
        r"000005\.png is 12x9\), expected one size .*120x90 for most",
    ),
    "a small mask": (
        lambda scan: write_image(scan / "mask/005.png", np.zeros((9, 12), np.uint8)),
        r"005\.png is 12x9, its image .*000005\.png 120x90",
    ),
}


@pytest.mark.parametrize("what", BREAKAGES)
def test_a_broken_scan_is_refused_in_one_sentence(scan, what):
    break_it, sentence = BREAKAGES[what]
    break_it(scan)
    with pytest.raises(InputError, match=sentence) as error:
        check_source("dtu", scan, masks="all")
    assert "\n" not in str(error.value)
    assert str(scan) in str(error.value)


def test_missing_folders_are_refused(scan, tmp_path):
    with pytest.raises(InputError, match="nowhere: found no such folder"):
        check_source("dtu", tmp_path / "nowhere", masks="all")
    (scan / "mask").rename(scan / "silhouettes")
    with pytest.raises(InputError, match="masks/ or mask/"):
        check_source("photos", scan, masks="all")
    check_source("photos", scan, masks="none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"found no photo, expected images \(\.avif, \.bmp"):
        check_source("photos", tmp_path / "empty", masks="none")


def test_rotated_axes_survive(scan, cameras):
    """A sphere may turn the axes as well."""
    turned = SPHERE @ Similarity(1.0, Rotation.from_rotvec([0, 0, 1]).as_matrix(), np.zeros(3))
    rewrite(scan, **{f"scale_mat_{i}": turned.matrix for i in range(COUNT)})
    sphere = read_dtu(scan, masks=True).sphere
    assert sphere is not None
    np.testing.assert_allclose(sphere.matrix, turned.matrix, atol=1e-9)


def test_the_program_writes_the_scan_as_a_scene(scan, cameras, capsys):
    main = runpy.run_path(str(ROOT / "scripts" / "normalize_scene.py"))["main"]
    arguments = ["--path", str(scan), "--output", str(scan / "scene"), "--downscale", "2"]
    assert main(["--source", "dtu", *arguments]) == 0
    assert "11 images" in capsys.readouterr().err
    scene = load_scene(scan / "scene")
    assert scene.test == (0, 8)
    assert len(scene.masked) == len(scene.frames)
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
    for i in range(COUNT):
        expected = cameras.project(i, scene.to_source.apply(points))[0] / 2
        np.testing.assert_allclose(scene.cameras.project(i, points)[0], expected, atol=2e-3)
    with pytest.raises(InputError, match=r"run estimate_poses\.py first"):
        main(["--source", "photos", *arguments])
    assert main(["--source", "dtu", *arguments[:-2], "--image-size", "40x30"]) == 0
    scene = load_scene(scan / "scene")
    assert {*zip(scene.cameras.widths, scene.cameras.heights, strict=True)} == {(40, 30)}
