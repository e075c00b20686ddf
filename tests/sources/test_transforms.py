"""``transforms.json`` of nerfstudio, instant-ngp and Blender: cameras against known ones."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.images.files import write_image
from neus.scene.cameras import OPENGL_FROM_OPENCV, Cameras
from neus.scene.reading import load_image, load_mask
from neus.scene.similarity import Similarity
from neus.scene.writing import write_scene
from neus.sources.transforms import read_blender, read_nerfstudio
from tests.helpers.synthetic_captures import ellipsoid_masks, ring_cameras, scene_on_disk

COUNT = 6
APPLIED = Similarity(0.25, Rotation.from_rotvec([0.1, 2, -1]).as_matrix(), np.array([1.0, 2, 3]))


def opengl(pose: np.ndarray) -> list[list[float]]:
    matrix = np.eye(4)
    matrix[:3] = pose
    matrix[:3, :3] = matrix[:3, :3] @ OPENGL_FROM_OPENCV
    return matrix.tolist()


@pytest.fixture
def cameras() -> Cameras:
    return ring_cameras(COUNT)


def write_images(folder: Path, count: int = COUNT) -> None:
    rng = np.random.default_rng(0)
    for i in range(count):
        noise = rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)
        write_image(folder / "images" / f"frame_{i + 1:05}.png", noise)


def write_json(folder: Path, cameras: Cameras, **keys: object) -> dict:
    frames = [
        {"file_path": f"images/frame_{i + 1:05}.png", "transform_matrix": opengl(pose)}
        for i, pose in enumerate(cameras.camera_to_world)
    ]
    content = {"fl_x": 110, "fl_y": 110.0, "w": 120, "h": 90.0, "frames": frames} | keys
    (folder / "transforms.json").write_text(json.dumps(content))
    return content


def test_cameras_of_instant_ngp_stand_once_for_all_frames(tmp_path, cameras):
    write_images(tmp_path)
    write_json(tmp_path, cameras, cx=60, cy=45, aabb_scale=4, camera_angle_x=0.9)
    scene = read_nerfstudio(tmp_path, masks="auto").scene
    np.testing.assert_allclose(scene.cameras.intrinsics, cameras.intrinsics)
    np.testing.assert_allclose(scene.cameras.camera_to_world, cameras.camera_to_world, atol=1e-12)
    assert [frame.name for frame in scene.frames][:2] == ["frame_00001", "frame_00002"]
    assert scene.masked == ()
    assert len(load_image(scene, 3)) == 90


def test_what_nerfstudio_applied_is_undone_and_its_split_kept(tmp_path, cameras):
    write_images(tmp_path)
    matrix = APPLIED.matrix[:3] / APPLIED.scale
    content = write_json(
        tmp_path,
        cameras.transformed(APPLIED),
        applied_transform=matrix.tolist(),
        applied_scale=APPLIED.scale,
        test_filenames=["./images/frame_00002.png"],
    )
    for i, frame in enumerate(content["frames"]):
        frame |= {"fl_x": 100.0 + i, "mask_path": f"m/{i}.png"} if i != 4 else {}
        write_image(tmp_path / "m" / f"{i}.png", np.full((90, 120), 10 * i, np.uint8))
    (tmp_path / "transforms.json").write_text(json.dumps(content))
    scene = read_nerfstudio(tmp_path, masks="auto").scene
    np.testing.assert_allclose(scene.cameras.camera_to_world, cameras.camera_to_world, atol=1e-9)
    assert scene.cameras.intrinsics[3, 0, 0] == 103
    assert scene.test == (1,)
    assert scene.masked == (0, 1, 2, 3, 5)
    assert load_mask(scene, 3)[0, 0] == 30
    with pytest.raises(InputError, match=r"found none in 1 of 6 frames \(frame_00005\.png\)"):
        read_nerfstudio(tmp_path, masks="all")
    assert read_nerfstudio(tmp_path, masks="none").scene.masked == ()


def test_a_scene_of_ours_reads_back_in_the_frame_of_its_source(tmp_path, cameras):
    masks = ellipsoid_masks(cameras, np.zeros(3), np.full(3, 0.8))
    points = np.random.default_rng(0).normal(size=(30, 3)) / 3
    source = scene_on_disk(tmp_path / "raw", cameras, masks, points)
    moved = Similarity(40.0, APPLIED.rotation, np.array([5.0, 6, 7]))
    scene = type(source)(
        source.frames, cameras, moved, "mm", (2,), source.points, source.points_rgb
    )
    write_scene(scene, tmp_path / "scene", downscale=1, holdout=0, threads=1)
    read = read_nerfstudio(tmp_path / "scene", masks="auto").scene
    expected = cameras.transformed(moved)
    np.testing.assert_allclose(read.cameras.camera_to_world, expected.camera_to_world, atol=1e-9)
    np.testing.assert_allclose(read.points, moved.apply(points), atol=1e-4)
    assert (read.unit, read.test, read.masked) == ("mm", (2,), tuple(range(COUNT)))


@pytest.mark.parametrize("is_fisheye", [False, True])
def test_a_lens_that_distorts_is_taken_out(tmp_path, cameras, is_fisheye):
    """A photo of rings about the axis: where they lie after undistortion is known."""
    y, x = np.indices((90, 120)) + 0.5
    u, v = (x - 60) / 110, (y - 45) / 110
    if is_fisheye:
        keys = {"camera_model": "OPENCV_FISHEYE", "k1": 0.0}
        theta = np.hypot(u, v)
        radius = np.tan(theta)
    else:
        keys = {"k1": 0.1}
        radius = np.hypot(u, v)
        for _ in range(50):  # r (1 + k r^2) = distorted
            radius = np.hypot(u, v) / (1 + 0.1 * radius**2)
    photo = np.rint(127 + 120 * np.cos(20 * radius)).astype(np.uint8)
    for i in range(COUNT):
        name = tmp_path / "images" / f"frame_{i + 1:05}.png"
        write_image(name, np.repeat(photo[:, :, None], 3, axis=2))
    write_json(tmp_path, cameras, cx=60, cy=45, **keys)
    scene = read_nerfstudio(tmp_path, masks="auto").scene
    intrinsics = scene.cameras.intrinsics[0]
    pinhole = np.hypot((x - 60) / intrinsics[0, 0], (y - 45) / intrinsics[1, 1])
    expected = 127 + 120 * np.cos(20 * pinhole)
    error = np.abs(load_image(scene, 0)[:, :, 0] - expected)[3:-3, 3:-3]
    assert np.quantile(error, 0.95) < 6
    assert np.abs(photo - expected)[3:-3, 3:-3].max() > 15


@pytest.fixture
def blender(tmp_path, cameras) -> Path:
    masks = ellipsoid_masks(cameras, np.zeros(3), np.full(3, 0.8))
    angle = 2 * math.atan(120 / 2 / 110)
    for split, chosen in (("train", range(4)), ("test", range(4, COUNT))):
        frames = []
        for number, i in enumerate(chosen):
            pose = opengl(cameras.camera_to_world[i])
            frames.append({"file_path": f"./{split}/r_{number}", "transform_matrix": pose})
            rgba = np.full((90, 120, 4), 200, np.uint8)
            rgba[:, :, 3] = masks[i]
            rgba[masks[i] == 0] = [255, 0, 255, 0]  # colours that nobody may see
            write_image(tmp_path / split / f"r_{number}.png", rgba)
        content = {"camera_angle_x": angle, "frames": frames}
        (tmp_path / f"transforms_{split}.json").write_text(json.dumps(content))
    return tmp_path


def test_blender_splits_and_alpha_channels(blender, cameras):
    scene = read_blender(blender, masks="auto").scene
    names = ["test_r_0", "test_r_1", *(f"train_r_{i}" for i in range(4))]
    assert [frame.name for frame in scene.frames] == names
    assert scene.test == (0, 1)
    order = [4, 5, 0, 1, 2, 3]
    np.testing.assert_allclose(scene.cameras.intrinsics[0], cameras.intrinsics[0])
    np.testing.assert_allclose(
        scene.cameras.camera_to_world, cameras.camera_to_world[order], atol=1e-12
    )
    alpha = cv2.imread(str(blender / "train" / "r_0.png"), cv2.IMREAD_UNCHANGED)
    assert alpha is not None
    np.testing.assert_array_equal(load_mask(scene, 2), alpha[:, :, 3])


def test_hidden_colours_do_not_bleed_into_smaller_images(blender, tmp_path):
    scene = read_blender(blender, masks="auto").scene
    write_scene(scene, tmp_path / "scene", downscale=3, holdout=8, threads=1)
    written = read_nerfstudio(tmp_path / "scene", masks="auto").scene
    assert written.test == (0, 1), "the source's own split takes the place of holdout"
    image, mask = load_image(written, 2), load_mask(written, 2)
    assert ((mask > 0) & (mask < 255)).sum() > 20
    assert (image[mask > 0] == 200).all()


def test_unusable_files_are_refused_in_one_sentence(tmp_path, cameras):
    with pytest.raises(InputError, match=r"transforms\.json: found no such file"):
        read_nerfstudio(tmp_path, masks="auto")
    write_images(tmp_path, 3)
    content = write_json(tmp_path, cameras)
    with pytest.raises(InputError, match=r"3 of 6 images that do not exist .*frame_00006\.png"):
        read_nerfstudio(tmp_path, masks="auto")
    write_images(tmp_path)
    for keys, sentence in (
        ({"w": 640}, "found an image of 120x90 where the file says 640x90"),
        ({"camera_model": "EQUIRECTANGULAR"}, "found EQUIRECTANGULAR, expected one of OPENCV"),
        ({"frames": []}, "found an empty list"),
        ({"frames": [{"file_path": "images/frame_00001.png"}]}, "transform_matrix: found none"),
        ({"applied_transform": np.zeros((3, 4)).tolist()}, "found no transformation"),
    ):
        write_json(tmp_path, cameras, **keys)
        with pytest.raises(InputError, match=sentence):
            read_nerfstudio(tmp_path, masks="auto")
    content["frames"][0]["transform_matrix"][0][0] = 7
    (tmp_path / "transforms.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"frame .*frame_00001\.png, key transform_matrix: found"):
        read_nerfstudio(tmp_path, masks="auto")
    (tmp_path / "transforms.json").write_text("{")
    with pytest.raises(InputError, match="line 1, column 2: found"):
        read_nerfstudio(tmp_path, masks="auto")
