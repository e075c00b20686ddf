"""COLMAP models of others: text and binary, any ids, several cameras, distorted or not."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2  # before pycolmap, see import_pycolmap
import numpy as np
import pycolmap
import pytest

from neus.errors import InputError
from neus.images.files import write_image
from neus.scene.cameras import Cameras
from neus.scene.reading import load_image, load_mask
from neus.sources.colmap import read_colmap
from tests.helpers import foreign_scans
from tests.helpers.foreign_models import write_model
from tests.helpers.foreign_scans import read
from tests.helpers.lenses import lens
from tests.helpers.synthetic_captures import ring_cameras

COUNT = 6
PINHOLE = pycolmap.Camera(model="PINHOLE", width=120, height=90, params=[110, 111, 61, 44])
DISTORTED = lens(100, 80, -0.1)
NAMES = [f"{'left' if i % 2 else 'right'}/{i}.png" for i in range(COUNT)]


def add_images(model: pycolmap.Reconstruction, cameras: Cameras, names: list[str]) -> None:
    """Even images through the pinhole, odd ones through the lens; points seen by some."""
    points = np.random.default_rng(0).normal(size=(20, 3)) / 4
    for camera, camera_id in ((PINHOLE, 7), (DISTORTED, 42)):
        camera.camera_id = camera_id
        model.add_camera_with_trivial_rig(camera)
    for i, name in enumerate(names):
        camera = DISTORTED if i % 2 else PINHOLE
        pose = np.eye(4)
        pose[:3] = cameras.camera_to_world[i]
        cam_from_world = pycolmap.Rigid3d(np.linalg.inv(pose)[:3])
        in_camera = points @ cam_from_world.rotation.matrix().T + cam_from_world.translation
        pixels = camera.img_from_cam(in_camera)
        assert pixels is not None
        image = pycolmap.Image(name, pixels, camera.camera_id, 10 * i + 3)
        model.add_image_with_trivial_frame(image, cam_from_world)
    for j, point in enumerate(points):
        track = pycolmap.Track()
        for i in range(COUNT if j < 15 else 2):  # what two images see is left out
            track.add_element(10 * i + 3, j)
        model.add_point3D(point, track, np.array([j, 2 * j, 3 * j], np.uint8))


@pytest.fixture
def cameras() -> Cameras:
    return ring_cameras(COUNT)


@pytest.fixture
def capture(tmp_path, cameras) -> Path:
    """Photos of two cameras in two folders, with a binary model; unregistered is left out."""
    model = pycolmap.Reconstruction()
    add_images(model, cameras, NAMES)
    (tmp_path / "sparse" / "0").mkdir(parents=True)
    model.write_binary(tmp_path / "sparse" / "0")
    rng = np.random.default_rng(1)
    for i, name in enumerate([*NAMES, "left/unregistered.png"]):
        width, height = (100, 80) if i % 2 else (120, 90)
        write_image(
            tmp_path / "images" / name, rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        )
    return tmp_path


def test_ids_folders_and_lenses(capture, cameras):
    scene = read_colmap(capture, masks="auto").scene
    order = [1, 3, 5, 0, 2, 4]
    assert [frame.name for frame in scene.frames] == [str(i) for i in order]
    np.testing.assert_allclose(
        scene.cameras.camera_to_world, cameras.camera_to_world[order], atol=1e-9
    )
    np.testing.assert_allclose(scene.cameras.intrinsics[3], [[110, 0, 61], [0, 111, 44], [0, 0, 1]])
    assert list(scene.cameras.widths) == [100] * 3 + [120] * 3
    assert len(scene.points) == 15
    assert scene.unit == "COLMAP units"
    assert sorted(scene.points_rgb[:, 0]) == list(range(15))
    assert load_image(scene, 0).shape == (80, 100, 3)  # undistorted on the way
    stored = cv2.imread(str(capture / "images" / NAMES[0]))
    assert stored is not None
    np.testing.assert_array_equal(load_image(scene, 3), stored[:, :, ::-1])
    assert np.abs(load_image(scene, 0).astype(int) - load_image(scene, 0)[::-1]).max() > 0


def test_text_and_binary_are_the_same(capture, tmp_path):
    binary = read_colmap(capture, masks="auto").scene
    model = pycolmap.Reconstruction(capture / "sparse" / "0")
    (tmp_path / "text").mkdir()
    model.write_text(tmp_path / "text")
    text = read_colmap(capture, masks="auto", model=tmp_path / "text").scene
    np.testing.assert_allclose(text.cameras.camera_to_world, binary.cameras.camera_to_world)
    np.testing.assert_allclose(text.cameras.intrinsics, binary.cameras.intrinsics)
    np.testing.assert_allclose(np.sort(text.points, 0), np.sort(binary.points, 0))


def test_the_largest_of_several_models_is_taken_and_said(capture, cameras):
    few = pycolmap.Reconstruction()
    add_images(few, cameras, NAMES)
    few.deregister_frame(few.image(3).frame_id)
    (capture / "sparse" / "1").mkdir()
    few.write_binary(capture / "sparse" / "1")
    lines: list[str] = []
    scene = read_colmap(capture, masks="auto", report=lines.append).scene
    assert len(scene.frames) == COUNT
    assert "0: 6, 1: 5 images): 0 is taken" in lines[0]


def test_masks_lie_in_the_same_subfolders_and_may_be_missing(capture):
    for i, name in enumerate(NAMES[:4]):
        width, height = (100, 80) if i % 2 else (120, 90)
        write_image(capture / "masks" / f"{name}.png", np.full((height, width), 50 * i, np.uint8))
    scene = read_colmap(capture, masks="auto").scene
    names = [scene.frames[i].name for i in scene.masked]
    assert names == ["1", "3", "0", "2"]
    assert load_mask(scene, 1)[40, 50] == 150
    with pytest.raises(InputError, match=r"no mask for 2 of 6 images \(4\.png, 5\.png\)"):
        read_colmap(capture, masks="all")
    assert read_colmap(capture, masks="none").scene.masked == ()
    assert len(read_colmap(capture, masks="own").scene.masked) == COUNT


def test_models_that_cannot_be_used_are_refused(capture, tmp_path):
    with pytest.raises(InputError, match="nowhere: found no COLMAP model"):
        read_colmap(tmp_path / "nowhere", masks="auto")
    write_image(capture / "images" / NAMES[0], np.zeros((90, 141, 3), np.uint8))
    with pytest.raises(InputError, match=r"1 images of 141x90 whose cameras are 120x90 \(0\.png\)"):
        read_colmap(capture, masks="auto")
    for name in NAMES[:3]:
        (capture / "images" / name).unlink()
    with pytest.raises(InputError, match=r"3 of 6 images that do not exist .*right/0\.png"):
        read_colmap(capture, masks="auto")
    (capture / "sparse" / "0" / "images.bin").write_bytes(b"x")
    with pytest.raises(InputError, match=r"what COLMAP cannot read .*images\.bin of 1 bytes"):
        read_colmap(capture, masks="auto")


# --- files as people keep them: missing ones, names with blanks, models without points -----------


def test_rigs_with_several_cameras_are_read(tmp_path):
    """Two cameras on one rig, as COLMAP 3.12 writes them: the second is posed by the first."""
    scan = write_model(tmp_path)
    model = pycolmap.Reconstruction()
    poses = foreign_scans.cameras().camera_to_world
    rig = pycolmap.Rig(rig_id=1)
    for i in (1, 2):
        camera = pycolmap.Camera(model="PINHOLE", width=32, height=24, params=[30, 30, 16, 12])
        camera.camera_id = i
        model.add_camera(camera)
    square = [np.vstack([pose, [0, 0, 0, 1]]) for pose in poses]
    second = np.linalg.inv(square[1]) @ square[0]
    rig.add_ref_sensor(pycolmap.sensor_t(type=pycolmap.SensorType.CAMERA, id=1))
    rig.add_sensor(
        pycolmap.sensor_t(type=pycolmap.SensorType.CAMERA, id=2), pycolmap.Rigid3d(second[:3])
    )
    model.add_rig(rig)
    for k in range(3):
        frame = pycolmap.Frame(frame_id=k + 1, rig_id=1)
        for c in (1, 2):
            frame.add_data_id(
                pycolmap.data_t(
                    sensor_id=pycolmap.sensor_t(type=pycolmap.SensorType.CAMERA, id=c),
                    id=2 * k + c,
                )
            )
        frame.rig_from_world = pycolmap.Rigid3d(np.linalg.inv(square[2 * k])[:3])
        model.add_frame(frame)
        for c in (1, 2):
            i = 2 * k + c
            image = pycolmap.Image(f"{i - 1:04d}.png", np.zeros((0, 2)), c, i)
            image.frame_id = k + 1
            model.add_image(image)
        model.register_frame(k + 1)
    shutil.rmtree(scan / "sparse/0")
    (scan / "sparse/0").mkdir()
    for write in (model.write_text, model.write_binary):
        write(scan / "sparse/0")
        found = read(scan, "colmap")[0].scene.cameras.camera_to_world
        np.testing.assert_allclose(found[::2], poses[::2], atol=1e-9)
        expected = [square[2 * k] @ np.linalg.inv(second) for k in range(3)]
        np.testing.assert_allclose(found[1::2], np.array(expected)[:, :3], atol=1e-9)
