"""Marching rays through the occupancy grid, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false, reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

from neus.ops.cuda.launch import on_device
from neus.ops.cuda.vectors import load_vectors
from neus.ops.types import EMPTY, INSIDE, Samples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

_EMPTY, _INSIDE = tl.constexpr(EMPTY), tl.constexpr(INSIDE)

# A warp takes one ray, 32 steps at a time: neighbouring steps read neighbouring cells, and a ray
# that ends early lets go of its warp at once. Without contraction to FMA both passes, counting
# and writing, place every sample alike.
WARP = {"CHUNK": 32, "num_warps": 1, "enable_fp_fusion": False}


@triton.jit
def cell_index(position, size):
    """Index along one axis of the cell that a coordinate in [-1, 1] lies in."""
    index = ((position * 0.5 + 0.5) * size).to(tl.int32)
    return tl.minimum(tl.maximum(index, 0), size.to(tl.int32) - 1)


@triton.jit(do_not_specialize=["resolution"])
def march_kernel(
    origins, directions, occupancy, step, jitter, resolution, counts, offsets, ray_index, t,
    WRITE: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """Count the samples of a ray or, with WRITE, write them to its place."""
    ray = tl.program_id(0)
    ox, oy, oz = load_vectors(origins, 3, 1, ray, True)
    dx, dy, dz = load_vectors(directions, 3, 1, ray, True)
    size = resolution.to(tl.float32)
    length, shift = tl.load(step), tl.load(jitter + ray)
    middle = -(ox * dx + oy * dy + oz * dz)
    squared = middle * middle - (ox * ox + oy * oy + oz * oz) + 1
    half = tl.sqrt_rn(tl.maximum(squared, 0.0))
    near = tl.maximum(middle - half, 0.0)
    far = tl.where(squared > 0, middle + half, near)
    if WRITE:
        begin = tl.load(offsets + ray)
        room = (tl.load(offsets + ray + 1) - begin).to(tl.int32)
        far = tl.where(room > 0, far, near)
    lanes = tl.arange(0, CHUNK)
    first, taken = 0, 0
    while near + length * (shift + first) < far:
        at = near + length * (shift + (first + lanes))
        within = at < far
        i, j, k = (
            cell_index(ox + dx * at, size),
            cell_index(oy + dy * at, size),
            cell_index(oz + dz * at, size),
        )
        cell = (i * resolution + j) * resolution + k
        state = tl.load(occupancy + cell, mask=within, other=_EMPTY)
        end = tl.min(tl.where(state == _INSIDE, lanes, CHUNK), axis=0)
        hit = ((state != _EMPTY) & (lanes < end)).to(tl.int32)
        if WRITE:
            place = taken + tl.cumsum(hit, axis=0) - hit
            kept = (hit != 0) & (place < room)
            tl.store(t + begin + place, at, mask=kept)
            tl.store(ray_index + begin + place, ray.to(tl.int64), mask=kept)
        taken += tl.sum(hit, axis=0)
        far = tl.where(end < CHUNK, near, far)
        first += CHUNK
    if not WRITE:
        tl.store(counts + ray, taken)


def march_rays(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    step: float | Float[Tensor, ""],
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> Samples:
    """Given a capacity, nothing waits for the device: its length does not depend on the rays."""
    rays, device = len(origins), origins.device
    counts = torch.empty(rays, dtype=torch.int32, device=device)
    inputs = (
        origins.contiguous(),
        directions.contiguous(),
        occupancy,
        on_device(step, device),
        jitter.contiguous(),
        occupancy.shape[0],
    )
    if rays:
        march_kernel[(rays,)](*inputs, *(counts,) * 4, WRITE=False, **WARP)
    offsets, taken = allot(counts, capacity)
    size = int(offsets[-1]) if capacity is None else capacity
    ray_index = torch.zeros(size, dtype=torch.int64, device=device)
    t = torch.zeros(size, device=device)
    if rays and size:
        march_kernel[(rays,)](*inputs, counts, offsets, ray_index, t, WRITE=True, **WARP)
    return Samples(ray_index, t, offsets, taken)


def allot(
    counts: Int[Tensor, "r"], capacity: int | None
) -> tuple[Int[Tensor, "r+1"], Bool[Tensor, "r"]]:
    """Where each ray's samples begin, and which rays fit into the capacity.

    A running sum never falls: no ray after the first that overflows is taken, and all of those
    begin and end where the last taken one ends.
    """
    ends = counts.cumsum(dim=0, dtype=torch.int64)
    taken = torch.ones_like(ends, dtype=torch.bool)
    if capacity is not None and len(counts):
        taken = ends <= capacity
        ends = torch.where(taken, ends, (ends * taken).amax())
    return torch.cat([ends.new_zeros(1), ends]), taken
