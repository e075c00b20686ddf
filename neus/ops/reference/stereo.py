"""PatchMatch stereo in plain torch, all pixels of one colour at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.stereo import (
    DRAWS,
    KINDS,
    REFUSED,
    REGIONS,
    SHIFTS,
    SIDES,
    STEEPEST,
    TILTS,
    Lens,
    Matching,
    Sources,
    depth_and_normal,
    planes_of,
)

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


def patchmatch(
    grey: Float[Tensor, "h w"],
    active: Bool[Tensor, "h w"],
    depth: Float[Tensor, "h w"],
    normal: Float[Tensor, "h w 3"],
    lens: Lens,
    sources: Sources,
    matching: Matching,
    key: int,
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w 3"], Float[Tensor, "h w"]]:
    """The plane of each pixel under which the reference looks most like the sources.

    PatchMatch (Bleyer, Rhemann and Rother, BMVC 2011) on a checkerboard (Galliani, Lasinger and
    Schindler, ICCV 2015): in turn all red pixels, which look at black ones alone, and all black
    ones try the planes of neighbours, one of each region of ``REGIONS`` (after Xu and Tao, CVPR
    2019, section 3.1), and then four planes around their own: another depth, another normal, both,
    and any plane at all. Whatever costs least is kept. A plane's cost is the mean of 1 - NCC over
    the ``matching.counted`` sources that are most alike, each at most 1, and ``matching.off_mask``
    for each source that sees the pixel's point off its mask. Windows are weighted by their likeness
    to the centre, as in Schoenberger et al., ECCV 2016, section 4.2.

    Results depend on the inputs and the key, not on the order of pixels.

    Args:
        grey: the reference, in [0, 1].
        active: pixels to work on, and that windows may look at.
        depth: start, along the optical axis; 0 where a plane is to be drawn at random.
        normal: start, unit, in the camera's frame, towards the camera.
        lens: the reference camera and the range of depths.
        sources: what it is compared with, and how planes get there.
        matching: windows and number of iterations.
        key: of the random numbers, see :func:`neus.ops.stereo.key_of`.

    Returns:
        depth, normal and cost, in [0, 1] but for ``off_mask``; 0, 0 and 2 off ``active``.
    """
    planes = planes_of(depth.to(grey.dtype), normal.to(grey.dtype), lens)
    costs = torch.full_like(grey, REFUSED)
    rows, columns = active.nonzero(as_tuple=True)
    for iteration in range(-1, matching.iterations):
        for colour in (0, 1):
            chosen = (rows + columns) % 2 == colour
            at = _Pixels(rows[chosen], columns[chosen], grey, active, lens, sources, matching)
            _improve(at, planes, costs, iteration, key)
    planes = torch.where(active[..., None], planes, 0)
    return *depth_and_normal(planes, lens), torch.where(active, costs, 2)


@dataclass(frozen=True)
class _Pixels:
    """Pixels of one colour, and what their planes are scored with."""

    rows: Int[Tensor, "n"]
    columns: Int[Tensor, "n"]
    grey: Float[Tensor, "h w"]
    active: Bool[Tensor, "h w"]
    lens: Lens
    sources: Sources
    matching: Matching

    @property
    def ray(self) -> tuple[Tensor, Tensor]:
        """x and y of the pixels' rays at depth 1."""
        x, y = self.columns.to(self.grey.dtype), self.rows.to(self.grey.dtype)
        (fx, fy), (cx, cy) = self.lens.focal, self.lens.principal
        return (x - cx) / fx, (y - cy) / fy

    def in_range(self, w: Tensor) -> Tensor:
        return (w >= self.lens.farthest) & (w <= self.lens.nearest)


def _improve(at: _Pixels, planes: Tensor, costs: Tensor, iteration: int, key: int) -> None:
    """Give the pixels the best of their own plane and those they try; -1 scores the start."""
    now, least = planes[at.rows, at.columns], costs[at.rows, at.columns]
    if iteration < 0:
        ahead = torch.zeros_like(now)
        ahead[:, 0] = at.lens.nearest
        drawn = drawn_planes(at, ahead, 3, 0, key)
        now = torch.where(now[:, :1] > 0, now, drawn)
        least = plane_costs(at, now)
    else:
        for side in range(SIDES):
            tried = _neighbours(at, planes, costs, SIDES * (iteration % 2) + side)
            now, least = _better(at, tried, now, least)
        for kind in range(KINDS):
            tried = drawn_planes(at, now, kind, (iteration + 1) * DRAWS + 8 * kind, key)
            now, least = _better(at, tried, now, least)
    planes[at.rows, at.columns], costs[at.rows, at.columns] = now, least


def _better(at: _Pixels, tried: Tensor, now: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    cost = torch.where(tried[:, 0] > 0, plane_costs(at, tried), REFUSED)
    better = cost < least
    return torch.where(better[:, None], tried, now), torch.where(better, cost, least)


def _neighbours(at: _Pixels, planes: Tensor, costs: Tensor, region: int) -> Tensor:
    """The plane, at each pixel, of the pixel of a region that costs least; 0 if there is none."""
    height, width = costs.shape
    least = torch.full_like(costs[at.rows, at.columns], REFUSED)
    plane = planes.new_zeros(len(least), 3)
    for dx, dy in REGIONS[region].tolist():
        u, v = at.columns + dx, at.rows + dy
        within = (u >= 0) & (u < width) & (v >= 0) & (v < height)
        u, v = u.clamp(0, width - 1), v.clamp(0, height - 1)
        better = within & (costs[v, u] < least)
        moved = planes[v, u].clone()
        moved[:, 0] -= planes[v, u, 1] * dx + planes[v, u, 2] * dy
        plane = torch.where(better[:, None], moved, plane)
        least = torch.where(better, costs[v, u], least)
    return plane * at.in_range(plane[:, 0])[:, None]


def drawn_planes(at: _Pixels, now: Float[Tensor, "n 3"], kind: int, draw: int, key: int) -> Tensor:
    """Planes to try: 0 another depth, 1 another normal, 2 both, 3 any plane.

    The change of a depth is log-uniform between ``SHIFTS`` pixels of the sources, the length of
    what is added to a unit normal between ``TILTS``. Too slanted normals give way to the current.
    """
    (fx, fy), (x, y) = at.lens.focal, at.ray
    pixels = at.rows * at.grey.shape[1] + at.columns
    numbers = [uniform(key, pixels, draw + k).to(now.dtype) for k in range(6)]
    w = now[:, 0]
    a, b = fx * now[:, 1] / w, fy * now[:, 2] / w
    normal = -torch.stack([a, b, 1 - x * a - y * b], dim=1)
    normal = normal / normal.norm(dim=1, keepdim=True)
    ray = torch.stack([x, y, torch.ones_like(x)], dim=1)
    length = ray.norm(dim=1)
    noise = 2 * torch.stack(numbers[2:5], dim=1) - 1
    turned = normal
    if kind == 3:
        w = at.lens.farthest + numbers[0] * (at.lens.nearest - at.lens.farthest)
        turned = noise - ray / length[:, None]
    if kind in (0, 2):
        size = 2 ** (math.log2(SHIFTS[0]) + math.log2(SHIFTS[1] / SHIFTS[0]) * numbers[0])
        sign = torch.where(numbers[1] < 0.5, 1, -1)
        w = (w + sign * size * at.lens.step).clamp(at.lens.farthest, at.lens.nearest)
    if kind in (1, 2):
        tilt = 2 ** (math.log2(TILTS[0]) + math.log2(TILTS[1] / TILTS[0]) * numbers[5])
        turned = normal + tilt[:, None] * noise
    turned = turned / turned.norm(dim=1, keepdim=True).clamp(min=1e-6)
    steep = (turned * ray).sum(dim=1) > -STEEPEST * length
    turned = torch.where(steep[:, None], normal, turned)
    towards = (turned * ray).sum(dim=1).clamp(max=-1e-3)
    return torch.stack(
        [w, w * turned[:, 0] / (fx * towards), w * turned[:, 1] / (fy * towards)], dim=1
    )


def uniform(key: int, pixels: Int[Tensor, "n"], draw: int) -> Float[Tensor, "n"]:
    """Numbers in [0, 1) that depend on the key, the pixel and the draw alone, in steps of 2^-24."""
    h = _mixed((pixels * 0x9E3779B1 & 0xFFFFFFFF) ^ key)
    h = _mixed(h + draw * 0x85157AF5 & 0xFFFFFFFF)
    return (h >> 8).double() * 2.0**-24


def _mixed(h: Tensor) -> Tensor:
    """The finaliser of MurmurHash3, on 32-bit words held in 64 bits."""
    h = h ^ h >> 16
    h = h * 0x85EBCA6B & 0xFFFFFFFF
    h = h ^ h >> 13
    h = h * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ h >> 16


def plane_costs(at: _Pixels, planes: Float[Tensor, "n 3"]) -> Float[Tensor, "n"]:
    """Mean of the best sources' 1 - NCC, and the penalty for what lies off their masks."""
    matching, sources = at.matching, at.sources
    offsets = _offsets(matching)
    weights, values = _windows(at, offsets)
    mean = (weights * values).sum(dim=0)
    values = values - mean
    variance = (weights * values**2).sum(dim=0) + matching.noise**2
    costs, penalty = [], torch.zeros_like(mean)
    for s in range(len(sources.grey)):
        found = _source_windows(at, planes, s, offsets) - mean
        average = (weights * found).sum(dim=0)
        spread = ((weights * found**2).sum(dim=0) - average**2).clamp(min=0) + matching.noise**2
        alike = (weights * values * found).sum(dim=0) / (variance * spread).sqrt()
        sees, off_mask = _visible(at, planes, s)
        costs.append(1 - alike.clamp(min=0) * sees)
        penalty += matching.off_mask * off_mask
    missing = [torch.ones_like(mean)] * max(matching.counted - len(costs), 0)
    best = torch.stack(costs + missing).sort(dim=0).values[: matching.counted]
    return best.mean(dim=0) + penalty


def _offsets(matching: Matching) -> list[tuple[int, int]]:
    steps = [k * matching.spacing for k in range(-matching.radius, matching.radius + 1)]
    return [(dx, dy) for dy in steps for dx in steps]


def _windows(
    at: _Pixels, offsets: list[tuple[int, int]]
) -> tuple[Float[Tensor, "taps n"], Float[Tensor, "taps n"]]:
    """Weights, whose sum is 1, and grey of the reference's windows."""
    height, width = at.grey.shape
    centre = at.grey[at.rows, at.columns]
    weights, values = [], []
    for dx, dy in offsets:
        u, v = at.columns + dx, at.rows + dy
        within = (u >= 0) & (u < width) & (v >= 0) & (v < height)
        u, v = u.clamp(0, width - 1), v.clamp(0, height - 1)
        values.append(at.grey[v, u])
        weight = 1 / (1 + ((values[-1] - centre) / at.matching.contrast) ** 2)
        weights.append(weight * (within & at.active[v, u]))
    total = torch.stack(weights)
    return total / total.sum(dim=0), torch.stack(values)


def _image_of(at: _Pixels, planes: Tensor, s: int, dx: int, dy: int) -> Float[Tensor, "n 3"]:
    """Homogeneous pixels of a source where the planes' points at an offset appear."""
    w = planes[:, 0] + planes[:, 1] * dx + planes[:, 2] * dy
    pixel = torch.stack([at.columns + dx, at.rows + dy, torch.ones_like(at.rows)], dim=1)
    turn, shift = (m.to(w.dtype) for m in (at.sources.turn[s], at.sources.shift[s]))
    return pixel.to(w.dtype) @ turn.T + w[:, None] * shift


def _source_windows(
    at: _Pixels, planes: Tensor, s: int, offsets: list[tuple[int, int]]
) -> Float[Tensor, "taps n"]:
    """Grey of a source under the planes, interpolated; its border goes on for ever."""
    height, width = at.sources.sizes[s]
    grey, values = at.sources.grey[s].to(planes.dtype), []
    for dx, dy in offsets:
        x, y, z = _image_of(at, planes, s, dx, dy).unbind(dim=1)
        x = (x / z.clamp(min=1e-6)).clamp(0, width - 1)
        y = (y / z.clamp(min=1e-6)).clamp(0, height - 1)
        u, v = x.long(), y.long()
        right, below = (u + 1).clamp(max=width - 1), (v + 1).clamp(max=height - 1)
        upper = torch.lerp(grey[v, u], grey[v, right], x - u)
        lower = torch.lerp(grey[below, u], grey[below, right], x - u)
        values.append(torch.lerp(upper, lower, y - v))
    return torch.stack(values)


def _visible(at: _Pixels, planes: Tensor, s: int) -> tuple[Tensor, Tensor]:
    """Whether a source may see each plane's point from its front; whether it is off its mask."""
    x, y, z = _image_of(at, planes, s, 0, 0).unbind(dim=1)
    x, y = x / z.clamp(min=1e-6) + 0.5, y / z.clamp(min=1e-6) + 0.5
    height, width = at.sources.sizes[s]
    within = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    u, v = x.clamp(0, width - 1).long(), y.clamp(0, height - 1).long()
    inside = at.sources.inside[s, v, u]
    (fx, fy), (cx, cy) = at.lens.focal, at.lens.principal
    w, gx, gy = planes.unbind(dim=1)
    axial = w - gx * (at.columns - cx) - gy * (at.rows - cy)
    centre = at.sources.centres[s].to(w.dtype)
    front = fx * gx * centre[0] + fy * gy * centre[1] + axial * centre[2] < 1
    return within & inside & front & (z > 1e-6), within & ~inside
