"""What a step makes small: the terms of the loss that a method asks for, and their weighted sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.config import LossConfig, scheduled
from neus.models import Rendering, SurfaceRendering, Surroundings
from neus.ops.types import Samples
from neus.training.evidence import Sightings
from neus.training.losses import (
    cavity_loss,
    colour_loss,
    curvature_loss,
    distortion_loss,
    eikonal_loss,
    free_space_loss,
    mask_loss,
    normals_loss,
    opaque_loss,
    outside_distortion_loss,
    patch_loss,
    smoothness_loss,
    sparsity_loss,
    squared_colour_loss,
    surface_loss,
)
from neus.training.patches import ComparedPatches
from neus.training.points import FieldPoints
from neus.training.rays import RayBatch

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Outcome:
    """What a step rendered, and what it is compared with.

    Attributes:
        rendering: of the samples, and of the field at all points.
        colours: of the rays, with what stands behind them.
        target: colours that they should have.
        counted: 1 for rays that count, whose samples had room.
        step_length: distance between samples.
        sightings: what is known of the surface, at ``points.on`` and ``points.before``.
        patches: of the surface, and how they look in other photos.
        behind: what a learned background made of the rays.
        outside_ratio: by which its sections grow.
        ignorance: how little is known of the surface at ``points.aside``, 0 to 1.
    """

    rendering: Rendering
    batch: RayBatch
    samples: Samples
    points: FieldPoints
    colours: Float[Tensor, "r 3"]
    target: Float[Tensor, "r 3"]
    counted: Float[Tensor, "r"]
    step_length: float | Float[Tensor, ""]
    sightings: Sightings | None = None
    patches: ComparedPatches | None = None
    behind: Surroundings | None = None
    outside_ratio: float = 0.1
    ignorance: Float[Tensor, "a"] | None = None


def loss_terms(losses: LossConfig, outcome: Outcome) -> dict[str, Tensor]:
    """Terms by the names of their weights; those of a distance only where there is one."""
    rendering, counted = outcome.rendering, outcome.counted
    terms = {"colour": colour_loss(outcome.colours, outcome.target, counted)}
    if isinstance(rendering, SurfaceRendering):
        terms |= _surface_terms(losses, rendering, outcome.points)
        terms |= _known_terms(rendering, outcome)
        terms |= _smoothness_term(rendering, outcome)
    if outcome.patches is not None:
        terms["patch"] = patch_loss(outcome.patches.costs, outcome.patches.weights)
    if losses.uses("mask"):
        coverage, masked = outcome.batch.coverage, outcome.batch.masked
        terms["mask"] = mask_loss(rendering.transmittance, coverage, counted * masked)
    if losses.uses("colour_squared"):
        terms["colour_squared"] = squared_colour_loss(outcome.colours, outcome.target, counted)
    if losses.uses("opaque"):
        terms["opaque"] = opaque_loss(rendering.transmittance, counted)
    if losses.uses("distortion"):
        weights, length = rendering.weights, outcome.step_length
        terms["distortion"] = distortion_loss(weights, outcome.samples, length)
    if losses.uses("distortion_outside") and outcome.behind is not None:
        behind = outcome.behind
        terms["distortion_outside"] = outside_distortion_loss(
            behind.weights, behind.lengths, outcome.outside_ratio, behind.samples
        )
    return terms


def loss_weights(losses: LossConfig, progress: float) -> dict[str, float]:
    """Weights of all terms at a fraction of the budget."""
    return {name: scheduled(weight, progress) for name, weight in losses.weights.items()}


def weighted_sum(
    weights: Mapping[str, float | Tensor], terms: dict[str, Tensor]
) -> Float[Tensor, ""]:
    """The loss."""
    return torch.stack([weights[name] * term for name, term in terms.items()]).sum()


def _surface_terms(
    losses: LossConfig, rendering: SurfaceRendering, points: FieldPoints
) -> dict[str, Tensor]:
    terms = {
        "eikonal": eikonal_loss(rendering.gradient_norms),
        "cavity": cavity_loss(rendering.sdf[points.hidden], points.depth),
    }
    if losses.uses("sparsity"):
        terms["sparsity"] = sparsity_loss(rendering.sdf[points.spread], losses.sparsity_scale)
    if losses.uses("curvature"):
        assert rendering.laplacian is not None
        terms["curvature"] = curvature_loss(rendering.laplacian)
    return terms


def _known_terms(rendering: SurfaceRendering, outcome: Outcome) -> dict[str, Tensor]:
    """Of what stereo knows, where it is asked."""
    known, points = outcome.sightings, outcome.points
    if known is None:
        return {}
    on, before = rendering.sdf[points.on], rendering.sdf[points.before]
    normals = torch.nn.functional.normalize(rendering.gradient[points.on], dim=1)
    return {
        "surface": surface_loss(on, known.confidence),
        "free_space": free_space_loss(before, known.least, known.confidence),
        "normals": normals_loss(normals, known.normal, known.supported),
    }


def _smoothness_term(rendering: SurfaceRendering, outcome: Outcome) -> dict[str, Tensor]:
    """Of places beside samples, where it is asked for."""
    points = outcome.points
    if points.beside is None or outcome.ignorance is None:
        return {}
    normals, others = (
        torch.nn.functional.normalize(rendering.gradient[which], dim=1)
        for which in (points.beside, points.aside)
    )
    return {"smoothness": smoothness_loss(normals, others, outcome.ignorance)}
