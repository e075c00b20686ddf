"""Numbers in a page: what comes out is what went in, within the steps that are stated."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from neus.page import packing

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(0, 50), st.sampled_from([np.uint8, np.int8, np.uint16]))
def test_arrays_come_back_as_they_were(seed: int, count: int, kind: type) -> None:
    info = np.iinfo(kind)
    values = np.random.default_rng(seed).integers(info.min, info.max, (count, 3)).astype(kind)
    np.testing.assert_array_equal(packing.unpacked(packing.packed(values)), values)
    flat = values[:, 0]
    np.testing.assert_array_equal(packing.unpacked(packing.packed(flat)), flat)


@given(SEEDS, st.floats(1e-3, 1e4))
def test_points_are_half_a_step_off_at_most(seed: int, size: float) -> None:
    points = size * np.random.default_rng(seed).normal(size=(40, 3)) * [1, 5, 0]
    found = packing.quantised(points)
    half = np.array(found["step"]) / 2
    assert (np.abs(packing.points_of(found) - points) <= half * (1 + 1e-6) + 1e-12 * size).all()
    np.testing.assert_allclose(half, np.ptp(points, axis=0) / packing.STEPS / 2)


def test_no_points_are_no_points() -> None:
    assert packing.points_of(packing.quantised(np.zeros((0, 3)))).shape == (0, 3)


@given(SEEDS)
def test_directions_turn_by_the_stated_angle_at_most(seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(500, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = packing.directions_of(packing.octahedral(vectors))
    cosine = np.clip((found * vectors).sum(axis=1), -1, 1)
    assert np.degrees(np.arccos(cosine)).max() < 1.2


def test_axes_and_their_opposites_are_exact() -> None:
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    np.testing.assert_allclose(packing.directions_of(packing.octahedral(axes)), axes, atol=1e-12)


def test_blocks_do_not_colour_their_neighbours() -> None:
    """One black block among white ones leaves these white, which a shrunk channel would not."""
    image = np.full((24, 24, 3), 255, np.uint8)
    image[8:16, 8:16] = [200, 0, 0]
    kind, content = packing.blocks_picture(image).split(",")
    assert kind == "data:image/jpeg;base64"
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).astype(int)
    outside = np.ones((24, 24), bool)
    outside[8:16, 8:16] = False
    assert (found[outside] == 255).all()
    assert np.abs(found[8:16, 8:16] - [200, 0, 0]).max() < 8


def test_pictures_keep_their_size() -> None:
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    content = packing.picture(image).split(",")[1]
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (30, 20)
    assert packing.picture(image, 30) != packing.picture(image, 90)


@pytest.mark.parametrize("value", [np.float64(1.5), np.int64(3)])
def test_only_what_the_page_can_read_is_packed(value: np.generic) -> None:
    """The page knows three types; arrays of others must not get that far unnoticed."""
    content = packing.packed(np.array([value]))
    assert content["type"] not in ("uint8", "int8", "uint16")
