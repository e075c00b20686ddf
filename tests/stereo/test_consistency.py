"""What other views say of a depth: agreement, sight through it, and surfaces before it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.scene import Scene
from neus.stereo.consistency import Agreement, agreements, confidence, neighbours_of
from neus.stereo.depth_maps import DepthMap
from neus.stereo.maps import HostMaps, relief
from neus.stereo.settings import StereoSettings
from tests.helpers.textured_scenes import textured_scene

SETTINGS = StereoSettings()
BEHIND = 0.3
"""Scene units from the wall to what a mirror in it shows."""


def true_depths(folder: Path, shape: str) -> tuple[Scene, list[DepthMap]]:
    """As if stereo had found them everywhere."""
    scene, truths = textured_scene(folder, shape)
    return scene, [
        DepthMap(
            truth.depth.astype(np.float32),
            truth.normal.astype(np.float32),
            truth.hit.astype(np.float32),
            truth.hit,
        )
        for truth in truths
    ]


def said_of(scene: Scene, maps: list[DepthMap]) -> list[Agreement]:
    reliefs = [relief(found, scene.cameras, view, 0.4) for view, found in enumerate(maps)]
    near = neighbours_of(scene.cameras, SETTINGS.neighbours, SETTINGS.widest)
    compared = HostMaps(reliefs, scene.cameras, near, SETTINGS.tolerance)
    return agreements(compared, [found.correlation for found in maps], SETTINGS)


@pytest.mark.parametrize("shape", ["plane", "ball"])
def test_nothing_true_is_hidden(tmp_path: Path, shape: str):
    scene, maps = true_depths(tmp_path, shape)
    for found, said in zip(maps, said_of(scene, maps), strict=True):
        assert said.hidden[found.active].mean() < 0.02
        assert said.kept[found.active].mean() > 0.9


def test_what_a_mirror_shows_gives_way_to_the_surface(tmp_path: Path):
    scene, maps = true_depths(tmp_path, "plane")
    mirrored, middle = range(3), (slice(30, 42), slice(40, 56))
    for view in mirrored:
        depth, height = maps[view].depth.copy(), scene.cameras.centres[view, 2]
        depth[middle] *= (height + BEHIND) / height
        maps[view] = replace(maps[view], depth=depth)
    said = said_of(scene, maps)
    for view in mirrored:
        assert said[view].agree[middle].mean() > 1, "the three agree on what is not there"
        assert said[view].hidden[middle].mean() > 2
        assert said[view].kept[middle].mean() < 0.02
    for view in range(len(mirrored), len(maps)):
        assert said[view].kept[maps[view].active].mean() > 0.9


def test_views_that_see_something_else_take_confidence_away():
    alike, agree = torch.full((3,), 0.9), torch.tensor([4, 4, 4])
    trust = confidence(alike, agree, torch.tensor([0, 1, 4]), 0.4)
    assert trust[0] > trust[1] > trust[2] == pytest.approx(trust[0] / 2)
