"""Bounded nearest distances against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from neus.metrics import nearest
from neus.metrics.nearest import nearest_distances


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    targets=st.integers(1, 60),
    queries=st.integers(0, 40),
    bound=st.sampled_from([0.3, 1.0, 1e9]),
    on_lattice=st.booleans(),
)
def test_distances_are_those_of_brute_force(
    seed: int, targets: int, queries: int, bound: float, on_lattice: bool
) -> None:
    """Lattice points repeat one another and lie at exactly the bound."""
    rng = np.random.default_rng(seed)
    draw = (
        (lambda n: rng.integers(0, 3, (n, 3)) * 1.0)
        if on_lattice
        else (lambda n: rng.random((n, 3)))
    )
    from_points, to_points = draw(queries), draw(targets)
    expected = cdist(from_points, to_points).min(axis=1)
    expected[expected >= bound] = np.inf
    for workers in (1, 2):
        found = nearest_distances(from_points, to_points, bound, workers)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_bound_itself_is_not_below_the_bound() -> None:
    targets = np.zeros((1, 3))
    queries = np.array([[20.0, 0, 0], [np.nextafter(20, 0), 0, 0]])
    np.testing.assert_array_equal(
        nearest_distances(queries, targets, 20.0), [np.inf, np.nextafter(20, 0)]
    )


def test_nothing_to_measure_to_is_infinitely_far() -> None:
    assert np.isinf(nearest_distances(np.zeros((3, 3)), np.zeros((0, 3)), 20.0)).all()


@pytest.mark.parametrize("offset", [0.0, 15.0, 30.0])
def test_many_chunks_far_off_a_sheet(monkeypatch: pytest.MonkeyPatch, offset: float) -> None:
    """The case that is slow in a k-d tree; the sheet is smooth, so the oracle is its height."""
    monkeypatch.setattr(nearest, "CHUNK", 100)
    axis = np.arange(0, 40, 0.25)
    x, y = (a.ravel() for a in np.meshgrid(axis, axis))
    sheet = np.column_stack([x, y, np.zeros(len(x))])
    above = sheet + np.array([0, 0, offset])
    found = nearest_distances(above, sheet, 20.0, workers=2)
    np.testing.assert_array_equal(found, np.full(len(sheet), offset if offset < 20 else np.inf))
