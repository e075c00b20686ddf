"""Distance fields that the fused operators are not written for, in plain torch."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.config import HashGridConfig, SdfConfig
from neus.fields.activations import activation
from neus.fields.encodings import frequencies
from neus.fields.sdf import SHARPNESS, SdfField
from neus.ops import reference

if TYPE_CHECKING:
    from jaxtyping import Float


class UnfusedSdfField(SdfField):
    """A field of any encoding and activation, whose gradient autograd takes.

    Of a field of sines the table is empty, and its bands take the place of the grid's levels. The
    operators must be those of ``neus.ops.reference``, on whatever device: the backward pass through
    the gradient is autograd's own, several times as slow as the fused one.
    """

    def __init__(self, grid: HashGridConfig, sdf: SdfConfig, generator: torch.Generator) -> None:
        self.bands = sdf.bands if sdf.encoding == "frequency" else 0
        super().__init__(grid, sdf, generator)
        self.activation = activation(
            f"softplus{SHARPNESS}" if sdf.activation == "softplus" else "relu"
        )
        if self.bands:
            self.table = torch.nn.Parameter(torch.empty(0, grid.features))
        self.table.register_post_accumulate_grad_hook(self._pass_on)

    @property
    def encoding_width(self) -> int:
        return 2 * 3 * self.bands if self.bands else self.grid.width

    def difference_eps(self, active_levels: int) -> float:
        """Fixed, or a quarter of the wavelength of the finest active band."""
        if not self.bands:
            return super().difference_eps(active_levels)
        return self.gradient.eps or min(0.5, 1.5 / 2 ** max(active_levels - 1, 0))

    @torch.no_grad()
    def _first_output(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n"]:
        return self._output(x, active_levels)[:, 0]

    def _evaluate(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            out = self._output(x, active_levels)
            if self.gradient.kind == "analytic":
                (gradient,) = torch.autograd.grad(out[:, 0].sum(), x, create_graph=wanted)
            else:
                gradient = torch.zeros_like(x)  # which nobody looks at
        return (out, gradient) if wanted else (out.detach(), gradient.detach())

    def _output(self, x: Float[Tensor, "n 3"], active_levels: int) -> Float[Tensor, "n out"]:
        weights, biases = self._network()
        if self.bands:
            encoded = frequencies(x, self.bands, active_levels)
        else:
            encoded = reference.encode(reference.to_grid(x), self.table, self.grid, active_levels)
        u = torch.cat([x, encoded], dim=1)
        weights[0] = weights[0][:, : u.shape[1]]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            u = self.activation(torch.addmm(bias, u, weight.T))
        return torch.addmm(biases[-1], u, weights[-1].T)

    def _pass_on(self, table: Tensor) -> None:
        """Move the table's gradient from autograd to where the optimizer looks for it."""
        if self.table_gradient is not None and table.grad is not None:
            self.table_gradient.dense.add_(table.grad)
            table.grad = None
