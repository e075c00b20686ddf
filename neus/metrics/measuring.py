"""A mesh measured by one of three protocols, with the side that pictures of it should show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neus.metrics.dtu import dtu_distances, dtu_figures
from neus.metrics.dtu_reference import DtuReference
from neus.metrics.error_clouds import Viewpoint
from neus.metrics.evaluation import Alignment
from neus.metrics.geometry import Surface
from neus.metrics.surfaces import (
    SurfaceDistances,
    SurfaceFigures,
    surface_distances,
    surface_figures,
)
from neus.metrics.tanks import align_trajectories, same_cameras, tanks_distances, tanks_figures
from neus.metrics.tanks_reference import TanksReference, read_trajectory
from neus.scene import Scene, Similarity, standpoint
from neus.sources import number_in


@dataclass(frozen=True)
class Measured:
    """A mesh's figures, what they were taken from, and how to look at it."""

    figures: SurfaceFigures
    distances: SurfaceDistances
    view: Viewpoint


@dataclass(frozen=True)
class Teller:
    """Who measures, and who is told how far it is.

    Attributes:
        workers: threads of the searches; they change no figure.
        say: takes sentences.
        advance: is told which part is under way, and which share of it is done.
    """

    workers: int
    say: Callable[[str], None]
    advance: Callable[[str, float], None]


@dataclass(frozen=True)
class Sampling:
    """How a mesh is measured against any other.

    Attributes:
        samples: points on each surface.
        seed: of the points.
        threshold: of the F-score, of the reference's diameter.
        absolute_threshold: the same in the reference's unit, in its place.
    """

    samples: int
    seed: int
    threshold: float
    absolute_threshold: float | None


def viewpoint(scene: Scene | None, alignment: Alignment | None) -> Viewpoint | None:
    """The side that the cameras look at, in the frame that the mesh is measured in."""
    if scene is None:
        return None
    known = Similarity.identity() if alignment is None else alignment.similarity
    return Viewpoint(*standpoint(scene.cameras.transformed(known @ scene.to_source)))


def measured_by_dtu(
    mesh: Surface, reference: DtuReference, view: Viewpoint | None, seed: int, teller: Teller
) -> Measured:
    """By DTU's protocol, in millimetres; ``seed`` is of the order in which points are thinned."""
    distances = dtu_distances(
        mesh, reference, seed=seed,
        workers=teller.workers, report=teller.say, advance=teller.advance,
    )  # fmt: skip
    # The table says better than cameras which way is up; the world's origin is near the first one.
    front = -reference.points.mean(axis=0) if view is None else view.front
    view = Viewpoint(up=reference.plane[:3], front=front)
    return Measured(dtu_figures(distances, reference), distances, view)


def measured_by_tanks(
    mesh: Surface, reference: TanksReference, cameras: Scene | Path, teller: Teller
) -> tuple[Measured, Alignment]:
    """By the protocol of Tanks and Temples, in metres, aligned by its cameras.

    Args:
        cameras: of the mesh, as a scene or as the ``.log`` file of a trajectory.

    Raises:
        InputError: the trajectory is unreadable, or no cameras are the reference's.
    """
    if isinstance(cameras, Path):
        centres, numbers = read_trajectory(cameras)[:, :3, 3], None
    else:
        centres = cameras.to_source.apply(cameras.cameras.centres)
        numbers = [number_in(frame.name) for frame in cameras.frames]
    pairs = same_cameras(len(centres), numbers, len(reference.centres))
    alignment = align_trajectories(centres[pairs[:, 0]], reference.centres[pairs[:, 1]])
    teller.say(
        f"{alignment.cameras} cameras, {alignment.residual:.3g} m from those of the reference"
    )
    distances = tanks_distances(
        mesh.transformed(alignment.similarity), reference,
        workers=teller.workers, report=teller.say, advance=teller.advance,
    )  # fmt: skip
    up = np.eye(3)[reference.volume.axes[2]]
    looked_at = viewpoint(None if isinstance(cameras, Path) else cameras, alignment)
    view = Viewpoint(up=up, front=np.roll(up, 1)) if looked_at is None else looked_at
    return Measured(tanks_figures(distances, reference), distances, view), alignment


def measured_by_samples(
    mesh: Surface,
    reference: Surface,
    unit: str,
    view: Viewpoint | None,
    sampling: Sampling,
    teller: Teller,
) -> Measured:
    """Against any mesh or cloud, both in the same frame and ``unit``."""
    distances = surface_distances(
        mesh, reference, samples=sampling.samples, seed=sampling.seed,
        workers=teller.workers, advance=teller.advance,
    )  # fmt: skip
    threshold = sampling.absolute_threshold
    figures = surface_figures(
        distances,
        threshold=sampling.threshold * reference.diameter if threshold is None else threshold,
        diameter=reference.diameter,
        unit=unit,
        protocol="mesh",
    )
    upright = Viewpoint(up=np.array([0.0, 0, 1]), front=np.array([0.0, -1, 0]))
    return Measured(figures, distances, view or upright)
