"""What jobs are expected to take longer than the demo's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neus.config import load_method
from neus.pipeline import DEMO_PICTURES as DEMO
from neus.pipeline import flight_size, poses_size, stereo_size, training_size, views_size
from neus.pipeline.sizes import ALL_STEREO_PIXELS, STEREO_PIXELS
from neus.stereo.settings import StereoSettings


def test_the_demo_is_of_its_own_size():
    sizes = [poses_size(DEMO), stereo_size(DEMO), views_size(DEMO)]
    assert [*sizes, flight_size(DEMO, 60, 480, learned=False)] == pytest.approx([1, 1, 1, 1])


def test_work_grows_with_pictures_and_their_pixels_and_a_part_of_it_does_not():
    more = replace(DEMO, count=10 * DEMO.count)
    larger = replace(DEMO, pixels=10 * DEMO.pixels, stored=10 * DEMO.stored)
    for size in (stereo_size, views_size, poses_size):
        assert 5 < size(more) < 10
    assert views_size(larger) == pytest.approx(views_size(more))
    assert 1.5 < poses_size(larger) < 3
    assert 3 < views_size(DEMO, learned=True) < 3.5


def test_what_is_made_smaller_takes_no_longer():
    huge = replace(DEMO, pixels=100 * DEMO.pixels)
    assert stereo_size(huge) == stereo_size(replace(DEMO, pixels=STEREO_PIXELS))
    assert flight_size(huge, 60, 400, learned=False) == pytest.approx(1)
    assert flight_size(huge, 60, None, learned=False) > 80
    settings = StereoSettings()
    assert (settings.pixels, settings.all_pixels) == (STEREO_PIXELS, ALL_STEREO_PIXELS)
    many = replace(huge, count=10_000)
    assert stereo_size(many) == stereo_size(replace(many, count=20_000))


def test_steps_take_as_long_as_they_have_samples_but_on_a_card():
    overrides = {"training": {"steps": 8000, "samples": 16384}}
    method = load_method(None, overrides)
    assert training_size(method, on_card=True) == pytest.approx(2)
    assert 3 < training_size(method, on_card=False) < 4
