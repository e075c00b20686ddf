"""The room of the demo: where its walls are, and that it changes nothing but the background."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from neus.images.stored import read_image
from neus.sources.demo import make_demo
from neus.sources.demo.room import BOXES, HIGH, LOW, hit_room
from neus.sources.demo.sculpture import FOOT_Z
from neus.sources.demo.viewpoints import DISTANCE, ELEVATIONS
from tests.helpers.demo_scan import SMALL, coarse_reference


def test_rays_from_within_end_on_the_nearest_wall_floor_or_box():
    t, axis, side, piece = hit_room(0.0, 0.0, 1.0, 0.0, 0.0, -1.0)
    assert (t, axis, side, piece) == (1.0 - FOOT_Z, 2, 1.0, 0)
    t, axis, side, piece = hit_room(0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
    assert (t, axis, side, piece) == (HIGH[0], 0, -1.0, 0)
    low, high = np.array(BOXES[0][:3]), np.array(BOXES[0][3:])
    target = (low + high) / 2
    direction = target / np.linalg.norm(target)
    t, _, _, piece = hit_room(0.0, 0.0, 0.0, *direction)
    assert piece == 1
    point = t * direction
    assert (point > low - 1e-9).all()
    assert (point < high + 1e-9).all()


def test_only_the_floor_reaches_into_the_unit_sphere_and_cameras_stand_above_the_boxes():
    assert min(*(abs(wall) for wall in (*LOW[:2], *HIGH))) > 1.1 * DISTANCE
    lowest = 0.97 * DISTANCE * math.sin(min(ELEVATIONS) - math.radians(2))
    for box in BOXES:
        nearest = [max(low, min(0.0, high)) for low, high in zip(box[:3], box[3:], strict=True)]
        assert math.dist(nearest, (0, 0, 0)) > 1
        assert box[5] < lowest


def test_the_room_is_seen_where_the_sculpture_is_not(tmp_path: Path):
    with coarse_reference():
        make_demo(tmp_path / "scan", **SMALL, room=True)
    room, mask = (
        read_image(tmp_path / "scan" / path) for path in ("image/000000.png", "mask/000.png")
    )
    assert 0.1 < (mask == 255).mean() < 0.9
    assert (room[(mask == 0).all(axis=2)].max(axis=1) > 15).all()
    assert json.loads((tmp_path / "scan" / "scan.json").read_text())["room"] is True
