"""Which depths the other views agree with, and how far each is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from neus.ops.cpu.threads import on_all_threads, workers
from neus.ops.stereo import Lens, planes_of
from neus.scene import Cameras
from neus.stereo import kernels
from neus.stereo.depth_maps import DepthMap, index_intrinsics
from neus.stereo.settings import StereoSettings
from neus.stereo.sources import angles_between

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

CERTAIN = 0.9
"""NCC from which a window's likeness takes nothing off the confidence."""
PAIR = 0.15
"""Confidence of what two views alone agree on."""

HIDING = 0.25
"""Of the number of views that agree on a depth: as many may be sure of something before it."""


@dataclass(frozen=True)
class Relief:
    """A depth map as the comparison reads it.

    Attributes:
        planes: ``[h, w, 3]`` inverse depth and its slopes a pixel; 0 where there is none, or the
            windows are too little alike.
        normals: ``[h, w, 3]`` in the scene frame.
        correlation: ``[h, w]``
        focal: in pixels, the mean of both axes.
    """

    planes: Float[np.ndarray, "h w 3"]
    normals: Float[np.ndarray, "h w 3"]
    correlation: Float[np.ndarray, "h w"]
    focal: float


@dataclass(frozen=True)
class Agreement:
    """What the other views say of a view's depths.

    Attributes:
        agree: ``[h, w]`` number of other views whose depth agrees.
        violate: ``[h, w]`` of those that see through the point to something they are sure of.
        hidden: ``[h, w]`` of those that are sure of something before the point.
        confidence: ``[h, w]`` in [0, 1]; 0 where a depth is not kept.
    """

    agree: Int[np.ndarray, "h w"]
    violate: Int[np.ndarray, "h w"]
    hidden: Int[np.ndarray, "h w"]
    confidence: Float[np.ndarray, "h w"]

    @property
    def kept(self) -> Bool[np.ndarray, "h w"]:
        return self.confidence > 0


def relief(found: DepthMap, cameras: Cameras, view: int, least: float) -> Relief:
    """A depth map without what correlates less than ``least``."""
    K = index_intrinsics(cameras)[view]
    lens = Lens((K[0, 0], K[1, 1]), (K[0, 2], K[1, 2]), 0, 0, 0)
    planes = planes_of(torch.from_numpy(found.depth), torch.from_numpy(found.normal), lens)
    normals = found.normal @ cameras.camera_to_world[view, :, :3].T.astype(np.float32)
    focal = float(K[0, 0] + K[1, 1]) / 2
    likely = planes.numpy() * (found.correlation >= least)[..., None]
    return Relief(likely, np.ascontiguousarray(normals), found.correlation, focal)


def neighbours_of(cameras: Cameras, count: int, widest: float) -> list[list[int]]:
    """The nearest views of each, as seen from the scene's centre, within ``widest`` degrees."""
    angles = angles_between(cameras)
    order = np.argsort(angles, axis=1, kind="stable")
    return [
        [j for j in order[i].tolist() if j != i and angles[i, j] <= widest][:count]
        for i in range(len(cameras))
    ]


def path_between(cameras: Cameras, view: int, other: int) -> tuple[np.ndarray, np.ndarray]:
    """``turn`` and ``shift`` of ``neus.ops.stereo.Sources`` from one view to another."""
    K, R, C = index_intrinsics(cameras), cameras.camera_to_world[:, :, :3], cameras.centres
    to_other = K[other] @ R[other].T
    turn = to_other @ R[view] @ np.linalg.inv(K[view])
    return turn.astype(np.float32), (to_other @ (C[view] - C[other])).astype(np.float32)


def agreements(
    reliefs: list[Relief],
    cameras: Cameras,
    neighbours: list[list[int]],
    settings: StereoSettings,
) -> list[Agreement]:
    """Hold every depth against the neighbours' maps.

    A first round asks how many agree. Only depths that enough agree with may say, in a second,
    that they see through somebody else's point, or lie before it: a mirror shows a surface that is
    not there behind one that is. A depth that more views see through than agree with it goes, and
    so does one that has more than :data:`HIDING` of their number before it.
    """
    unsure = [np.zeros(seen.correlation.shape, bool) for seen in reliefs]
    sure = []
    for i in range(len(reliefs)):
        agree, _ = _compared(i, reliefs, unsure, cameras, neighbours[i], settings)
        sure.append(agree >= settings.agreeing)
    result = []
    for i, seen in enumerate(reliefs):
        agree, violate = _compared(i, reliefs, sure, cameras, neighbours[i], settings)
        hidden = _hidden(i, reliefs, sure, cameras, neighbours[i], settings)
        kept = sure[i] & (violate < agree) & (hidden <= HIDING * agree)
        against, least = violate + hidden, settings.least_correlation
        trust = confidence(seen.correlation, agree, against, least)
        result.append(
            Agreement(agree, violate, hidden, np.where(kept, trust, 0).astype(np.float32))
        )
    return result


def confidence(
    correlation: Float[np.ndarray, "*n"],
    agree: Int[np.ndarray, "*n"],
    against: Int[np.ndarray, "*n"],
    least: float,
) -> Float[np.ndarray, "*n"]:
    """How far a depth is to be trusted, in [0, 1].

    The product of likeness (NCC from ``least`` to :data:`CERTAIN`; noise is part of the NCC, so
    that little texture means little likeness), number (1 - 2^(1 - n) for n agreeing views,
    :data:`PAIR` for one), and the share of the views that agree among those that say anything,
    ``against`` of them something else.
    """
    likeness = np.clip((correlation - least) / (CERTAIN - least), 0, 1)
    number = np.where(
        agree > 1, 1 - 2.0 ** (1 - np.maximum(agree, 1)), np.where(agree == 1, PAIR, 0)
    )
    return likeness * number * agree / np.maximum(agree + against, 1)


def _compared(
    view: int,
    reliefs: list[Relief],
    sure: list[np.ndarray],
    cameras: Cameras,
    neighbours: list[int],
    settings: StereoSettings,
) -> tuple[np.ndarray, np.ndarray]:
    own = reliefs[view]
    agree, violate = (np.zeros(own.planes.shape[:2], np.int32) for _ in range(2))
    for j in neighbours:
        other = reliefs[j]
        on_all_threads(
            kernels.compare,
            *(own.planes, own.normals),
            *(other.planes, other.normals, sure[j]),
            *path_between(cameras, view, j),
            np.float32(own.focal),
            np.float32(other.focal),
            np.float32(settings.tolerance),
            agree,
            violate,
        )
    return agree, violate


def _hidden(
    view: int,
    reliefs: list[Relief],
    sure: list[np.ndarray],
    cameras: Cameras,
    neighbours: list[int],
    settings: StereoSettings,
) -> np.ndarray:
    """How many neighbours are sure of something before each point."""
    own = reliefs[view]
    shape = own.planes.shape[:2]
    hidden, nearest = np.zeros(shape, np.int32), np.empty((workers(), *shape), np.float32)
    K, R, C = index_intrinsics(cameras), cameras.camera_to_world[:, :, :3], cameras.centres
    for j in neighbours:
        nearest.fill(np.inf)
        on_all_threads(
            kernels.show,
            *(reliefs[j].planes, reliefs[j].normals, sure[j]),
            *path_between(cameras, j, view),
            (R[j] @ np.linalg.inv(K[j])).astype(np.float32),
            (C[view] - C[j]).astype(np.float32),
            nearest,
        )
        on_all_threads(
            kernels.count_hidden,
            *(own.planes, nearest, np.float32(own.focal), np.float32(settings.tolerance)),
            hidden,
        )
    return hidden
