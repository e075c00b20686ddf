"""Which pixels look at the unit sphere, by its polynomial, against rays that are made."""

from __future__ import annotations

import numpy as np
import pytest

from neus.scene import Cameras
from neus.stereo.depth_maps import meets_sphere
from tests.helpers.textured_scenes import cone_of_cameras


def by_rays(cameras: Cameras, view: int) -> np.ndarray:
    origins, directions = cameras.rays(view, cameras.pixel_grid(view))
    middle = -(origins * directions).sum(axis=1)
    squared = (origins**2).sum(axis=1) - middle**2
    meets = (squared < 1) & (middle + np.sqrt(np.maximum(1 - squared, 0)) > 0)
    return meets.reshape(cameras.heights[view], cameras.widths[view])


@pytest.mark.parametrize("focal", [20, 120, 900])
@pytest.mark.parametrize("far", [0.2, 0.7, 2.0])
def test_pixels_that_meet_the_sphere_are_those_of_the_rays(focal: float, far: float):
    """Centres within the sphere and beyond it, looking at it, past it and away from it."""
    rng, cameras = np.random.default_rng(0), cone_of_cameras(9, width=61, height=47, focal=focal)
    poses = cameras.camera_to_world.copy()
    poses[:, :, 3] *= far / 3
    for view in range(3, 9):
        poses[view, :, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    cameras = Cameras(cameras.intrinsics, poses, cameras.widths, cameras.heights)
    shares = []
    for view in range(9):
        found = meets_sphere(cameras, view)
        np.testing.assert_array_equal(found, by_rays(cameras, view))
        shares.append(found.mean())
    assert max(shares) > 0.1
    assert far < 1 or min(shares) == 0
