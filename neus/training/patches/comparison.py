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
from neus.ops import reference
from neus.ops.types import Samples
from neus.rendering import OccupancyGrid
from neus.training.patches.meeting import first_crossings, meet, on_surface
from neus.training.patches.views import PatchViews
from neus.training.rays import RayBatch
from neus.training.settings import StepSettings

if TYPE_CHECKING:
    from jaxtyping import Float

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


@dataclass(frozen=True)
class ComparedPatches:
    """Costs of patches in the views that they were compared with, and how far each counts."""

    costs: Float[Tensor, "p k"]
    weights: Float[Tensor, "p k"]


def compare_patches(
    views: PatchViews,
    field: SdfField,
    occupancy: OccupancyGrid,
    batch: RayBatch,
    samples: Samples,
    sdf: Float[Tensor, "n"],
    settings: StepSettings,
    backend: ModuleType,
    flat: bool = True,
) -> ComparedPatches:
    """Compare the surface points of ``settings.patches`` rays with the photos that see them.

    No shape depends on what is found. Gradients reach the field through the depth of the points
    alone, or of all taps; normals are taken as they are.

    Args:
        sdf: of the samples, and of whatever points follow them.
        flat: taps lie on the plane that touches the surface, not on the surface itself. These cost
            a field's evaluation each, and are compared in plain torch on any device.
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
    patch = moved, directions, normals, seen_from, pictures, spacing, RADIUS, NOISE
    if flat:
        costs, valid, variance = backend.patch_costs(*patch)
    else:
        centres = pictures.centres[own[:, 0]]
        costs, valid, variance = reference.patch_costs(
            *patch,
            lambda places, known: on_surface(
                field, places, known, centres, points, backend, stage.active_levels,
                stage.step_length,
            ),
        )  # fmt: skip
    lifted = points + normals * (2 / len(occupancy.outside))
    valid = valid & (seen_from[:, 1:] != own) & crossings.found[:, None]
    valid = valid & backend.in_sight(lifted, seen_from[:, 1:], pictures, occupancy.outside)
    kept = torch.where(valid, costs, 2.0).topk(min(KEPT, costs.shape[1]), dim=1, largest=False)
    trust = variance / (variance + (PLAIN * NOISE) ** 2) * -(normals * directions).sum(dim=1)
    weights = (kept.values.detach() < UNLIKE) * trust.clamp(min=0)[:, None]
    return ComparedPatches(kept.values, weights.detach())
