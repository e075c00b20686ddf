"""Faces at the centres of pixels, beside a loop over all of them; values linear in space."""

from __future__ import annotations

import numpy as np
import pytest

from neus.mesh.rasterising import interpolated, rasterised
from neus.scene import Cameras, look_at

WIDTH, HEIGHT = 24, 18


@pytest.fixture
def camera() -> Cameras:
    lens = np.array([[[30.0, 0, 12.3], [0, 28, 8.6], [0, 0, 1]]])
    pose = look_at(np.array([0.3, -2, 0.5]), np.zeros(3), np.array([0.0, 0, 1]))
    return Cameras(lens, pose[None], np.array([WIDTH]), np.array([HEIGHT]))


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_face_is_seen_and_values_are_linear_on_it(camera: Cameras, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.uniform(-0.8, 0.8, (30, 3))
    vertices[0] = [0, -4, 0]  # behind the camera, with its faces
    faces = rng.permuted(np.tile(np.arange(30), (20, 1)), axis=1)[:, :3]
    pixels, depth = camera.project(0, vertices)
    seen, nearness = rasterised(pixels, depth, faces, HEIGHT, WIDTH)
    origins, rays = camera.rays(0, camera.pixel_grid(0))
    nearest = np.full(len(rays), np.inf)
    owner = np.full(len(rays), -1)
    for number, corners in enumerate(faces):
        if 0 in corners:
            continue
        a, b, c = vertices[corners]
        for ray, (origin, direction) in enumerate(zip(origins, rays, strict=True)):
            t, v, w = np.linalg.solve(np.stack([-direction, b - a, c - a], axis=1), origin - a)
            if min(t, v, w, 1 - v - w) >= 0 and t < nearest[ray]:
                nearest[ray], owner[ray] = t, number
    np.testing.assert_array_equal(seen.ravel(), owner)
    hits = owner >= 0
    points = origins[hits] + nearest[hits, None] * rays[hits]
    assert hits.any()
    np.testing.assert_allclose(1 / nearness.ravel()[hits], camera.project(0, points)[1], rtol=1e-9)
    slope = rng.normal(size=(3, 2))
    found = interpolated(seen, pixels, depth, faces, vertices @ slope)
    np.testing.assert_allclose(found, points @ slope, atol=1e-5)
