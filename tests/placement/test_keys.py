"""The keys sphere, up and scale: what they mean, and one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neus.errors import InputError
from neus.placement.keys import scale_from, sphere_from, up_from
from neus.placement.normalize import Ball
from neus.placement.scale import Scale


def test_spheres():
    assert sphere_from("masks") == "masks"
    ball = sphere_from({"centre": [1, 2, 3], "radius": 4})
    assert isinstance(ball, Ball)
    np.testing.assert_array_equal(ball.centre, [1, 2, 3])
    assert ball.radius == 4
    box = sphere_from({"low": [-1, -2, -2], "high": [1, 2, 2]})
    assert isinstance(box, Ball)
    np.testing.assert_array_equal(box.centre, 0)
    assert box.radius == 3  # the corners lie on the sphere


def test_up():
    positions = Scale(None, "gps", "m")
    assert up_from("auto", "photos", None) == "cameras"
    assert up_from("auto", "dtu", None) == "source"
    assert up_from("auto", "photos", positions) == "source"
    assert up_from("ground", "dtu", None) == "ground"
    assert up_from([0, 2, 0], "dtu", None) == (0, 2, 0)


def test_scales():
    assert scale_from(None, "mm") is None
    scale = scale_from({"distance": 30, "between": [[0, 0, 1], {"a.jpg": [1, 2]}]}, "mm")
    assert scale == Scale(((0, 0, 1), {"a.jpg": (1, 2)}, 30), None, "mm")
    assert scale_from({"positions": "gps"}, None) == Scale(None, "gps", "m")
    assert scale_from({"positions": "a.txt"}, "ft") == Scale(None, Path("a.txt"), "ft")


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda: sphere_from("mask"), "sphere: 'mask' is neither auto"),
        (lambda: sphere_from({"centre": [0, 0], "radius": 1}), "sphere: .* is neither"),
        (lambda: sphere_from({"centre": [0, 0, 0], "radius": 0}), "radius 0.0 is not positive"),
        (lambda: sphere_from({"low": [0, 0, 0], "high": [1, 1, 0]}), "must be larger"),
        (lambda: up_from("up", "dtu", None), "up: 'up' is neither"),
        (lambda: up_from([0, 0, 0], "dtu", None), "is no direction"),
        (lambda: scale_from({"distance": 1}, None), "distance and between, or positions"),
        (lambda: scale_from({"distance": 1, "between": [[0, 0, 0]]}, None), "two marks"),
        (lambda: scale_from({"distance": 1, "between": ["a", "b"]}, None), "'a' is no mark"),
        (lambda: scale_from({"positions": "gps"}, "mm"), "gps are in metres"),
    ],
)
def test_mistakes(read, sentence):
    with pytest.raises(InputError, match=sentence):
        read()
