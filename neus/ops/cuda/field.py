"""The signed distance alone, for the occupancy grid and meshes: encoding and network in one kernel.

Composed of the other operators, features, hidden layer and activation go through memory, 1.3 kB a
point beside the 4 kB that the gathers of 16 levels touch. Here they stay on the chip, and batches
need no splitting. In exchange all levels are gathered at once: a table beyond the L2 cache (2^19
entries and more) then costs more than level by level.

With the gradient it does not pay: one product then feeds another, for which Triton gives every warp
the whole weight matrices, and that spills a kilobyte a thread at every tile size.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

from neus.ops.cuda import activation, precision
from neus.ops.cuda.grid import encode, level_constants
from neus.ops.cuda.grid_kernels import cells_and_fractions, corner_row
from neus.ops.cuda.launch import blocks
from neus.ops.cuda.products import layer, softplus_layer
from neus.ops.cuda.vectors import load_vectors
from neus.ops.grid import GridLayout
from neus.ops.reference import to_grid

if TYPE_CHECKING:
    from jaxtyping import Float

# Tiles of 32 points by 16 levels, and by 64 hidden units, take 4 and 16 registers a thread. Tiles
# twice as high take so many that warps get scarce, and the gathers wait for want of them.
TILE = {"BLOCK": 32, "num_warps": 4, "enable_fp_fusion": False}
LEVELS, WIDTH = 16, 64


@triton.jit(do_not_specialize=["count", "active_levels"])
def sdf_distance_kernel(
    x, table, scales, shapes, weight, bias, last_weight, last_bias, distance, count,
    active_levels, sharpness, x_point, x_axis, weight_row,
    LEVELS: tl.constexpr, WIDTH: tl.constexpr, PRECISION: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Signed distances at x in [-1, 1]^3, of a network with one hidden layer.

    Levels are the second axis of a tile, one tile for either feature; inactive ones are zero.
    """
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = points < count
    px, py, pz = load_vectors(x, x_point, x_axis, points, mask)
    levels, pair, hidden = tl.arange(0, LEVELS), tl.arange(0, 2), tl.arange(0, WIDTH)
    active = levels < active_levels
    scale = tl.load(scales + levels, mask=active, other=0.0)[None, :]
    at = shapes + levels * 4
    resolution = tl.load(at, mask=active, other=1).to(tl.uint32)[None, :]
    rows = tl.load(at + 1, mask=active, other=1).to(tl.uint32)[None, :]
    first = tl.load(at + 2, mask=active, other=0)[None, :]
    dense = tl.load(at + 3, mask=active, other=0)[None, :]
    ix, iy, iz, fx, fy, fz = cells_and_fractions(
        _to_grid(px)[:, None], _to_grid(py)[:, None], _to_grid(pz)[:, None], scale
    )
    gathered = mask[:, None] & active[None, :]
    value0 = tl.zeros((BLOCK, LEVELS), tl.float32)
    value1 = value0
    for corner in tl.range(8):  # not unrolled: all its loads in flight would take all registers
        row = corner_row(corner, ix, iy, iz, resolution, rows, first, dense)
        entries = table + (row[:, :, None] * 2 + pair)
        e0, e1 = tl.split(tl.load(entries, mask=gathered[:, :, None], other=0.0))
        wx = tl.where(corner & 1 != 0, fx, 1 - fx)
        wy = tl.where(corner & 2 != 0, fy, 1 - fy)
        wz = tl.where(corner & 4 != 0, fz, 1 - fz)
        value0 += wx * wy * wz * e0
        value1 += wx * wy * wz * e1
    at = weight + hidden[None, :] * weight_row
    from_features = at + 3 + 2 * levels[:, None]
    weight0 = tl.load(from_features, mask=active[:, None], other=0.0)
    weight1 = tl.load(from_features + 1, mask=active[:, None], other=0.0)
    z = tl.dot(value0, weight0, input_precision=PRECISION)
    z = tl.dot(value1, weight1, acc=z, input_precision=PRECISION)
    z += px[:, None] * tl.load(at) + py[:, None] * tl.load(at + 1) + pz[:, None] * tl.load(at + 2)
    z += tl.load(bias + hidden)[None, :]
    u = activation.softplus(z * sharpness, sharpness) * tl.load(last_weight + hidden)[None, :]
    tl.store(distance + points, tl.sum(u, axis=1) + tl.load(last_bias), mask=mask)


@triton.jit
def _to_grid(x):
    return tl.minimum(tl.maximum(0.5 * x + 0.5, 0.0), 1.0)


@torch.no_grad()
def sdf_distance(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows 2"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
) -> Float[Tensor, "n"]:
    """See :func:`neus.ops.reference.sdf_distance`.

    One hidden layer of width 64 over up to 16 levels takes the fused kernel, any other network the
    composed operators.
    """
    if len(weights) != 2 or len(biases[0]) != WIDTH or grid.levels > LEVELS:
        return _composed_distance(x, table, weights, biases, grid, active_levels, sharpness)
    distance = x.new_empty(len(x))
    if len(x):
        sdf_distance_kernel[(blocks(len(x), TILE["BLOCK"]),)](
            x,
            table,
            *level_constants(grid, x.device),
            *(weights[0], biases[0], weights[1], biases[1]),
            *(distance, len(x), active_levels, sharpness),
            *x.stride(),
            weights[0].stride(0),
            LEVELS=LEVELS,
            WIDTH=WIDTH,
            PRECISION=precision.DOT,
            **TILE,
        )
    return distance


def _composed_distance(
    x: Tensor,
    table: Tensor,
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
) -> Tensor:
    u = torch.cat([x.T, encode(to_grid(x), table, grid, active_levels).T])
    layer_weights = (weights[0][:, : len(u)], *weights[1:-1])
    for weight, bias in zip(layer_weights, biases[:-1], strict=True):
        u, _ = softplus_layer(weight, bias, u, sharpness)
    return layer(weights[-1][:1], biases[-1][:1], u)[0]
