"""Marching outside the unit sphere, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false, reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

from neus.ops.cuda.march import WARP, allot, cell_index
from neus.ops.cuda.vectors import load_vectors
from neus.ops.outside import MOST_DEPTH, growth
from neus.ops.reference import outside_start
from neus.ops.types import EMPTY, Samples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

_EMPTY, _MOST_DEPTH = tl.constexpr(EMPTY), tl.constexpr(MOST_DEPTH)


@triton.jit
def _contraction(x, y, z):
    """What takes a point to contracted space by multiplication."""
    inverse = 1 / tl.maximum(tl.sqrt_rn(x * x + y * y + z * z), 1.0)
    return inverse - 0.5 * inverse * inverse


@triton.jit(do_not_specialize=["resolution", "sections_count"])
def march_outside_kernel(
    origins, directions, occupancy, density, starts, shifts, powers, lit, ratio, resolution,
    sections_count, counts, offsets, ray_index, t, lengths, WRITE: tl.constexpr,
    CHUNK: tl.constexpr,
):  # fmt: skip
    """Count the samples of a ray or, with WRITE, write them to its place."""
    ray = tl.program_id(0)
    ox, oy, oz = load_vectors(origins, 3, 1, ray, True)
    dx, dy, dz = load_vectors(directions, 3, 1, ray, True)
    start, shift, growth_ratio = tl.load(starts + ray), tl.load(shifts + ray), tl.load(ratio)
    size = resolution.to(tl.float32)
    last = tl.where(tl.load(lit + ray) != 0, sections_count, 0)
    if WRITE:
        begin = tl.load(offsets + ray)
        room = (tl.load(offsets + ray + 1) - begin).to(tl.int32)
        last = tl.where(room > 0, last, 0)
    lanes = tl.arange(0, CHUNK)
    first, taken, depth = 0, 0, 0.0
    while first < last:
        within = first + lanes < last
        scale = shift * tl.load(powers + first + lanes, mask=within, other=1.0)
        at = start + (scale - 1)
        x, y, z = ox + dx * at, oy + dy * at, oz + dz * at
        factor = _contraction(x, y, z)
        i, j = cell_index(x * factor, size), cell_index(y * factor, size)
        cell = (i * resolution + j) * resolution + cell_index(z * factor, size)
        hit = tl.load(occupancy + cell, mask=within, other=_EMPTY) != _EMPTY
        length = growth_ratio * scale
        through = tl.load(density + cell, mask=within & hit, other=0.0) * length
        hit = hit & (depth + tl.cumsum(through, axis=0) - through < _MOST_DEPTH)
        wanted = hit.to(tl.int32)
        if WRITE:
            place = taken + tl.cumsum(wanted, axis=0) - wanted
            kept = hit & (place < room)
            tl.store(t + begin + place, at, mask=kept)
            tl.store(lengths + begin + place, length, mask=kept)
            tl.store(ray_index + begin + place, ray.to(tl.int64), mask=kept)
        taken += tl.sum(wanted, axis=0)
        depth += tl.sum(through, axis=0)
        last = tl.where(depth < _MOST_DEPTH, last, 0)
        first += CHUNK
    if not WRITE:
        tl.store(counts + ray, taken)


def march_outside(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    density: Float[Tensor, "g g g"],
    ratio: float,
    far: float,
    lit: Bool[Tensor, "r"],
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> tuple[Samples, Float[Tensor, "m"]]:
    """Given a capacity, nothing waits for the device: its length does not depend on the rays."""
    rays, device = len(origins), origins.device
    counts = torch.empty(rays, dtype=torch.int32, device=device)
    powers = _growth(ratio, far, device)
    inputs = (
        origins.contiguous(),
        directions.contiguous(),
        occupancy,
        density,
        outside_start(origins, directions),
        (1 + ratio) ** jitter,
        powers,
        lit.to(torch.uint8),
        torch.full((), ratio, device=device),
        occupancy.shape[0],
        len(powers),
    )
    if rays:
        march_outside_kernel[(rays,)](*inputs, *(counts,) * 5, WRITE=False, **WARP)
    offsets, taken = allot(counts, capacity)
    size = int(offsets[-1]) if capacity is None else capacity
    ray_index = torch.zeros(size, dtype=torch.int64, device=device)
    t, lengths = torch.zeros(2, size, device=device)
    if rays and size:
        march_outside_kernel[(rays,)](
            *inputs, counts, offsets, ray_index, t, lengths, WRITE=True, **WARP
        )
    return Samples(ray_index, t, offsets, taken), lengths


# Kept on the device, since a copy to it makes the host wait.
@lru_cache(maxsize=8)
def _growth(ratio: float, far: float, device: torch.device) -> Float[Tensor, "k"]:
    return growth(ratio, far, device)
