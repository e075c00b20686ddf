"""tinycudann and nerfacc as their documentation describes them, in slow torch on the CPU.

What the adapter relies on, and nothing else: layouts of parameters, precisions, batches padded to
256, gradients read as contiguous memory, packed rays, memory that nobody wrote.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 256
PRIMES = (1, 2_654_435_761, 805_459_861)


class Encoding(nn.Module):
    """tinycudann.Encoding of type HashGrid (grid.h): scales and sizes are float32 there."""

    def __init__(
        self,
        n_input_dims: int,
        encoding_config: dict[str, Any],
        seed: int = 1337,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        assert n_input_dims == 3
        assert encoding_config["otype"] == "HashGrid"
        assert encoding_config["interpolation"] == "Linear"
        self.dtype = dtype or torch.float16
        self.features = encoding_config["n_features_per_level"]
        exponent = np.log2(np.float32(encoding_config["per_level_scale"]))
        most = 1 << encoding_config["log2_hashmap_size"]
        self.levels, first = [], 0
        for level in range(encoding_config["n_levels"]):
            growth = np.exp2(np.float32(level) * exponent)
            scale = np.float32(growth * np.float32(encoding_config["base_resolution"])) - 1
            resolution = math.ceil(scale) + 1
            rows = min(-(-(resolution**3) // 8) * 8, most)
            self.levels.append((float(scale), resolution, first, rows))
            first += rows
        self.n_output_dims = len(self.levels) * self.features
        self.params = nn.Parameter(torch.zeros(first * self.features))

    def forward(self, x: Tensor) -> Tensor:
        x, count = _padded(x)
        x = _Input.apply(x)
        table = self.params.to(self.dtype).float().view(-1, self.features)
        encoded = torch.cat([self._level(x, table, *level) for level in self.levels], dim=1)
        return _Output.apply(encoded.to(self.dtype))[:count, : self.n_output_dims]

    @staticmethod
    def _level(x: Tensor, table: Tensor, scale: float, size: int, first: int, rows: int) -> Tensor:
        position = x * scale + 0.5
        cell = position.detach().floor()
        fraction, total = position - cell, torch.zeros(())
        for corner in range(8):
            upper = [corner >> axis & 1 for axis in range(3)]
            at = [cell[:, axis].long() + upper[axis] for axis in range(3)]
            if size**3 <= rows:
                row = (at[0] + size * (at[1] + size * at[2])) % rows
            else:
                row = (at[0] * PRIMES[0] ^ at[1] * PRIMES[1] ^ at[2] * PRIMES[2]) % 2**32 % rows
            weight = torch.ones(len(x))
            for axis in range(3):
                weight = weight * (fraction[:, axis] if upper[axis] else 1 - fraction[:, axis])
            total = total + weight[:, None] * table[first + row]
        return total


class Network(nn.Module):
    """tinycudann.Network: matrices ``[out, in]`` without biases, in float16."""

    def __init__(
        self, n_input_dims: int, n_output_dims: int, network_config: dict[str, Any], seed: int = 0
    ) -> None:
        super().__init__()
        width, hidden = network_config["n_neurons"], network_config["n_hidden_layers"]
        assert network_config["activation"] == "ReLU"
        assert network_config["output_activation"] == "None"
        fused = network_config["otype"] == "FullyFusedMLP"
        assert fused or network_config["otype"] == "CutlassMLP"
        assert not fused or width in (32, 64, 128)
        # Others are padded, with values that changed between versions.
        assert not any(size % 16 for size in (n_input_dims, n_output_dims, width))
        widths = [n_input_dims, *[width] * hidden, n_output_dims]
        self.shapes = list(zip(widths[1:], widths[:-1], strict=True))
        self.n_output_dims, self.loss_scale, self.otype = (
            n_output_dims,
            128.0,
            network_config["otype"],
        )
        self.params = nn.Parameter(
            torch.zeros(sum(rows * columns for rows, columns in self.shapes))
        )

    def forward(self, x: Tensor) -> Tensor:
        x, count = _padded(x)
        x, parameters = _Unscaled.apply(x.float().half(), self.params.half(), self.loss_scale)
        matrices = parameters.float().split([rows * columns for rows, columns in self.shapes])
        for index, (matrix, shape) in enumerate(zip(matrices, self.shapes, strict=True)):
            x = (x.float() @ matrix.view(shape).T).half()
            x = torch.relu(x) if index < len(matrices) - 1 else x
        return _Output.apply(_Scaled.apply(x, self.loss_scale))[:count, : self.n_output_dims]


def _padded(x: Tensor) -> tuple[Tensor, int]:
    assert len(x) > 0
    return nn.functional.pad(x.float(), (0, 0, 0, -len(x) % BATCH)), len(x)


class _Output(torch.autograd.Function):
    """Gradients of first and second order are read from raw memory."""

    @staticmethod
    def forward(ctx, tensor):  # pyright: ignore
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, bar):  # pyright: ignore
        assert bar.is_contiguous()
        return _Output.apply(bar)


class _Input(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor):  # pyright: ignore
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, bar):  # pyright: ignore
        return _Output.apply(bar.contiguous())


class _Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, scale):  # pyright: ignore
        ctx.scale = scale
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, bar):  # pyright: ignore
        return bar * ctx.scale, None


class _Unscaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, parameters, scale):  # pyright: ignore
        ctx.scale = scale
        return inputs.view_as(inputs), parameters.view_as(parameters)

    @staticmethod
    def backward(ctx, inputs_bar, parameters_bar):  # pyright: ignore
        return inputs_bar / ctx.scale, parameters_bar / ctx.scale, None


class OccGridEstimator(nn.Module):
    """nerfacc.OccGridEstimator: cells are occupied or not; intervals count from the near plane."""

    def __init__(self, roi_aabb: list[float], resolution: int = 128, levels: int = 1) -> None:
        super().__init__()
        self.register_buffer("aabbs", torch.tensor([roi_aabb]))
        self.register_buffer("binaries", torch.zeros(levels, *[resolution] * 3, dtype=torch.bool))

    def sampling(
        self,
        rays_o: Tensor,
        rays_d: Tensor,
        near_plane: float = 0.0,
        far_plane: float = 1e10,
        t_min: Tensor | None = None,
        t_max: Tensor | None = None,
        render_step_size: float = 1e-3,
    ) -> tuple[Tensor, Tensor, Tensor]:
        assert isinstance(render_step_size, float)
        assert t_min is not None
        assert t_max is not None
        near = torch.full_like(rays_o[:, 0], near_plane).clamp(min=t_min)
        far = torch.full_like(rays_o[:, 0], far_plane).clamp(max=t_max)
        steps = torch.arange(math.ceil(3 / render_step_size))
        begin = near[:, None] + render_step_size * steps
        middle = begin + 0.5 * render_step_size
        box, resolution = self.aabbs[0], len(self.binaries[0])  # pyright: ignore
        points = rays_o[:, None] + middle[..., None] * rays_d[:, None]
        unit = (points - box[:3]) / (box[3:] - box[:3])
        inside = ((unit >= 0) & (unit <= 1)).all(dim=2) & (middle < far[:, None])
        i, j, k = (unit * resolution).long().clamp(0, resolution - 1).unbind(dim=2)
        ray, step = (inside & self.binaries[0, i, j, k]).nonzero(as_tuple=True)  # pyright: ignore
        return ray, begin[ray, step], begin[ray, step] + render_step_size


def render_weight_from_alpha(
    alphas: Tensor,
    packed_info: Tensor | None = None,
    ray_indices: Tensor | None = None,
    n_rays: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Weights, and the light that reaches each sample; what no ray holds is left unwritten."""
    assert packed_info is not None
    assert packed_info.dtype == torch.int64
    trans = torch.full_like(alphas, torch.nan)
    for begin, count in packed_info.tolist():
        through = torch.cumprod(1 - alphas[begin : begin + count], dim=0)
        index = torch.arange(begin, begin + count)
        shifted = torch.cat([torch.ones(min(count, 1)), through[:-1]])
        trans = trans.index_put((index,), shifted)
    return trans * alphas, trans


def accumulate_along_rays(
    weights: Tensor, values: Tensor, ray_indices: Tensor, n_rays: int
) -> Tensor:
    sums = torch.zeros(n_rays, values.shape[1])
    return sums.index_add(0, ray_indices, weights[:, None] * values)


def packages() -> dict[str, ModuleType]:
    """Modules by the names that they are imported under."""
    tinycudann, nerfacc = ModuleType("tinycudann"), ModuleType("nerfacc")
    vars(tinycudann).update(Encoding=Encoding, Network=Network)
    vars(nerfacc).update(
        OccGridEstimator=OccGridEstimator,
        render_weight_from_alpha=render_weight_from_alpha,
        accumulate_along_rays=accumulate_along_rays,
    )
    return {"tinycudann": tinycudann, "nerfacc": nerfacc}
