"""Where rays meet the surface, within a step: of samples' rays, and of a patch's taps."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.fields import SdfField
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

STEADIEST = 0.2
"""Of the distance along a ray to the surface per distance: rays graze surfaces, too."""
NEAR = 1.9
"""Longest steps of :func:`meet` within which the surface is to be found; it takes two at most."""


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


def on_surface(
    field: SdfField,
    places: Float[Tensor, "p n 3"],
    known: Bool[Tensor, "p n"],
    origins: Float[Tensor, "p 3"],
    middles: Float[Tensor, "p 3"],
    backend: ModuleType,
    levels: int,
    longest: float | Float[Tensor, ""],
) -> tuple[Float[Tensor, "p n 3"], Bool[Tensor, "p n"]]:
    """The taps of patches moved onto the surface, each along its ray, differentiable by the field.

    Those that the surface is too far from are not known any more. Geo-NeuS (Fu et al., NeurIPS
    2022) compares on the plane, which a strut, a fold or a leaf does not fill.

    Args:
        places: of the taps, on the planes that touch the surface, where they are ``known``.
        origins: of the patches' rays.
        middles: surface points, which stand for taps that are not known.
    """
    places = torch.where(known[:, :, None], places, middles[:, None]).detach()
    ways = torch.nn.functional.normalize(places - origins[:, None], dim=2)
    starts = places.clamp(-1, 1).view(-1, 3)  # where a hash grid ends
    t, _ = meet(
        field, starts, ways.view(-1, 3), torch.zeros_like(starts[:, 0]), backend, levels, longest
    )
    t = t.view(*known.shape, 1)
    near = t.detach()[:, :, 0].abs() < NEAR * longest
    return starts.view(places.shape) + t * ways, known & near
