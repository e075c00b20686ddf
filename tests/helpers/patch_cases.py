"""Patches on a textured plane or ball that cameras look at, and random ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from neus.ops.patches import PatchPictures
from neus.scene import Cameras
from neus.training.patches.views import patch_pictures
from tests.helpers.textured_scenes import RADIUS, cone_of_cameras, look, texture

NOISE = 0.003


@dataclass(frozen=True)
class PatchCase:
    """What ``patch_costs`` takes."""

    t: Tensor
    directions: Tensor
    normals: Tensor
    views: Tensor
    pictures: PatchPictures
    spacing: Tensor
    radius: int = 2
    noise: float = NOISE

    def compare(
        self, backend: ModuleType, kind: torch.dtype = torch.float32, moved: float | Tensor = 0.0
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Costs, their slopes by t, which of them count, and variances, as float64."""
        t = (self.t + moved).to(kind).requires_grad_()
        costs, valid, variance = backend.patch_costs(
            t, self.directions.to(kind), self.normals.to(kind), self.views, self.pictures,
            self.spacing.to(kind), self.radius, self.noise,
        )  # fmt: skip
        columns = [torch.autograd.grad(column.sum(), t, retain_graph=True)[0] for column in costs.T]
        slopes = torch.stack(columns, dim=1)
        return costs.detach().double(), slopes.double(), valid, variance.double()

    @property
    def points(self) -> Tensor:
        return self.pictures.centres[self.views[:, 0]] + self.t[:, None] * self.directions


def cameras_of_patches(views: int = 5) -> Cameras:
    return cone_of_cameras(views, width=64, height=48, focal=80)


def photographed(shape: str, cameras: Cameras, shortest: float = 0.2) -> list[np.ndarray]:
    """Grey pictures of the textured shape before a background that shows nothing."""
    pictures = []
    for view in range(len(cameras)):
        truth, points = look(cameras, view, shape)
        grey = np.where(truth.hit, texture(points, shortest), 0.1)
        pictures.append(grey.clip(0, 1))
    return pictures


def patch_case(shape: str = "plane", count: int = 200, seed: int = 0, **changed) -> PatchCase:
    """Points in the middle of the shape, with its normals, each seen by one view and the others."""
    cameras, rng = cameras_of_patches(), np.random.default_rng(seed)
    own = rng.integers(len(cameras), size=count)
    points = rng.uniform(-0.5, 0.5, (count, 3)) * RADIUS
    normals = np.tile([0.0, 0, 1], (count, 1))
    if shape == "plane":
        points[:, 2] = 0
    else:
        points[:, 2] = np.sqrt(RADIUS**2 - (points[:, :2] ** 2).sum(axis=1))
        normals = points / RADIUS
    ways = points - cameras.centres[own]
    t = np.linalg.norm(ways, axis=1)
    views = (own[:, None] + np.arange(len(cameras))) % len(cameras)
    directions = ways / t[:, None]
    case = PatchCase(
        torch.tensor(t, dtype=torch.float32),
        torch.tensor(directions, dtype=torch.float32),
        torch.tensor(normals, dtype=torch.float32),
        torch.tensor(views),
        patch_pictures(cameras, photographed(shape, cameras)),
        torch.ones(count),
    )
    return replace(case, **changed)


def random_case(seed: int, count: int = 300, radius: int = 2) -> PatchCase:
    """The same with depths, normals and distances between taps at random: many are refused."""
    generator = torch.Generator().manual_seed(seed)
    case = patch_case("ball", count, seed)
    tilt = torch.randn(count, 3, generator=generator)
    normals = torch.nn.functional.normalize(case.normals + 0.5 * tilt, dim=1)
    t = case.t * (1 + 0.05 * torch.randn(count, generator=generator))
    spacing = 2 ** (2.4 * torch.rand(count, generator=generator))
    return replace(case, t=t, normals=normals, spacing=spacing, radius=radius)
