"""Which pairs of photos are worth matching: all, neighbours in time, or those that look alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

PairingChoice = Literal["auto", "exhaustive", "sequential", "similar"]
Pairs = list[tuple[str, str]]

ALL_PAIRS_UP_TO = 150
"""Photos: these have 11,175 pairs, and pairs grow with the square."""
NEIGHBOURS = 10
"""Frames of a video, or photos in the order of their names, that are matched with each."""
ALIKE = 40
"""Photos that are matched with each because they look alike."""
LOOPS = 5
"""The same for frames of a video, whose neighbours are matched anyway: they close its loops."""
WORDS = 64
SAMPLES = 500
"""Descriptors of each image that say what it looks like."""


def choose_pairs(
    names: Sequence[str],
    read_descriptors: Callable[[str], UInt8[np.ndarray, "f 128"]],
    choice: PairingChoice,
    seed: int,
) -> Pairs:
    """The pairs of names to match, without doubles.

    Args:
        names: in the order in which the photos were taken.
        read_descriptors: gives the SIFT descriptors of a photo; called where looks matter.
        choice: ``exhaustive``: all pairs. ``sequential``: neighbours, some farther away, and the
            few that look most alike. ``similar``: many that look alike, and neighbours. ``auto``:
            ``exhaustive`` for few photos, else ``similar``.
        seed: of the sampling.
    """
    if choice == "auto":
        choice = "exhaustive" if len(names) <= ALL_PAIRS_UP_TO else "similar"
    if choice == "exhaustive":
        return list(combinations(names, 2))
    vectors = global_descriptors(map(read_descriptors, names), seed)
    alike = _most_alike(vectors, LOOPS if choice == "sequential" else ALIKE)
    pairs = alike | _neighbours(len(names), farther=choice == "sequential")
    return [(names[i], names[j]) for i, j in sorted(pairs)]


def global_descriptors(
    descriptors: Iterable[UInt8[np.ndarray, "f 128"]], seed: int
) -> Float[np.ndarray, "n d"]:
    """One unit vector for each image, alike for images of the same place: VLAD of SIFT.

    Jégou et al., "Aggregating local descriptors into a compact image representation", CVPR 2010,
    with the normalisation of each word by Arandjelović and Zisserman, CVPR 2013. The vocabulary is
    made from the photos themselves, so that none has to be fetched.
    """
    from scipy.cluster.vq import kmeans2, vq

    rng = np.random.default_rng(seed)
    samples = [
        d[rng.choice(len(d), min(SAMPLES, len(d)), replace=False)].astype(np.float32)
        for d in descriptors
    ]
    total = np.concatenate(samples)
    words = min(WORDS, max(1, len(total) // 10))
    if not len(total):
        return np.zeros((len(samples), 1))
    subset = total[rng.choice(len(total), min(len(total), 20000), replace=False)]
    centres = kmeans2(subset, words, iter=10, minit="++", rng=rng)[0]
    vectors = np.zeros((len(samples), words, total.shape[1]))
    for vector, sample in zip(vectors, samples, strict=True):
        if len(sample):
            nearest = vq(sample, centres)[0]
            np.add.at(vector, nearest, sample - centres[nearest])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=2, keepdims=True), 1e-9)
    flat = vectors.reshape(len(samples), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)


def _most_alike(vectors: Float[np.ndarray, "n d"], count: int) -> set[tuple[int, int]]:
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    count = min(count, len(vectors) - 1)
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    return {(min(i, int(j)), max(i, int(j))) for i, row in enumerate(nearest) for j in row}


def _neighbours(count: int, *, farther: bool) -> set[tuple[int, int]]:
    """Pairs up to :data:`NEIGHBOURS` apart, and at twice, four times, ... eight times that."""
    steps = [*range(1, NEIGHBOURS + 1)]
    steps += [NEIGHBOURS * 2**power for power in range(1, 4)] if farther else []
    return {(i, i + step) for step in steps for i in range(count - step)}
