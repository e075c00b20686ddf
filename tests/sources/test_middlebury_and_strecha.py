"""Cameras in the text files of Middlebury and of Strecha, and the real dinoSparseRing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neus.errors import InputError
from neus.images.files import write_image
from neus.placement.normalize import normalize
from neus.scene.cameras import Cameras
from neus.scene.reading import Scene, load_mask
from neus.sources.middlebury import read_middlebury
from neus.sources.strecha import read_strecha
from tests.helpers.synthetic_captures import ring_cameras, scene_on_disk

COUNT = 5


@pytest.fixture
def cameras() -> Cameras:
    return ring_cameras(COUNT)


@pytest.fixture
def middlebury(tmp_path, cameras) -> Path:
    lines = [str(COUNT)]
    for i, pose in enumerate(cameras.camera_to_world):
        write_image(tmp_path / f"dino{i}.png", np.full((90, 120, 3), 90, np.uint8))
        intrinsics = cameras.intrinsics[i].copy()
        intrinsics[:2, 2] -= 0.5
        rotation, centre = pose[:, :3].T, pose[:, 3]
        numbers = np.concatenate([intrinsics, rotation]).ravel().tolist()
        numbers += (-rotation @ centre).tolist()
        lines.append(f"dino{i}.png " + " ".join(map(repr, numbers)))
    (tmp_path / "dino_par.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_middlebury_against_known_cameras(middlebury, cameras):
    scene = read_middlebury(middlebury, masks="auto").scene
    np.testing.assert_allclose(scene.cameras.intrinsics, cameras.intrinsics)
    np.testing.assert_allclose(scene.cameras.camera_to_world, cameras.camera_to_world, atol=1e-12)
    assert scene.masked == tuple(range(COUNT))
    assert (load_mask(scene, 0) == 255).all()
    assert scene.unit == "m"


def test_unusable_lists_of_middlebury_are_refused(middlebury):
    file = middlebury / "dino_par.txt"
    good = file.read_text()
    for text, sentence in (
        (good.replace("dino3.png", "dino9.png"), r"1 of 5 images that do not exist \(dino9\.png\)"),
        (good.replace("dino1.png", "dino1.png 1.0"), "found no rotation"),
        (good.replace("dino1.png ", "dino1.png x"), "expected 21 numbers"),
        ("5\n", "found no camera"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=sentence):
            read_middlebury(middlebury, masks="auto")
    file.unlink()
    with pytest.raises(InputError, match=r"found 0 files \*_par\.txt"):
        read_middlebury(middlebury, masks="auto")


@pytest.fixture
def strecha(tmp_path, cameras) -> Path:
    scene_on_disk(tmp_path, cameras, None)
    (tmp_path / "cameras").mkdir()
    for i, pose in enumerate(cameras.camera_to_world):
        rows = [*cameras.intrinsics[i], [0, 0, 0], *pose[:, :3], pose[:, 3], [120, 90]]
        text = "\n".join(" ".join(map(str, row)) for row in rows)
        (tmp_path / "cameras" / f"{i:06}.png.camera").write_text(text)
    return tmp_path


def test_strecha_against_known_cameras(strecha, cameras):
    scene = read_strecha(strecha, masks="auto").scene
    np.testing.assert_allclose(scene.cameras.intrinsics, cameras.intrinsics)
    np.testing.assert_allclose(scene.cameras.camera_to_world, cameras.camera_to_world)
    assert scene.masked == ()


def test_unusable_cameras_of_strecha_are_refused(strecha):
    file = strecha / "cameras" / "000003.png.camera"
    good = file.read_text()
    for text, sentence in (
        (good.replace("120 90", "640 460"), "an image of 120x90, but .* is for 640x460"),
        (good + " 1", "expected 26 numbers"),
        ("one", "expected 26 numbers"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=sentence):
            read_strecha(strecha, masks="auto")
    file.unlink()
    with pytest.raises(InputError, match=r"000003\.png\.camera: found no such file"):
        read_strecha(strecha, masks="auto")
    for other in (strecha / "cameras").iterdir():
        other.unlink()
    with pytest.raises(InputError, match=r"found no 000000\.png\.camera"):
        read_strecha(strecha, masks="auto")


BOX = np.array([[-0.061897, -0.018874, -0.057845], [0.010897, 0.068227, 0.015495]])
"""Of the object, as the README of the data set states it."""


def hull_of(scene: Scene, masks: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    """The points that no image sees off its mask."""
    inside = np.ones(len(points), dtype=bool)
    for i, mask in enumerate(masks):
        pixels, depth = scene.cameras.project(i, points)
        shown = scene.cameras.in_image(i, pixels, depth)
        x, y = pixels[shown].astype(int).T
        inside[np.flatnonzero(shown)[mask[y, x] <= 127]] = False
    return points[inside]


def test_the_hull_of_dino_fills_its_masks_and_lies_in_its_box(real_scan):
    import cv2

    capture = read_middlebury(real_scan("middlebury/dinoSparseRing"), masks="auto")
    scene = capture.scene
    masks = [load_mask(scene, i) for i in range(len(scene.frames))]
    axes = [np.linspace(low, high, 80) for low, high in (BOX + np.array([[-0.012], [0.012]])).T]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    hull = hull_of(scene, masks, grid)
    np.testing.assert_allclose(
        np.ptp(hull[:, [0, 2]], axis=0), np.ptp(BOX[:, [0, 2]], axis=0), rtol=0.03
    )
    overlaps = []
    for i, mask in enumerate(masks):
        pixels, depth = scene.cameras.project(i, hull)
        x, y = pixels[scene.cameras.in_image(i, pixels, depth)].astype(int).T
        filled = np.zeros(mask.shape, np.uint8)
        filled[y, x] = 1
        filled = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)) > 0
        overlaps.append((filled & (mask > 127)).sum() / (filled | (mask > 127)).sum())
    assert min(overlaps) > 0.92
    assert np.mean(overlaps) > 0.95
    normalised = normalize(capture, sphere="auto", up="source")
    assert 0.04 < normalised.to_source.scale < np.linalg.norm(np.ptp(BOX, axis=0))
    centre = normalised.to_source.inverse().apply(BOX.mean(axis=0, keepdims=True))
    assert np.linalg.norm(centre) < 0.5
