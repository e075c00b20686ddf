"""The signed distance field: hash grid and network."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neus.config import HashGridConfig, SdfConfig
from neus.fields.differences import by_differences
from neus.fields.grids import grid_layout
from neus.fields.mlp import Layers, NormalisedLayers
from neus.fields.outputs import DistanceOutput

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
        self.grid = grid_layout(grid)
        table = torch.rand(self.grid.rows, grid.features, generator=generator)
        self.table = nn.Parameter((2 * table - 1) * 1e-4)
        self.table_gradient: Any = None
        self.output = DistanceOutput(sdf)
        self.gradient, self.identity = sdf.gradient, (sdf.identity_scale, sdf.identity_offset)
        hidden = [sdf.width] * sdf.hidden_layers
        layers = Layers([3 + self.encoding_width, *hidden, 1 + sdf.features], generator)
        _start_as_sphere(layers, sdf, generator)
        self.layers = NormalisedLayers(layers) if sdf.weight_norm else layers

    @property
    def encoding_width(self) -> int:
        """Columns that the network sees after x."""
        return self.grid.width

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
        if self.gradient.kind == "analytic":
            found = self._evaluate(x, backend, active_levels)
            return *self.output.with_gradient(*found), None
        return by_differences(
            lambda points: self.output.output(self._evaluate(points, backend, active_levels)[0]),
            x,
            self.difference_eps(active_levels),
            self.gradient.taps,
        )

    def operators(self, backend: ModuleType) -> ModuleType:
        """Those that the field runs on, and its table: the backend's, as a method's are chosen."""
        return backend

    def difference_eps(self, active_levels: int) -> float:
        """Reach of the differences in scene units: fixed, or a cell of the finest active level."""
        return self.gradient.eps or min(0.5, 2 * self.grid.cell_size(active_levels))

    def distance(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n"]:
        """Signed distance alone, without a graph."""
        with torch.no_grad():
            return self.output.distance(self._first_output(x, backend, active_levels))

    def _first_output(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n"]:
        return backend.sdf_distance(x, *self._operands(active_levels))

    def _evaluate(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        """Output and analytic gradient."""
        return backend.sdf_and_gradient(
            x, *self._operands(active_levels), table_gradient=self.table_gradient
        )

    def _operands(self, active_levels: int) -> tuple[Any, ...]:
        weights, biases = self._network()
        return self.table, weights, biases, self.grid, active_levels, SHARPNESS

    def _network(self) -> tuple[list[Tensor], list[Tensor]]:
        """Weights and biases of a network that sees x itself.

        The scale and the offset of x, ``W (s x + o) = (s W) x + W o``, go into the first layer,
        so that the operators need not know of them.
        """
        weights, biases = list(self.layers.weights), list(self.layers.biases)
        scale, offset = self.identity
        if (scale, offset) != (1.0, 0.0):
            of_x, of_features = weights[0].split([3, weights[0].shape[1] - 3], dim=1)
            weights[0] = torch.cat([scale * of_x, of_features], dim=1)
            biases[0] = biases[0] + offset * of_x.sum(dim=1)
        return weights, biases


@torch.no_grad()
def _start_as_sphere(layers: Layers, sdf: SdfConfig, generator: torch.Generator) -> None:
    """Geometric initialisation: |x| - radius (after Atzmon and Lipman 2020, theorem 1).

    A sum of rectified projections on all directions is proportional to |x|. The theorem draws the
    directions at random; spread evenly, as few as 64 already give a round sphere. Further layers
    begin near the identity, which passes such projections on: at random, they would bend the
    sphere. Slope and radius, which the softplus shifts, are measured and set right.

    Inside out, as for a room that the cameras stand in, it is radius - |x|.
    """
    radius = sdf.initial_radius
    *hidden, (last_weight, last_bias) = layers
    first_weight = hidden[0][0]
    width = first_weight.shape[0]
    first_weight[:, :3] = math.sqrt(6 / width) * _even_directions(width)
    if sdf.encoding == "frequency":
        first_weight[:, 3:] = 0  # sines are not small, as the features of a new table are
    for weight, _ in hidden[1:]:
        weight.mul_(0.05).fill_diagonal_(1)
    last_weight.copy_(0.1 * torch.randn(last_weight.shape, generator=generator))
    last_weight[0] = math.sqrt(math.pi / width)
    surface = radius * _even_directions(4096)
    inner, outer = (_first_output(layers, factor * surface).mean() for factor in (0.95, 1.05))
    last_weight[0] *= 0.1 * radius / (outer - inner)
    last_bias[0] = -_first_output(layers, surface).mean()
    if sdf.inside_out:
        last_weight[0] *= -1
        last_bias[0] *= -1
    if sdf.identity_scale != 0:  # the network sees x * scale + offset, and shall not notice
        hidden[0][1].sub_(sdf.identity_offset / sdf.identity_scale * first_weight[:, :3].sum(dim=1))
        first_weight[:, :3] /= sdf.identity_scale


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
