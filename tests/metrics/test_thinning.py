"""Thinning and sampling against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neus.errors import InputError
from neus.metrics.geometry import Surface
from neus.metrics.sampling import points_of_mesh
from neus.metrics.thinning import thin
from tests.helpers.dtu_loops import points_by_loop, square, thin_by_loop


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 150),
    radius=st.sampled_from([0.05, 0.2, 0.5, 1.0]),
    on_lattice=st.booleans(),
    shift=st.sampled_from([0.0, -700.0, 1e5]),
)
def test_thinning_is_the_greedy_loop(
    seed: int, count: int, radius: float, on_lattice: bool, shift: float
) -> None:
    """Lattice points meet the radius and the cubes' walls exactly, and repeat one another."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 5, (count, 3)) * radius if on_lattice else rng.random((count, 3))
    points = points + shift
    order = rng.permutation(count)
    expected = thin_by_loop(points, radius, order)
    for workers in (1, 3):
        np.testing.assert_array_equal(thin(points, radius, order, workers), expected)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spacing=st.floats(0.05, 3))
def test_points_of_mesh_agree_with_a_plain_loop(seed: int, spacing: float) -> None:
    rng = np.random.default_rng(seed)
    surface = Surface(rng.standard_normal((9, 3)), rng.integers(0, 9, (6, 3)))
    np.testing.assert_allclose(
        points_of_mesh(surface, spacing), points_by_loop(surface, spacing), atol=1e-12
    )


def test_points_of_mesh_are_about_the_spacing_apart() -> None:
    size, spacing = 5.0, 0.2
    points = points_of_mesh(square(size), spacing)
    assert len(points) == pytest.approx((2 * size / spacing) ** 2, rel=0.05)
    np.testing.assert_array_equal(points[:4], square(size).vertices)


def test_a_mesh_in_a_wrong_unit_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(InputError, match="unit of the reference"):
        points_of_mesh(square(1e5), 0.2)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_long_row_in_order_is_decided_one_by_one(backwards: bool) -> None:
    """The longest chain that there is: each point waits for the one before it."""
    points = np.column_stack([np.arange(2000) * 0.15, np.zeros(2000), np.zeros(2000)])
    order = np.arange(2000)[::-1] if backwards else np.arange(2000)
    kept = thin(points, 0.2, order, workers=2)
    np.testing.assert_array_equal(kept[order], np.arange(2000) % 2 == 0)


def test_far_outliers_are_thinned_too_and_farther_ones_refused() -> None:
    points = np.array([[0.0, 0, 0], [1e5, -1e5, 1e5], [1e5, -1e5, 1e5 + 0.1]])
    np.testing.assert_array_equal(thin(points, 0.2, np.arange(3)), [True, True, False])
    with pytest.raises(InputError, match=r"reach over more than 4.19e\+05"):
        thin(points * 10, 0.2, np.arange(3))
