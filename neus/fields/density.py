"""The density field: hash grid and network."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neus.config import DensityConfig, HashGridConfig
from neus.fields.grids import grid_layout
from neus.fields.mlp import Layers
from neus.fields.outputs import DensityOutput
from neus.ops import reference
from neus.ops.alpha import density

if TYPE_CHECKING:
    from jaxtyping import Float


class DensityField(nn.Module):
    """x within [-1, 1]^3 -> logarithm of the density and a feature vector (Mueller et al. 2022).

    The network sees x and the features of the active levels only.
    """

    def __init__(
        self, grid: HashGridConfig, config: DensityConfig, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.grid = grid_layout(grid)
        table = torch.rand(self.grid.rows, grid.features, generator=generator)
        self.table = nn.Parameter((2 * table - 1) * 1e-4)
        self.table_gradient: Any = None
        self.output = DensityOutput(config)
        hidden = [config.width] * config.hidden_layers
        self.layers = Layers([3 + self.grid.width, *hidden, 1 + config.features], generator)
        with torch.no_grad():
            self.layers.weights[-1][0] *= 0.1  # about the same density everywhere at first
            self.layers.biases[-1][0] = self.output.bias(config.initial_density)

    def forward(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n out"]:
        """Network output (column 0 is the logarithm of the density) at x, activations included.

        The table's gradient goes to ``table_gradient``, one of the backend's ``TableGradient``,
        where that is set, else to autograd.
        """
        raw = self.operators(backend).grid_network(
            x,
            self.table,
            list(self.layers.weights),
            list(self.layers.biases),
            self.grid,
            active_levels,
            table_gradient=self.table_gradient,
        )
        return self.output.output(raw)

    def operators(self, backend: ModuleType) -> ModuleType:
        """Those of the backend, or plain torch for another number of features than 2 a level."""
        return backend if self.grid.features == 2 else reference

    @torch.no_grad()
    def density(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n"]:
        """Density per unit of length alone, without a graph."""
        return density(self(x, backend, active_levels)[:, 0])
