"""The signed distance field: hash grid and network."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neus.config import HashGridConfig, SdfConfig
from neus.fields.differences import by_differences
from neus.fields.mlp import Layers
from neus.ops.grid import GridLayout

if TYPE_CHECKING:
    from jaxtyping import Float

SHARPNESS = 100.0
"""Of the softplus between the layers (NeuS; Gropp et al. 2020)."""


class SdfField(nn.Module):
    """x in the scene frame -> signed distance (positive outside) and a feature vector.

    The network sees x and the features of the active levels only; the weights of inactive levels
    wait untouched.
    """

    def __init__(self, grid: HashGridConfig, sdf: SdfConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.grid = GridLayout(
            grid.levels,
            grid.features,
            grid.log2_entries,
            grid.base_resolution,
            grid.finest_resolution,
        )
        table = torch.rand(self.grid.rows, grid.features, generator=generator)
        self.table = nn.Parameter((2 * table - 1) * 1e-4)
        self.table_gradient: Any = None
        self.gradient = sdf.gradient
        sizes = [3 + self.grid.width, *[sdf.width] * sdf.hidden_layers, 1 + sdf.features]
        self.layers = Layers(sizes, generator)
        _start_as_sphere(self.layers, sdf.initial_radius, generator)

    def with_gradient(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        """Network output (column 0 is the distance) and the distance's gradient, at x.

        The table's gradient goes to ``table_gradient``, one of the backend's ``TableGradient``,
        where that is set, else to autograd.
        """
        out, gradient, _ = self.with_laplacian(x, backend, active_levels)
        return out, gradient

    def with_laplacian(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"], Float[Tensor, "n"] | None]:
        """As :meth:`with_gradient`, and the distance's Laplacian where differences give it."""

        def evaluate(points: Float[Tensor, "m 3"]) -> tuple[Tensor, Tensor]:
            return backend.sdf_and_gradient(
                points, *self._operands(active_levels), table_gradient=self.table_gradient
            )

        if self.gradient.kind == "analytic":
            return *evaluate(x), None
        eps = self.difference_eps(active_levels)
        return by_differences(lambda points: evaluate(points)[0], x, eps, self.gradient.taps)

    def difference_eps(self, active_levels: int) -> float:
        """Reach of the differences in scene units: fixed, or a cell of the finest active level."""
        return self.gradient.eps or min(0.5, 2 * self.grid.cell_size(active_levels))

    def distance(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n"]:
        """Signed distance alone, without a graph."""
        return backend.sdf_distance(x, *self._operands(active_levels))

    def _operands(self, active_levels: int) -> tuple[Any, ...]:
        weights, biases = list(self.layers.weights), list(self.layers.biases)
        return self.table, weights, biases, self.grid, active_levels, SHARPNESS


@torch.no_grad()
def _start_as_sphere(layers: Layers, radius: float, generator: torch.Generator) -> None:
    """Geometric initialisation: |x| - radius (after Atzmon and Lipman 2020, theorem 1).

    A sum of rectified projections on all directions is proportional to |x|. The theorem draws the
    directions at random; spread evenly, as few as 64 already give a round sphere. Slope and
    radius, which deeper networks and the softplus shift, are measured and set right.
    """
    *hidden, (last_weight, last_bias) = layers
    first_weight = hidden[0][0]
    width = first_weight.shape[0]
    first_weight[:, :3] = math.sqrt(6 / width) * _even_directions(width)
    last_weight.copy_(0.1 * torch.randn(last_weight.shape, generator=generator))
    last_weight[0] = math.sqrt(math.pi / width)
    surface = radius * _even_directions(4096)
    inner, outer = (_first_output(layers, factor * surface).mean() for factor in (0.95, 1.05))
    last_weight[0] *= 0.1 * radius / (outer - inner)
    last_bias[0] = -_first_output(layers, surface).mean()


def _first_output(layers: Layers, x: Tensor) -> Tensor:
    """The distance where all grid features are zero."""
    *hidden, (weight, bias) = layers
    for index, (hidden_weight, hidden_bias) in enumerate(hidden):
        seen = hidden_weight[:, :3] if index == 0 else hidden_weight
        x = torch.nn.functional.softplus(x @ seen.T + hidden_bias, beta=SHARPNESS)
    return x @ weight[0] + bias[0]


def _even_directions(count: int) -> Float[Tensor, "count 3"]:
    """Unit vectors spread evenly over the sphere, on a golden spiral."""
    index = torch.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = math.pi * (3 - math.sqrt(5)) * index
    across = torch.sqrt(1 - z * z)
    return torch.stack([across * torch.cos(angle), across * torch.sin(angle), z], dim=1)
