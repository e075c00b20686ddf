"""Pairs of photos: all of few, and of many those that look alike and neighbours."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from neus.poses.pairing import (
    ALL_PAIRS_UP_TO,
    LOOPS,
    NEIGHBOURS,
    PairingChoice,
    choose_pairs,
    global_descriptors,
)


def places(count: int, places: int) -> list[np.ndarray]:
    """SIFT-like descriptors of photos; every so many show the same place."""
    rng = np.random.default_rng(0)
    seen = [rng.integers(0, 256, (80, 128)) for _ in range(places)]
    noise = [rng.normal(0, 10, (80, 128)) for _ in range(count)]
    return [np.clip(seen[i % places] + noise[i], 0, 255).astype(np.uint8) for i in range(count)]


def names(count: int) -> list[str]:
    return [f"{i:04}.jpg" for i in range(count)]


def paired(descriptors: list[np.ndarray], choice: PairingChoice) -> list[tuple[str, str]]:
    by_name = dict(zip(names(len(descriptors)), descriptors, strict=True))
    return choose_pairs(list(by_name), by_name.__getitem__, choice, 0)


def test_few_photos_are_matched_all():
    assert paired(places(5, 1), "auto") == list(combinations(names(5), 2))


def test_photos_of_the_same_place_are_matched_however_far_apart():
    pairs = set(paired(places(60, 20), "similar"))
    for i, j in combinations(range(60), 2):
        if i % 20 == j % 20 or j - i <= NEIGHBOURS:
            assert (f"{i:04}.jpg", f"{j:04}.jpg") in pairs
    assert len(pairs) == len({tuple(sorted(pair)) for pair in pairs})


def test_frames_of_a_video_are_matched_with_neighbours_and_to_close_loops():
    count = 120
    pairs = paired(places(count, 40), "sequential")
    assert ("0000.jpg", "0010.jpg") in pairs
    assert ("0000.jpg", "0080.jpg") in pairs
    assert len(pairs) < count * (NEIGHBOURS + 3 + LOOPS)


def test_many_photos_are_not_matched_all():
    count = ALL_PAIRS_UP_TO + 50
    sparse = [d[:40] for d in places(count, 10)]
    pairs = paired(sparse, "auto")
    assert len(pairs) < count * (count - 1) / 2 / 2
    assert pairs == paired(sparse, "auto")


def test_photos_without_features_are_like_no_other_and_do_no_harm():
    none = np.zeros((0, 128), np.uint8)
    vectors = global_descriptors([*places(4, 2), none], 0)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0])
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.3
    assert paired([none] * 3, "similar")


@pytest.mark.parametrize("choice", ["auto", "exhaustive", "sequential", "similar"])
def test_one_photo_has_no_pair(choice):
    assert paired(places(1, 1), choice) == []
