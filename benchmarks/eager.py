"""A training step as one would write it in torch without extensions.

instant-nsr-pl's model without its CUDA extensions: the hash grid by indexing, the gradient of the
distance by autograd with ``create_graph=True``, so that the backward pass differentiates twice, and
AdamW with torch's defaults. Shading and compositing are the reference operators, which are what one
would write. ``index_select`` is the fastest of torch's ways to index with a gradient on the CPU.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812  (as everybody calls it)
from torch import Tensor

from benchmarks.work_unit import WorkUnit, stage
from neus.fields import SHARPNESS
from neus.models import NeuS
from neus.ops import reference
from neus.ops.grid import HASH_PRIMES, GridLayout

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class EagerGrid:
    """The hash grid by indexing; positions lie well inside the cube."""

    def __init__(self, grid: GridLayout, device: torch.device) -> None:
        self.scale = torch.from_numpy(grid.scale)[:, None].to(device)
        self.resolution = torch.from_numpy(grid.resolution).long()[:, None].to(device)
        self.dense = torch.from_numpy(grid.dense)[:, None].to(device)
        self.first = torch.from_numpy(grid.offsets[:-1])[:, None].to(device)
        self.mask = grid.hashed_rows - 1
        corners = [[corner >> axis & 1 for axis in range(3)] for corner in range(8)]
        self.corners = torch.tensor(corners, device=device)

    def encode(
        self, x: Float[Tensor, "n 3"], table: Float[Tensor, "rows f"]
    ) -> Float[Tensor, "n c"]:
        """Features at x in [0, 1]^3, differentiable twice."""
        position = x[:, None] * self.scale + 0.5
        cell = position.detach().floor()
        fraction = position - cell
        x1, y1, z1 = fraction.unbind(dim=-1)
        x0, y0, z0 = (1 - fraction).unbind(dim=-1)
        across = torch.stack([x0 * y0, x1 * y0, x0 * y1, x1 * y1], dim=-1)
        weights = torch.cat([across * z0[..., None], across * z1[..., None]], dim=-1)
        rows = self._rows(cell.long())
        corners = table.index_select(0, rows.flatten()).view(*rows.shape, -1)
        return (weights[..., None] * corners).sum(dim=2).flatten(1)

    def _rows(self, cell: Int[Tensor, "n levels 3"]) -> Int[Tensor, "n levels 8"]:
        x, y, z = (cell[:, :, None] + self.corners).unbind(dim=-1)
        direct = x + self.resolution * (y + self.resolution * z)
        hashed = x ^ (y * HASH_PRIMES[1]) ^ (z * HASH_PRIMES[2])
        return torch.where(self.dense, direct, hashed & self.mask) + self.first


class EagerStep:
    """The parameters of a model, copied, and a step that moves them."""

    def __init__(self, model: NeuS, unit: WorkUnit, rate: float) -> None:
        self.unit = unit
        self.stage = stage(model.sdf.grid.levels)
        self.grid = EagerGrid(model.sdf.grid, unit.points.device)
        self.table = _copy(model.sdf.table)
        self.sdf_layers, self.radiance_layers = (
            ([_copy(w) for w in layers.weights], [_copy(b) for b in layers.biases])
            for layers in (model.sdf.layers, model.radiance.layers)
        )
        self.variance = _copy(model.variance)
        self.encoded_directions = model.radiance.encode_directions(
            unit.directions, self.stage.direction_bands
        )
        self.networks = [
            p for pair in (self.sdf_layers, self.radiance_layers) for ps in pair for p in ps
        ]
        self.optimizer = torch.optim.AdamW([self.table, *self.networks, self.variance], lr=rate)

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def loss(self) -> Float[Tensor, ""]:
        out, gradient = self.sdf_and_gradient(self.unit.points)
        alpha, colours, norms = self.shade(out, gradient)
        _, transmittance, rgb = reference.composite(alpha, colours, self.unit.samples.offsets)
        return self.unit.loss(rgb, transmittance, norms)

    def sdf(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n out"]:
        weights, biases = self.sdf_layers
        u = torch.cat([x, self.grid.encode(0.5 * x + 0.5, self.table)], dim=1)
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            u = F.softplus(F.linear(u, weight, bias), beta=SHARPNESS)
        return F.linear(u, weights[-1], biases[-1])

    def sdf_and_gradient(
        self, x: Float[Tensor, "n 3"]
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        x = x.detach().requires_grad_()
        out = self.sdf(x)
        (gradient,) = torch.autograd.grad(out[:, 0].sum(), x, create_graph=True)
        return out, gradient

    def shade(
        self, out: Float[Tensor, "n out"], gradient: Float[Tensor, "n 3"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        return reference.shade(
            out,
            gradient,
            self.unit.points,
            self.unit.samples,
            self.unit.directions,
            self.encoded_directions,
            *self.radiance_layers,
            self.stage.step_length,
            torch.exp(10 * self.variance),
            self.stage.cos_anneal,
        )


def _copy(parameter: Tensor) -> Tensor:
    return parameter.detach().clone().requires_grad_()
