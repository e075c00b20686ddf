"""Patches of the surface in several views, and what stands between them and a camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.patches import STEEPEST, WHITE, PatchPictures

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

Onto = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Of taps: places ``[p, n, 3]`` on planes, and whether they are known, to others, and whether."""


def patch_costs(
    t: Float[Tensor, "p"],
    directions: Float[Tensor, "p 3"],
    normals: Float[Tensor, "p 3"],
    views: Int[Tensor, "p 1+k"],
    pictures: PatchPictures,
    spacing: Float[Tensor, "p"],
    radius: int,
    noise: float,
    onto: Onto | None = None,
) -> tuple[Float[Tensor, "p k"], Bool[Tensor, "p k"], Float[Tensor, "p"]]:
    """How little patches around surface points look alike in other views: 1 - NCC.

    The point ``t`` along the ray of a pixel and its normal span a plane. The pixel's neighbours, a
    square of ``2 radius + 1`` taps a side, are carried by it into the other views, by the
    homography of the plane, and correlated with what the first view has there (Geo-NeuS, Fu et
    al., NeurIPS 2022). Pictures are taken from the level whose pixels come nearest to the distance
    between taps. The result is differentiable by ``t`` alone: the plane keeps its normal and the
    taps their pixels.

    Args:
        t: distance from the first view's centre, positive.
        directions: unit, away from the camera.
        normals: unit, outwards.
        views: the first one has the ray, the others are compared with it.
        spacing: from tap to tap, in pixels of the first view, 1 or more.
        noise: standard deviation of the grey; its square is added to both variances, so that
            patches without texture are like nothing.
        onto: moves the taps off the plane, along the rays of their pixels. The result is then
            differentiable by what the places are by. The reference alone takes it.

    Returns:
        Costs in [0, 2]; whether each counts, which it does where all taps lie in both pictures,
        both cameras see the plane's front not too slanted, and the first patch varies by more than
        the noise; and the variance of the first patch. Costs that do not count are 1.
    """
    kind, own, others = t.dtype, views[:, 0], views[:, 1:]
    normals, spacing = normals.detach().to(kind), spacing.detach().to(kind)
    to_pixel, to_world, centres, focal = (
        part.to(kind)
        for part in (pictures.to_pixel, pictures.to_world, pictures.centres, pictures.focal)
    )
    origin, point = centres[own], centres[own] + t[:, None] * directions
    middle, depth = _projected(to_pixel[own], t[:, None].detach() * directions)
    steps = torch.arange(-radius, radius + 1, device=t.device, dtype=kind)
    taps = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).view(-1, 2)
    pixels = middle[:, None] + spacing[:, None, None] * taps
    rays = torch.nn.functional.pad(pixels, (0, 1), value=1.0) @ to_world[own].mT
    facing = (rays * normals[:, None]).sum(dim=2)
    depths = ((point - origin) * normals).sum(dim=1)[:, None] / facing
    places, known = origin[:, None] + depths[:, :, None] * rays, depths > 0
    if onto is not None:
        places, known = onto(places, known)
    # What one pixel of the first view is wide at the point, in pixels of the others.
    _, far = _projected(to_pixel[others], point[:, None].detach() - centres[others])
    scale = focal[others] / far * (depth / focal[own])[:, None]
    first, within = _sampled(pictures, own, spacing, pixels)
    landed, ahead = _projected(
        to_pixel[others][:, :, None], places[:, None] - centres[others][:, :, None]
    )
    second, met = _sampled(pictures, others, spacing[:, None] * scale, landed)
    cost, variance = _one_minus_ncc(first[:, None], second, noise)
    ways = torch.nn.functional.normalize(centres[others] - point[:, None], dim=2)
    seen = (ways * normals[:, None]).sum(dim=2) > STEEPEST
    valid = met.all(dim=2) & (ahead > 0).all(dim=2) & (far > 0) & seen
    shown = within.all(dim=1) & known.all(dim=1) & (variance[:, 0] > noise**2)
    shown &= (directions * normals).sum(dim=1) < -STEEPEST
    valid &= shown[:, None]
    return torch.where(valid, cost, 1), valid, variance[:, 0].detach()


def in_sight(
    points: Float[Tensor, "p 3"],
    views: Int[Tensor, "p k"],
    pictures: PatchPictures,
    free: Bool[Tensor, "g g g"],
) -> Bool[Tensor, "p k"]:
    """Whether the way from points to cameras leads through free cells alone, as far as the sphere.

    The way is looked at once for each width of a cell. A cell counts by what its centre is, so that
    points should begin about a cell before the surface.
    """
    resolution = len(free)
    way = pictures.centres.to(points.dtype)[views] - points[:, None]
    length = way.norm(dim=2)
    # No chord of the unit sphere is longer than 2.
    t = torch.arange(resolution, device=points.device, dtype=points.dtype) * (2 / resolution)
    places = points[:, None, None] + t[:, None] * (way / length[:, :, None])[:, :, None]
    cells = ((places * 0.5 + 0.5) * resolution).long().clamp(0, resolution - 1)
    inside = ((places**2).sum(dim=3) < 1) & (t < length[:, :, None])
    x, y, z = cells.unbind(dim=3)
    return ~(inside & ~free.bool()[x, y, z]).any(dim=2)


def _projected(to_pixel: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels and depths of vectors from the cameras' centres."""
    x, y, depth = (to_pixel @ vectors[..., None])[..., 0].unbind(dim=-1)
    return torch.stack([x, y], dim=-1) / depth[..., None], depth


def _sampled(
    pictures: PatchPictures, view: Tensor, spacing: Tensor, pixels: Tensor
) -> tuple[Tensor, Tensor]:
    """Grey of a level of views at pixels ``[..., n, 2]``, and whether they lie in the picture."""
    level = (spacing.clamp(min=1e-6).log2() + 0.5).floor().clamp(0, pictures.levels - 1)
    height, width = pictures.sizes[view, level.long()][..., None, :].long().unbind(dim=-1)
    first = pictures.first[view, level.long()][..., None]
    x, y = (pixels / 2 ** level[..., None, None] - 0.5).unbind(dim=-1)
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    x, y = torch.where(inside, x, 0), torch.where(inside, y, 0)
    u = torch.minimum(x.detach().long(), width - 2)
    v = torch.minimum(y.detach().long(), height - 2)
    at, fx, fy = first + v * width + u, x - u, y - v
    a, b, c, d = (pictures.grey[at + k].to(x.dtype) / WHITE for k in (0, 1, width, width + 1))
    upper, lower = a + fx * (b - a), c + fx * (d - c)
    return upper + fy * (lower - upper), inside


def _one_minus_ncc(first: Tensor, second: Tensor, noise: float) -> tuple[Tensor, Tensor]:
    """Over the last axis; and the variances of the first."""
    first, second = first - first.mean(-1, keepdim=True), second - second.mean(-1, keepdim=True)
    variance, other = (first**2).mean(-1), (second**2).mean(-1)
    both = (first * second).mean(-1)
    return 1 - both / ((variance + noise**2) * (other + noise**2)).sqrt(), variance
