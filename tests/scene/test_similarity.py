"""Similarities: group identities, and Umeyama's least squares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neus.scene.similarity import Similarity, umeyama


def random_similarity(seed: int) -> Similarity:
    rng = np.random.default_rng(seed)
    scale = float(np.exp(rng.uniform(-3, 3)))
    return Similarity(
        scale, Rotation.from_quat(rng.normal(size=4)).as_matrix(), rng.normal(size=3) * 10
    )


similarities = st.integers(0, 2**32 - 1).map(random_similarity)
POINTS = np.random.default_rng(0).normal(size=(20, 3))


def test_apply_is_the_formula():
    quarter_turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    similarity = Similarity(2.0, quarter_turn, np.array([1.0, 0, -1]))
    np.testing.assert_allclose(similarity.apply(np.array([[3.0, 4, 5]])), [[-7, 6, 9]])
    np.testing.assert_allclose(
        similarity.apply_to_directions(np.array([[1.0, 0, 0]])), [[0, 1, 0]], atol=1e-15
    )


@given(similarities)
def test_inverse_undoes(similarity: Similarity):
    np.testing.assert_allclose(
        similarity.inverse().apply(similarity.apply(POINTS)), POINTS, atol=1e-9
    )


@given(similarities, similarities)
def test_composition_applies_the_right_one_first(second: Similarity, first: Similarity):
    composed = second @ first
    expected = second.apply(first.apply(POINTS))
    np.testing.assert_allclose(composed.apply(POINTS), expected, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(composed.matrix, second.matrix @ first.matrix, atol=1e-8)


@given(similarities)
def test_matrix_round_trip(similarity: Similarity):
    again = Similarity.from_matrix(similarity.matrix.astype(np.float32))
    np.testing.assert_allclose(again.matrix, similarity.matrix, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(again.rotation @ again.rotation.T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("diagonal", [(1, 1, 2, 1), (1, 1, -1, 1), (0, 0, 0, 1)])
def test_matrix_that_is_no_similarity_is_refused(diagonal):
    with pytest.raises(ValueError, match="not a similarity"):
        Similarity.from_matrix(np.diag(np.array(diagonal, dtype=float)))


@given(similarities)
def test_poses_move_rigidly(similarity: Similarity):
    poses = np.concatenate([np.eye(3), np.array([[1.0], [2], [3]])], axis=1)[None]
    moved = similarity.apply_to_poses(poses)
    np.testing.assert_allclose(moved[0, :, :3], similarity.rotation)
    np.testing.assert_allclose(moved[0, :, 3], similarity.apply(poses[:, :, 3])[0])


@given(similarities)
def test_umeyama_recovers_the_similarity(similarity: Similarity):
    found = umeyama(POINTS, similarity.apply(POINTS))
    np.testing.assert_allclose(found.matrix, similarity.matrix, rtol=1e-8, atol=1e-8)


@given(similarities)
def test_umeyama_on_a_plane_finds_a_rotation_and_not_a_reflection(similarity: Similarity):
    flat = POINTS * [1, 1, 0]
    found = umeyama(flat, similarity.apply(flat))
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    np.testing.assert_allclose(found.matrix, similarity.matrix, rtol=1e-8, atol=1e-8)


def test_umeyama_of_mirrored_points_is_the_best_proper_rotation():
    found = umeyama(POINTS, POINTS * [1, 1, -1])
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    residual = ((found.apply(POINTS) - POINTS * [1, 1, -1]) ** 2).sum()
    rng = np.random.default_rng(0)
    for _ in range(200):  # no other similarity does better
        rotation = Rotation.from_quat(rng.normal(size=4)).as_matrix()
        other = Similarity(found.scale, rotation, np.zeros(3))
        shift = (POINTS * [1, 1, -1]).mean(axis=0) - other.apply(POINTS).mean(axis=0)
        assert ((other.apply(POINTS) + shift - POINTS * [1, 1, -1]) ** 2).sum() >= residual


def test_umeyama_is_least_squares():
    rng = np.random.default_rng(3)
    target = random_similarity(5).apply(POINTS) + 0.1 * rng.normal(size=POINTS.shape)
    best = umeyama(POINTS, target)
    residual = ((best.apply(POINTS) - target) ** 2).sum()
    for _ in range(50):
        small = Similarity(
            float(np.exp(1e-3 * rng.normal())),
            Rotation.from_rotvec(1e-3 * rng.normal(size=3)).as_matrix(),
            1e-3 * rng.normal(size=3),
        )
        assert (((small @ best).apply(POINTS) - target) ** 2).sum() >= residual


@pytest.mark.parametrize(
    ("origin", "target", "sentence"),
    [
        (POINTS[:2], POINTS[:2], "three or more"),
        (POINTS, POINTS[:5], "pairs"),
        (np.outer(np.arange(5.0), [1, 2, 3]), POINTS[:5], "one line"),
        (np.ones((5, 3)), POINTS[:5], "one line"),
    ],
)
def test_umeyama_refuses_what_leaves_the_rotation_free(origin, target, sentence):
    with pytest.raises(ValueError, match=sentence):
        umeyama(origin, target)
