"""Marching outside the unit sphere on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu import outside_kernels, ray_kernels
from neus.ops.cpu.threads import on_all_threads
from neus.ops.outside import growth
from neus.ops.reference import outside_start
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8


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
    rays, scales = len(origins), growth(ratio, far, origins.device)
    starts, shifts = outside_start(origins, directions), (1 + ratio) ** jitter
    counts, chosen = np.empty(rays, np.int64), np.empty((rays, len(scales)), np.int32)
    tensors = (origins.contiguous(), directions.contiguous(), occupancy, density)
    tensors = (*tensors, starts, shifts, scales, lit)
    arrays = (*(t.numpy() for t in tensors), np.float32(ratio), counts, chosen)
    on_all_threads(outside_kernels.march_outside, *arrays)
    ends = np.cumsum(counts)
    taken = ends <= (ends[-1:] if capacity is None else capacity)
    offsets = np.zeros(rays + 1, np.int64)
    offsets[1:] = np.minimum(ends, ends[taken].max(initial=0))
    places = int(offsets[-1]) if capacity is None else capacity
    ray_index, section = np.zeros(places, np.int64), np.zeros(places, np.int32)
    ray_kernels.pack(chosen, offsets, ray_index, section)
    ray, filled = torch.from_numpy(ray_index), torch.arange(places) < int(offsets[-1])
    scale = shifts[ray] * scales[torch.from_numpy(section)]
    t = torch.where(filled, starts[ray] + (scale - 1), 0)
    samples = Samples(ray, t, torch.from_numpy(offsets), torch.from_numpy(taken))
    return samples, torch.where(filled, ratio * scale, 0)
