"""The dialects of ``transforms.json``: each is read as the cameras that were written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neus.images import write_image
from neus.scene import Similarity, load_mask
from tests.helpers.foreign_scans import (
    COUNT,
    SIZE,
    assert_read,
    cameras,
    change_poses,
    masks,
    numbered,
    opengl,
    picture,
    read,
    without_intrinsics,
    write_scan,
)

WORLD = Similarity(2.0, np.eye(3)[[1, 2, 0]], np.array([1.0, -2, 3]))
FLIP = np.diag([1.0, -1, -1, 1])


def test_instant_ngp(tmp_path):
    def edit(content):
        content |= {
            "aabb_scale": 16,
            "k1": 0,
            "camera_angle_x": 0.1,
            "scale": 0.33,
            "offset": [0, 0, 0],
        }
        for frame in content["frames"]:
            frame["file_path"] = "./" + frame["file_path"].removesuffix(".png")
            frame["sharpness"] = 30.5

    write_scan(tmp_path, edit, files=numbered(), names=numbered())
    assert_read(read(tmp_path)[0])


def test_neus2(tmp_path):
    def edit(content):
        without_intrinsics(content)
        content |= {"from_na": True, "w": SIZE[0], "h": SIZE[1], "scale": 0.5}
        for i, frame in enumerate(content["frames"]):
            matrix = np.eye(4)
            matrix[:3, :3] = cameras().intrinsics[i]
            pose = np.array(frame["transform_matrix"]) @ FLIP
            frame |= {"intrinsic_matrix": matrix.tolist(), "transform_matrix": pose.tolist()}

    write_scan(tmp_path, edit)
    for i, (name, mask) in enumerate(zip(numbered(), masks(), strict=True)):
        write_image(tmp_path / name, np.dstack([picture(i), mask]))
    capture, _ = read(tmp_path)
    assert_read(capture)
    assert len(capture.scene.masked) == COUNT
    np.testing.assert_array_equal(load_mask(capture.scene, 2), masks()[2])


def test_sdfstudio(tmp_path):
    frames = []
    for i, pose in enumerate(cameras().camera_to_world):
        matrix = np.eye(4)
        matrix[:3] = WORLD.inverse().apply_to_poses(pose[None])[0]
        intrinsics = np.eye(4)
        intrinsics[:3, :3] = cameras().intrinsics[i]
        names = {"rgb_path": f"{i:06}_rgb.png", "foreground_mask": f"{i:06}_foreground_mask.png"}
        write_image(tmp_path / names["rgb_path"], picture(i))
        write_image(tmp_path / names["foreground_mask"], masks()[i])
        frames.append(names | {"camtoworld": matrix.tolist(), "intrinsics": intrinsics.tolist()})
    content = {
        "camera_model": "OPENCV",
        "height": SIZE[1],
        "width": SIZE[0],
        "has_mono_prior": False,
        "worldtogt": WORLD.matrix.tolist(),
        "scene_box": {"aabb": [[-1, -1, -1], [1, 1, 1]], "radius": 1.5},
        "frames": frames,
    }
    (tmp_path / "meta_data.json").write_text(json.dumps(content))
    capture, _ = read(tmp_path)
    assert_read(capture)
    assert len(capture.scene.masked) == COUNT
    assert capture.sphere is not None
    assert capture.sphere.scale == pytest.approx(1.5 * WORLD.scale)
    np.testing.assert_allclose(capture.sphere.translation, WORLD.translation)


def test_what_was_applied_is_undone_from_three_rows_or_four(tmp_path):
    moved = Similarity(1.0, WORLD.rotation, WORLD.translation)

    def edit(content, rows):
        content["applied_transform"] = moved.matrix[:rows].tolist()
        content["applied_scale"] = 0.25
        scaled = Similarity(0.25, moved.rotation, 0.25 * moved.translation)
        for frame, pose in zip(content["frames"], cameras().camera_to_world, strict=True):
            frame["transform_matrix"] = opengl(scaled.apply_to_poses(pose[None])[0]).tolist()

    for rows in (3, 4):
        write_scan(tmp_path / str(rows), lambda content, rows=rows: edit(content, rows))
        assert_read(read(tmp_path / str(rows))[0])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_any_unicode_encoding(tmp_path, encoding):
    write_scan(tmp_path)
    file = tmp_path / "transforms.json"
    file.write_text(file.read_text(), encoding=encoding)
    assert_read(read(tmp_path)[0])


def test_the_file_itself_may_be_the_path(tmp_path):
    write_scan(tmp_path, name="other.json")
    assert_read(read(tmp_path / "other.json")[0])


def test_blender_without_images_of_the_test_frames(tmp_path):
    write_scan(tmp_path, name="transforms_train.json", names=numbered("./train/r_{}.png"))
    content = json.loads((tmp_path / "transforms_train.json").read_text())
    for i, frame in enumerate(content["frames"]):
        frame["file_path"] = f"./test/r_{i}"
    (tmp_path / "transforms_test.json").write_text(json.dumps(content))
    capture, said = read(tmp_path, "blender")
    assert_read(capture)
    assert capture.scene.test == ()
    assert "transforms_test.json: none of its frames has an image: a flight" in said


@pytest.mark.parametrize(
    ("written", "source"),
    [("transforms.json", "blender"), ("transforms_train.json", "nerfstudio")],
)
def test_either_source_reads_the_other_s_file(tmp_path, written, source):
    write_scan(tmp_path, name=written)
    assert_read(read(tmp_path, source)[0])


def test_three_digits_and_a_uniform_scale_become_rotations_and_it_is_said(tmp_path):
    def rounded(i, matrix):
        matrix[:3, :3] = matrix[:3, :3].round(3)
        return matrix

    write_scan(tmp_path / "a", change_poses(rounded))
    capture, said = read(tmp_path / "a")
    assert_read(capture, atol=2e-3)
    rotations = capture.scene.cameras.camera_to_world[:, :, :3]
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (COUNT, 1, 1)), atol=1e-12
    )
    assert "6 poses are rounded (R^T R is up to 0.00" in said
    write_scan(tmp_path / "b", change_poses(lambda i, m: m * [[0.25] * 3 + [1]]))
    capture, said = read(tmp_path / "b")
    assert_read(capture)
    assert "the columns of 6 poses have length 0.25, not 1" in said
