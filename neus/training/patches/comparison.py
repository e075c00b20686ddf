"""Patches of the surface compared between photos, within a step.

Where a ray's distance changes its sign for the first time is the surface; a plane touches it there,
and what one photo shows of the plane the others should show, too (Geo-NeuS, Fu et al., NeurIPS
2022; NeuralWarp, Darmon et al., CVPR 2022). The rendered depth would not do: it is a mean over a
soft surface, and off by its bias (1.08 instead of 0.57 mm in Geo-NeuS).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.fields import SdfField
from neus.ops.types import Samples
from neus.rendering import OccupancyGrid
from neus.training.patches.views import PatchViews
from neus.training.rays import RayBatch
from neus.training.settings import StepSettings

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

RADIUS = 2
"""Taps to each side of a patch's middle."""
KEPT = 4
"""Views that a patch is compared with in the end, the best of those that see it."""
NOISE = 0.003
"""Standard deviation of the photos' grey, as stereo takes it."""
PLAIN = 5.0
"""Times the noise that a patch has to vary by to be trusted half."""
UNLIKE = 0.9
"""Cost from which two patches are taken to show different things."""
STEADIEST = 0.2
"""Of the distance along a ray to the surface per distance: rays graze surfaces, too."""


@dataclass(frozen=True)
class ComparedPatches:
    """Costs of patches in the views that they were compared with, and how far each counts."""

    costs: Float[Tensor, "p k"]
    weights: Float[Tensor, "p k"]


@dataclass(frozen=True)
class Crossings:
    """Where rays meet the surface.

    Attributes:
        ray: of the batch.
        found: whether there is a crossing; the rays of others are any.
        t: along the ray, interpolated between two samples.
    """

    ray: Int[Tensor, "p"]
    found: Bool[Tensor, "p"]
    t: Float[Tensor, "p"]


def compare_patches(
    views: PatchViews,
    field: SdfField,
    occupancy: OccupancyGrid,
    batch: RayBatch,
    samples: Samples,
    sdf: Float[Tensor, "n"],
    settings: StepSettings,
    backend: ModuleType,
) -> ComparedPatches:
    """Compare the surface points of ``settings.patches`` rays with the photos that see them.

    No shape depends on what is found. Gradients reach the field through the depth of the points
    alone; normals are taken as they are.

    Args:
        sdf: of the samples, and of whatever points follow them.
    """
    stage, pictures = settings.stage, views.pictures
    shown = batch.coverage > 0.5
    crossings = first_crossings(
        samples, sdf[: len(samples.t)].detach(), shown, settings.patches, 2 * stage.step_length
    )
    origins, directions = batch.origins[crossings.ray], batch.directions[crossings.ray]
    t, normals = meet(
        field, origins, directions, crossings.t, backend, stage.active_levels, stage.step_length
    )
    points = (origins + t.detach()[:, None] * directions).detach()
    seen_from = views.views[batch.image[crossings.ray]]
    own = seen_from[:, :1]
    away = (points - pictures.centres[own[:, 0]]).norm(dim=1)
    pixel = away / pictures.focal[own[:, 0]]
    spacing = (settings.patch_reach / RADIUS / pixel).clamp(min=1)
    # The rays may begin before the sphere and not at the camera.
    moved = t + (away - t.detach())
    costs, valid, variance = backend.patch_costs(
        moved, directions, normals, seen_from, pictures, spacing, RADIUS, NOISE
    )
    lifted = points + normals * (2 / len(occupancy.outside))
    valid = valid & (seen_from[:, 1:] != own) & crossings.found[:, None]
    valid = valid & backend.in_sight(lifted, seen_from[:, 1:], pictures, occupancy.outside)
    kept = torch.where(valid, costs, 2.0).topk(min(KEPT, costs.shape[1]), dim=1, largest=False)
    trust = variance / (variance + (PLAIN * NOISE) ** 2) * -(normals * directions).sum(dim=1)
    weights = (kept.values.detach() < UNLIKE) * trust.clamp(min=0)[:, None]
    return ComparedPatches(kept.values, weights.detach())


def first_crossings(
    samples: Samples,
    sdf: Float[Tensor, "m"],
    shown: Bool[Tensor, "r"],
    count: int,
    longest: float | Float[Tensor, ""],
) -> Crossings:
    """Where the distance falls through zero for the first time, of the first ``count`` rays.

    Args:
        shown: rays that are asked.
        longest: between two samples on both sides; a wider gap is empty space.
    """
    ray, t, m, rays = samples.ray_index, samples.t, len(samples.t), len(shown)
    place = torch.arange(m - 1, device=t.device)
    falls = (sdf[:-1] > 0) & (sdf[1:] <= 0) & (ray[:-1] == ray[1:]) & (t[1:] - t[:-1] <= longest)
    falls &= place + 1 < samples.offsets[-1]
    nowhere = torch.full((rays,), m, device=t.device)
    first = nowhere.scatter_reduce(0, ray[:-1], torch.where(falls, place, m), "amin")
    found = (first < m) & shown
    # The n-th of those that were found goes to place n, what is too much to a place that is cut.
    turn = torch.where(found, found.cumsum(0) - 1, count).clamp(max=count)
    chosen = torch.zeros(count + 1, dtype=torch.int64, device=t.device)
    chosen.scatter_(0, turn, torch.arange(rays, device=t.device))
    chosen = chosen[:-1]
    filled = torch.arange(count, device=t.device) < found.sum()
    at = first[chosen].clamp(max=m - 2)
    before, after = sdf[at], sdf[at + 1]
    share = (before / (before - after).clamp(min=1e-9)).clamp(0, 1)
    return Crossings(chosen, filled, t[at] + share * (t[at + 1] - t[at]))


def meet(
    field: SdfField,
    origins: Float[Tensor, "p 3"],
    directions: Float[Tensor, "p 3"],
    t: Float[Tensor, "p"],
    backend: ModuleType,
    levels: int,
    longest: float | Float[Tensor, ""],
) -> tuple[Float[Tensor, "p"], Float[Tensor, "p 3"]]:
    """Surface points near ``t`` along rays, differentiable by the field, and normals without graph.

    Two steps of Newton's method, the second of which has the gradient of the implicit function:
    dt = -df / (d . grad f) (IDR, Yariv et al., NeurIPS 2020, equation 3). None is longer than
    ``longest``.
    """

    reach = torch.zeros_like(t) + longest  # full_like would wait for a length on CUDA

    def step(distance: Tensor, gradient: Tensor) -> Tensor:
        slope = (gradient.detach() * directions).sum(dim=1).clamp(max=-STEADIEST)
        return torch.maximum(torch.minimum(-distance / slope, reach), -reach)

    with torch.no_grad():
        out, gradient = field.with_gradient(origins + t[:, None] * directions, backend, levels)
        t = t + step(out[:, 0], gradient)
    out, gradient = field.with_gradient(origins + t[:, None] * directions, backend, levels)
    normals = torch.nn.functional.normalize(gradient.detach(), dim=1)
    return t + step(out[:, 0], gradient), normals
