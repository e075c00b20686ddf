"""How alike the windows of pixels are under their planes, in the reference and in its sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.stereo import Lens, Matching, Sources

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Pixels:
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


def plane_costs(at: Pixels, planes: Float[Tensor, "n 3"]) -> Float[Tensor, "n"]:
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
    at: Pixels, offsets: list[tuple[int, int]]
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


def _image_of(at: Pixels, planes: Tensor, s: int, dx: int, dy: int) -> Float[Tensor, "n 3"]:
    """Homogeneous pixels of a source where the planes' points at an offset appear."""
    w = planes[:, 0] + planes[:, 1] * dx + planes[:, 2] * dy
    pixel = torch.stack([at.columns + dx, at.rows + dy, torch.ones_like(at.rows)], dim=1)
    turn, shift = (m.to(w.dtype) for m in (at.sources.turn[s], at.sources.shift[s]))
    return pixel.to(w.dtype) @ turn.T + w[:, None] * shift


def _source_windows(
    at: Pixels, planes: Tensor, s: int, offsets: list[tuple[int, int]]
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


def _visible(at: Pixels, planes: Tensor, s: int) -> tuple[Tensor, Tensor]:
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
