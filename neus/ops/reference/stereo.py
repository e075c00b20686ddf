"""PatchMatch stereo in plain torch, all pixels of one colour at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.reference.stereo_planes import drawn_planes
from neus.ops.reference.stereo_windows import Pixels, plane_costs
from neus.ops.stereo import (
    DRAWS,
    KINDS,
    REFUSED,
    REGIONS,
    SIDES,
    Lens,
    Matching,
    Sources,
    depth_and_normal,
    planes_of,
)

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


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
            at = Pixels(rows[chosen], columns[chosen], grey, active, lens, sources, matching)
            _improve(at, planes, costs, iteration, key)
    planes = torch.where(active[..., None], planes, 0)
    return *depth_and_normal(planes, lens), torch.where(active, costs, 2)


def _improve(at: Pixels, planes: Tensor, costs: Tensor, iteration: int, key: int) -> None:
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


def _better(at: Pixels, tried: Tensor, now: Tensor, least: Tensor) -> tuple[Tensor, Tensor]:
    cost = torch.where(tried[:, 0] > 0, plane_costs(at, tried), REFUSED)
    better = cost < least
    return torch.where(better[:, None], tried, now), torch.where(better, cost, least)


def _neighbours(at: Pixels, planes: Tensor, costs: Tensor, region: int) -> Tensor:
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
