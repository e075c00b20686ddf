"""The hash grid of tiny-cuda-nn, on our table."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.errors import InputError
from neus.ops import reference
from neus.ops.grid import GridLayout
from neus.ops.tcnn.packages import call, without_parameters

if TYPE_CHECKING:
    from jaxtyping import Float


def encode(
    x: Float[Tensor, "n 3"], table: Float[Tensor, "rows f"], grid: GridLayout, active_levels: int
) -> Float[Tensor, "n active"]:
    """Trilinear features at x in [0, 1]^3 of the first ``active_levels`` levels, level by level.

    n is positive. Differentiable by x and table, and its gradient by x once more by the table.
    """
    encoding = _encoding(grid, active_levels, table.device)
    rows = table[: int(grid.offsets[active_levels])]
    return call(encoding, rows.reshape(-1), x)


@lru_cache(maxsize=64)
def _encoding(grid: GridLayout, active_levels: int, device: torch.device) -> nn.Module:
    """tiny-cuda-nn's grid of the first levels, which take the first rows of the whole one's table.

    Raises:
        InputError: it lays out its levels otherwise.
    """
    with torch.cuda.device_of(torch.empty(0, device=device)):
        encoding = import_module("tinycudann").Encoding(
            n_input_dims=3,
            encoding_config={
                "otype": "HashGrid",
                "n_levels": active_levels,
                "n_features_per_level": grid.features,
                "log2_hashmap_size": grid.log2_entries,
                "base_resolution": grid.base_resolution,
                "per_level_scale": grid.growth,
                "interpolation": "Linear",
            },
            dtype=torch.float32,
        )
    entries = encoding.params.numel()
    without_parameters(encoding)
    expected = int(grid.offsets[active_levels]) * grid.features
    if entries != expected or not _reads_as_ours(encoding, grid, active_levels, device):
        raise InputError(
            f"tiny-cuda-nn lays out the first {active_levels} levels of this hash grid in another"
            " way: change model.hash_grid.finest_resolution a little, or use backend 'auto'"
        )
    return encoding


@torch.no_grad()
def _reads_as_ours(
    encoding: nn.Module, grid: GridLayout, active_levels: int, device: torch.device
) -> bool:
    """Whether both make the same of a table of noise, but for what rounding moves a place by.

    Both follow Mueller et al. 2022. But where a level comes out as a whole number of cells, float32
    may make one more of it, which matters if that level is indexed directly.
    """
    generator = torch.Generator(device).manual_seed(0)
    rows = int(grid.offsets[active_levels])
    table = torch.rand(rows, grid.features, generator=generator, device=device)
    x = torch.rand(256, 3, generator=generator, device=device)
    ours = reference.encode(x, table, grid, active_levels)
    return bool((call(encoding, table.flatten(), x) - ours).abs().max() < 0.05)
