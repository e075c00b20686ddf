"""Frames of meshes that exist already: stated, given, or told by cameras."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neus.errors import InputError
from neus.exports import export_scene
from neus.metrics.frames import MeshFrame, frame_from, to_source
from neus.scene import Similarity, load_scene
from neus.sources.demo import make_demo
from tests.helpers.demo_scan import SMALL, coarse_reference
from tests.helpers.small_scenes import small_scene
from tests.metrics.test_evaluation import random_similarity

POINTS = np.random.default_rng(3).normal(size=(20, 3))


def test_the_source_and_our_sphere_are_known(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path / "scene"))
    world, _ = to_source(frame_from("world"), scene, None, None)
    sphere, _ = to_source(frame_from("scene"), scene, None, None)
    np.testing.assert_array_equal(world.apply(POINTS), POINTS)
    np.testing.assert_array_equal(sphere.apply(POINTS), scene.to_source.apply(POINTS))


def test_a_matrix_is_taken_as_it_is(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path / "scene"))
    true = random_similarity(np.random.default_rng(0))
    frame = frame_from({"similarity": true.matrix.tolist()})
    found, alignment = to_source(frame, scene, None, None)
    np.testing.assert_allclose(found.apply(POINTS), true.apply(POINTS), atol=1e-9)
    assert alignment is None


def test_the_sphere_of_the_source_is_scale_mat(tmp_path: Path) -> None:
    with coarse_reference():
        make_demo(tmp_path / "demo", **SMALL)
    scale = np.load(tmp_path / "demo" / "cameras_sphere.npz")["scale_mat_0"]
    scene = load_scene(small_scene(tmp_path / "scene"))
    found, _ = to_source(frame_from("sphere"), scene, "dtu", tmp_path / "demo")
    expected = POINTS @ scale[:3, :3].T + scale[:3, 3]
    np.testing.assert_allclose(found.apply(POINTS), expected, rtol=1e-6, atol=1e-4)
    with pytest.raises(InputError, match="states none"):
        to_source(frame_from("sphere"), scene, "nerfstudio", tmp_path / "scene")


def test_cameras_of_the_same_images_tell_the_frame(tmp_path: Path) -> None:
    """A program learnt from an export whose frame was then moved: its cameras lead back."""
    scene = load_scene(small_scene(tmp_path / "scene"))
    moved = random_similarity(np.random.default_rng(1))
    elsewhere = replace(
        scene,
        cameras=scene.cameras.transformed(moved @ scene.to_source),
        to_source=Similarity.identity(),
    )
    export_scene(
        elsewhere, tmp_path / "theirs", "colmap-text", frame="source", report=lambda line: None
    )
    frame = frame_from({"source": "colmap", "cameras": str(tmp_path / "theirs")})
    found, alignment = to_source(frame, scene, None, None)
    np.testing.assert_allclose(found.apply(moved.apply(POINTS)), POINTS, atol=1e-6)
    assert alignment is not None
    assert (alignment.cameras, alignment.residual) == (8, pytest.approx(0, abs=1e-6))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("object", "found object, expected world"),
        ({"similarity": [[1, 0], [0, 1]]}, "four rows of four"),
        ({"similarity": "eye"}, "four rows of four"),
        ({"similarity": np.diag([1.0, 2, 3, 1]).tolist()}, "not a similarity"),
        ({"similarity": np.diag([-1.0, 1, 1, 1]).tolist()}, "not a similarity"),
        ({"source": "icp", "cameras": "x"}, "expected world"),
    ],
)
def test_what_is_no_frame_is_named(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        frame_from(given)


def test_no_frame_comes_of_a_surface() -> None:
    assert set(MeshFrame.__dataclass_fields__) == {"name", "similarity", "source", "cameras"}
