"""Cameras and spheres that cannot be right are refused before anything runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from neus.errors import InputError
from neus.pipeline.plausible import check_plausible
from neus.pipeline.preflight import check_inputs
from neus.placement import Ball, SphereChoice
from neus.scene import Cameras, Similarity
from neus.sources.capture import Capture
from tests.helpers.foreign_scans import change_poses, read, write_scan
from tests.helpers.synthetic_captures import ring_cameras
from tests.pipeline.test_preflight import NEUS, with_defaults

FLIP = np.diag([1.0, -1, -1, 1])


def capture(tmp_path, cameras: Cameras | None = None) -> Capture:
    write_scan(tmp_path)
    found = read(tmp_path)[0]
    if cameras is None:
        return found
    return replace(found, scene=replace(found.scene, cameras=cameras))


def refused(capture: Capture, sphere: SphereChoice = "auto", **keys: bool) -> str:
    with pytest.raises(InputError) as error:
        check_plausible(capture, sphere, "scan", **keys)
    assert re.fullmatch(r".+: found .+, expected .+: .+", str(error.value))
    return str(error.value)


def test_a_ring_of_cameras_passes_with_any_sphere_around_its_middle(tmp_path):
    ring = capture(tmp_path)
    spheres: list[SphereChoice] = ["auto", "cameras", "points"]
    for sphere in (*spheres, Ball(np.zeros(3), 1.0), Ball(np.zeros(3), 6.0)):
        check_plausible(ring, sphere, "scan")


def test_other_axes_are_recognised_and_the_remedy_works(tmp_path):
    write_scan(tmp_path, change_poses(lambda i, m: m @ FLIP))
    assert "OpenCV's axes (y down, z forward), expected OpenGL's" in refused(read(tmp_path)[0])
    assert "OpenCV's axes" in refused(read(tmp_path)[0], Ball(np.zeros(3), 1.0))
    content = write_scan(tmp_path, change_poses(lambda i, m: m @ FLIP)) | {"from_na": True}
    (tmp_path / "transforms.json").write_text(json.dumps(content))
    check_plausible(read(tmp_path)[0], "auto", "scan")


def test_points_tell_axes_too(tmp_path):
    """Those of a cloud about the middle, which cameras on a ring look at, or away from."""
    cloud = np.random.default_rng(0).normal(0, 0.2, (5000, 3))

    def with_points(found: Capture, points: np.ndarray) -> Capture:
        rgb = np.zeros((len(points), 3), np.uint8)
        return replace(found, scene=replace(found.scene, points=points, points_rgb=rgb))

    check_plausible(with_points(capture(tmp_path), cloud), "auto", "scan")
    write_scan(tmp_path, change_poses(lambda i, m: m @ FLIP))
    flipped = read(tmp_path)[0]
    assert "OpenCV's axes" in refused(with_points(flipped, cloud))
    assert "OpenCV" not in refused(with_points(flipped, cloud), names_axes=False)
    around = 40 * cloud / np.linalg.norm(cloud, axis=1, keepdims=True)
    assert "OpenCV" not in refused(with_points(flipped, around))  # walls, seen from within


def test_cameras_that_show_nothing_in_common(tmp_path):
    outwards = ring_cameras(6, size=(32, 24), focal=30.0, elevations=(0.0, 0.0))
    poses = outwards.camera_to_world * [-1.0, 1, -1, 1]
    apart = replace(outwards, camera_to_world=poses)
    assert "away from each other" in refused(capture(tmp_path, apart))
    said = refused(capture(tmp_path, apart), names_axes=False)
    assert "no two cameras that see the same thing" in said


def test_spheres_that_cannot_be_right(tmp_path):
    ring = capture(tmp_path)
    assert "in the middle of which all cameras stand" in refused(ring, Ball(np.zeros(3), 4000.0))
    assert "pixels wide in the image" in refused(ring, Ball(np.zeros(3), 0.004))
    assert "which no camera sees" in refused(ring, Ball(np.array([0.0, 0, 40]), 5.0))
    stated = replace(ring, sphere=Similarity(5.0, np.eye(3), np.array([0.0, 0, 40])))
    assert "which no camera sees" in refused(stated)
    check_plausible(stated, Ball(np.zeros(3), 1.0), "scan")


def test_one_place(tmp_path):
    ring = capture(tmp_path)
    poses = ring.scene.cameras.camera_to_world.copy()
    poses[:, :, 3] = 1
    with pytest.raises(InputError, match="taken from one place"):
        check_plausible(
            capture(tmp_path, replace(ring.scene.cameras, camera_to_world=poses)), "auto", "scan"
        )


def test_all_faults_of_a_configuration_at_once(tmp_path):
    write_scan(tmp_path / "a", lambda content: content.update(fl_x=-1, fl_y=-2))
    keys = {"reference": {"kind": "mesh", "path": "gone.ply"}, "intrinsics": "K.txt"}
    scans = [
        with_defaults(
            name="a", source="nerfstudio", path=str(tmp_path / "a"), up=[0, 0, 0], **keys
        ),
        with_defaults(name="b", source="photos", path="nowhere", sphere={"radius": 1}),
    ]
    with pytest.raises(InputError) as error:
        check_inputs(scans, [NEUS, NEUS.with_name("nothing.yaml")])
    said = "\n".join(error.value.sentences)
    for fault in (
        "nothing.yaml does not exist", "scan a: up: [0, 0, 0]", "key fl_x: found -1",
        "scan a: K.txt does not exist", "scan a: gone.ply does not exist", "scan b: sphere:",
        "scan b: the folder nowhere does not exist",
    ):  # fmt: skip
        assert fault in said
    assert str(error.value).startswith(f"{len(error.value.sentences)} things are missing or wrong:")


def test_results_among_the_photos_are_refused(tmp_path):
    write_scan(tmp_path)
    scan = with_defaults(name="a", source="nerfstudio", path=str(tmp_path))
    check_inputs([scan], [NEUS], results=tmp_path / "out")  # the images lie in images/
    with pytest.raises(InputError, match=r"key results: found .* among the images of scan a"):
        check_inputs([scan], [NEUS], results=tmp_path / "images" / "out")
    check_inputs([scan], [NEUS], results=tmp_path / "images" / "results")
