"""What a person may say about where the object is and which way is up, and what is doubted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.placement.normalize import MARGIN, Ball, SphereChoice, UpChoice, normalize
from neus.scene.cameras import Cameras
from neus.scene.reading import Scene
from neus.scene.similarity import Similarity
from neus.scene.writing import write_scene
from neus.sources.capture import Capture
from tests.helpers.synthetic_captures import (
    UP,
    ellipsoid_masks,
    ellipsoid_points,
    ring_cameras,
    scene_on_disk,
)

CENTRE, HALF_AXES = np.array([0.2, -0.1, 0.15]), np.array([0.5, 0.4, 0.6])
SOURCE = Similarity(
    37.0, Rotation.from_rotvec([0.4, -2.0, 1.0]).as_matrix(), np.array([100.0, -50, 700])
)


def captured(tmp_path, cameras: Cameras, points: np.ndarray | None = None) -> Capture:
    masks = ellipsoid_masks(cameras, CENTRE, HALF_AXES)
    points = None if points is None else SOURCE.apply(points)
    return Capture(scene_on_disk(tmp_path, cameras.transformed(SOURCE), masks, points), None)


def keep_masks(capture: Capture, kept: set[int]) -> Capture:
    frames = tuple(
        frame if i in kept else replace(frame, mask=None)
        for i, frame in enumerate(capture.scene.frames)
    )
    return replace(capture, scene=replace(capture.scene, frames=frames))


def normalized(
    capture: Capture, sphere: SphereChoice = "auto", up: UpChoice = "source"
) -> tuple[Scene, str]:
    lines: list[str] = []
    scene = normalize(capture, sphere=sphere, up=up, report=lines.append)
    return scene, "\n".join(lines)


def test_masks_of_some_views_find_the_object_and_stay_partial_on_disk(tmp_path):
    capture = captured(tmp_path / "source", ring_cameras(12))
    whole, _ = normalized(capture)
    kept = {0, 1, 4, 5, 8, 9}
    scene, said = normalized(keep_masks(capture, kept))
    assert "from the masks" in said
    assert scene.masked == tuple(sorted(kept))
    assert scene.to_source.scale == pytest.approx(whole.to_source.scale, rel=0.1)
    write_scene(scene, tmp_path / "scene", downscale=1, holdout=0, threads=1)
    names = sorted(path.stem for path in (tmp_path / "scene" / "masks").iterdir())
    assert names == [f"{i:06}" for i in sorted(kept)]


def test_two_masks_are_too_few_to_find_the_object(tmp_path):
    capture = keep_masks(captured(tmp_path, ring_cameras(12)), {0, 6})
    assert "from the cameras" in normalized(capture)[1]
    with pytest.raises(InputError, match="2 images have masks, but 3 or more"):
        normalized(capture, sphere="masks")


def test_each_kind_of_evidence_can_be_asked_for(tmp_path):
    points = ellipsoid_points(200, CENTRE, HALF_AXES)
    capture = captured(tmp_path, ring_cameras(12, focus=CENTRE), points)
    for sphere in ("masks", "points", "cameras"):
        scene, said = normalized(capture, sphere=sphere)
        assert f"from the {sphere}" in said
        centre = scene.to_source.inverse().apply(SOURCE.apply(CENTRE[None]))
        assert np.linalg.norm(centre) < 0.15
        assert "warning" not in said
    with pytest.raises(InputError, match="0 sparse points, too few"):
        normalized(captured(tmp_path, ring_cameras(12)), sphere="points")


def test_a_given_ball_is_the_unit_sphere_as_it_is(tmp_path):
    stated = Similarity(1.0, np.eye(3), np.zeros(3))
    capture = replace(captured(tmp_path, ring_cameras(12)), sphere=stated)
    scene, said = normalized(capture, sphere=Ball(np.array([100.0, -50, 700]), 55.0))
    np.testing.assert_array_equal(scene.to_source.translation, [100, -50, 700])
    assert scene.to_source.scale == 55
    assert "from the configuration" in said
    assert normalized(capture)[0].to_source.scale == 1  # what the source states
    assert normalized(capture, sphere="masks")[0].to_source.scale > MARGIN


def test_up_by_the_ground_by_the_cameras_and_as_given(tmp_path):
    rng = np.random.default_rng(0)
    tilt = Rotation.from_rotvec([0.2, 0, 0]).as_matrix()
    flat = np.stack([*rng.uniform(-2, 2, (2, 300)), np.full(300, -0.6)], axis=1) @ tilt.T
    points = np.concatenate([flat, ellipsoid_points(200, CENTRE, HALF_AXES)])
    capture = captured(tmp_path, ring_cameras(12), points)
    choices: list[tuple[UpChoice, np.ndarray]] = [
        ("cameras", SOURCE.rotation @ UP),
        ("ground", SOURCE.rotation @ tilt @ UP),
        ((0.0, 3.0, 0.0), np.array([0.0, 1, 0])),
        ("source", UP),
    ]
    for up, expected in choices:
        scene, _ = normalized(capture, up=up)
        np.testing.assert_allclose(scene.to_source.rotation @ UP, expected, atol=0.01)


def on_a_line(count: int) -> Cameras:
    cameras = ring_cameras(count)
    poses = np.tile(cameras.camera_to_world[:1], (count, 1, 1))
    poses[:, :, 3] += np.linspace(-0.5, 0.5, count)[:, None] * poses[:, :, 0]
    return replace(cameras, camera_to_world=poses)


def test_cameras_on_one_line_work_with_points_but_are_warned_of(tmp_path):
    points = ellipsoid_points(200, CENTRE, HALF_AXES)
    scene, said = normalized(captured(tmp_path, on_a_line(8), points), up="cameras")
    assert "warning: all cameras stand on one line" in said
    assert len(scene.points) > 100


def test_a_wrong_sphere_is_warned_of(tmp_path):
    capture = captured(tmp_path, ring_cameras(12))
    _, said = normalized(capture, sphere=Ball(SOURCE.apply(CENTRE[None])[0], 5 * 37.0))
    assert "12 of 12 cameras stand inside the unit sphere" in said
    _, said = normalized(capture, sphere=Ball(SOURCE.apply(np.array([[0, 0, 60.0]]))[0], 37.0))
    assert "images do not show the middle of the unit sphere" in said


def test_degenerate_captures_have_each_their_sentence(tmp_path):
    capture = captured(tmp_path / "a", ring_cameras(12))
    bare = keep_masks(capture, set()).scene
    few = replace(bare, frames=bare.frames[:2], cameras=bare.cameras[:2])
    line = replace(bare, cameras=on_a_line(12).transformed(SOURCE))
    poses = bare.cameras.camera_to_world.copy()
    poses[:, :, 3] = poses[0, :, 3]
    spot = replace(bare, cameras=replace(bare.cameras, camera_to_world=poses))
    outward = bare.cameras.camera_to_world.copy()
    outward[:, :, [0, 2]] *= -1
    panorama = replace(bare, cameras=replace(bare.cameras, camera_to_world=outward))
    for scene, sentence in (
        (few, "2 images with poses: three or more"),
        (line, "parallel directions .* add masks"),
        (spot, "taken from one place"),
        (panorama, "away from each other"),
    ):
        with pytest.raises(InputError, match=sentence):
            normalized(Capture(scene, None))
