"""Fewer faces: manifold, close to all of them, and with their looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neus.mesh.simplification import manifold, simplified
from tests.helpers.painted_sphere import painted, sphere
from tests.helpers.shapes import assert_watertight, mesh_of, torus, volume


def test_few_faces_are_manifold_and_close_to_all_of_them() -> None:
    full = mesh_of(torus, 96)
    few = simplified(full, 2000)
    assert len(few.faces) <= 2000 < len(full.faces)
    assert_watertight(few.faces)
    assert np.abs(torus(few.vertices)).max() < 0.01
    assert volume(few) == pytest.approx(volume(full), rel=0.01)
    far = replace(full, vertices=full.vertices + 1e6)  # beyond what float32 tells apart
    moved = simplified(far, 2000)
    assert np.abs(torus(moved.vertices - 1e6)).max() < 0.01


def test_looks_are_carried_over() -> None:
    ball = replace(sphere(), colours=painted(sphere().vertices))
    few = simplified(ball, 500)
    assert few.normals is not None
    assert few.colours is not None
    radii = np.linalg.norm(few.vertices, axis=1, keepdims=True)
    assert ((few.normals * few.vertices / radii).sum(axis=1) > 0.99).all()
    assert np.abs(few.colours.astype(int) - painted(few.vertices)).mean() < 12
    as_it_is = simplified(ball, 10**6)
    assert len(as_it_is.faces) == len(ball.faces)


def test_of_faces_that_share_a_directed_edge_the_largest_stays() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 2], [0.5, 0, 0]])
    faces = np.array([[0, 1, 2], [0, 1, 3], [1, 0, 2], [0, 4, 1]])
    kept = manifold(vertices, faces)
    assert sorted(map(tuple, kept.tolist())) == [(0, 1, 3), (1, 0, 2)]  # no needle, no second
