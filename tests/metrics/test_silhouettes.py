"""What cameras see of a mesh, against the closed form of an ellipsoid and of two squares."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import trimesh

from neus.metrics.geometry import Surface
from neus.metrics.silhouettes import shaded, silhouette, visible_faces
from neus.scene.cameras import Cameras
from tests.helpers.places import ROOT
from tests.helpers.synthetic_captures import ellipsoid_masks, ring_cameras, scene_on_disk


def test_the_silhouette_of_an_ellipsoid_is_where_rays_meet_it():
    cameras, half_axes, centre = ring_cameras(4), np.array([0.9, 0.6, 0.4]), np.array([0.2, 0, 0.1])
    sphere = trimesh.creation.icosphere(subdivisions=5)
    mesh = Surface(centre + half_axes * sphere.vertices, sphere.faces)
    for i, mask in enumerate(ellipsoid_masks(cameras, centre, half_axes)):
        seen = silhouette(mesh, cameras, i)
        assert (seen != (mask > 127)).sum() <= 0.005 * seen.sum()
        light = shaded(mesh, cameras, i)
        assert (light[~seen] == 1).all()
        assert 0.98 < light[seen].max() <= 1
        assert light[seen].min() < 0.3


def test_the_nearest_face_is_seen_and_faces_behind_the_camera_are_not():
    pose = np.eye(3, 4)
    intrinsics = np.array([[10.0, 0, 10], [0, 10, 10], [0, 0, 1]])
    camera = Cameras(intrinsics[None], pose[None], np.array([20]), np.array([20]))
    corners = np.array([[-9.0, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]])
    square = np.array([[0, 1, 2], [0, 2, 3]])
    vertices = np.concatenate([0.5 * corners + [0, 0, 4], 0.09 * corners + [0, 0, 2], corners])
    vertices[8:, 2] = -1
    seen = visible_faces(
        Surface(vertices, np.concatenate([square + 4 * i for i in range(3)])), camera, 0
    )
    assert (seen >= 0).all()
    near = seen >= 2
    assert near.sum() == 8 * 8  # 0.81 at depth 2 is 4.05 pixels
    assert near[6:14, 6:14].all()
    assert seen.max() == 3


def test_the_benchmark_compares_silhouettes_with_masks(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    overlaps = importlib.import_module("benchmarks.own_photos").silhouette_overlaps
    cameras, half_axes = ring_cameras(3), np.array([0.9, 0.6, 0.4])
    scene = scene_on_disk(tmp_path, cameras, ellipsoid_masks(cameras, np.zeros(3), half_axes))
    sphere = trimesh.creation.icosphere(subdivisions=5)
    found = overlaps(Surface(half_axes * sphere.vertices, sphere.faces), scene)
    assert list(found) == ["000000", "000001", "000002"]
    assert min(found.values()) > 0.99
    smaller = overlaps(Surface(0.9 * half_axes * sphere.vertices, sphere.faces), scene)
    assert max(smaller.values()) == pytest.approx(0.81, abs=0.03)
