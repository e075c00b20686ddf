"""The signed distance field: hash grid, network, and its gradient with a hand-derived backward."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import HashGridConfig, SdfConfig
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
        sizes = [3 + self.grid.width, *[sdf.width] * sdf.hidden_layers, 1 + sdf.features]
        self.layers = Layers(sizes, generator)
        _start_as_sphere(self.layers, sdf.initial_radius, generator)

    def with_gradient(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        """Network output (column 0 is the distance) and the distance's gradient, at x."""
        parameters = [tensor for layer in self.layers for tensor in layer]
        return SdfAndGradient.apply(x, self.table, backend, self.grid, active_levels, *parameters)

    @torch.no_grad()
    def distance(
        self, x: Float[Tensor, "n 3"], backend: ModuleType, active_levels: int
    ) -> Float[Tensor, "n"]:
        """Signed distance alone."""
        features = backend.linearize(_to_grid(x), self.table, self.grid, active_levels).features
        u = torch.cat([x.T, features.T])
        *hidden, (weight, bias) = self.layers
        for hidden_weight, hidden_bias in hidden:
            z = torch.addmm(hidden_bias[:, None], hidden_weight[:, : len(u)], u)
            u, _ = backend.softplus_with_slope(z, SHARPNESS)
        return (weight[:1] @ u)[0] + bias[0]


class SdfAndGradient(torch.autograd.Function):
    """(out, d out_0 / dx) as one function that is differentiable once.

    Autograd would differentiate the gradient by a second backward pass through everything; here
    both passes are written out. With input u_0 = [x; E(x)], layers z_i = W_i u_{i-1} + b_i,
    u_i = softplus(z_i), slopes s_i = softplus'(z_i) and output W u_D + b, the gradient is the
    chain v_D = W[0], q_i = v_i s_i, v_{i-1} = W_i^T q_i, and g = v_0[x] + J^T v_0[E].

    Backward, given the gradients of both outputs, first runs along the gradient chain in its
    direction of computation reversed, then through the layers; the table is touched once, by
    ``encode_scatter`` with the first-order and the second-order term together.
    Matrices are channel-major, ``[channels, n]``.
    """

    @staticmethod
    def forward(ctx, x, table, backend, grid, active_levels, *parameters):  # pyright: ignore
        weights, biases = parameters[::2], parameters[1::2]
        at_x = backend.linearize(_to_grid(x), table, grid, active_levels)
        values, slopes = [torch.cat([x.T, at_x.features.T])], []
        first = weights[0][:, : len(values[0])]
        for weight, bias in zip((first, *weights[1:-1]), biases[:-1], strict=True):
            z = torch.addmm(bias[:, None], weight, values[-1])
            value, slope = backend.softplus_with_slope(z, SHARPNESS)
            values.append(value)
            slopes.append(slope)
        out = torch.addmm(biases[-1][:, None], weights[-1], values[-1])

        sensitivities, sloped = [weights[-1][0, :, None].expand_as(slopes[-1])], []
        for weight, slope in zip((*weights[-2:0:-1], first), reversed(slopes), strict=True):
            sloped.append(sensitivities[-1] * slope)
            sensitivities.append(weight.T @ sloped[-1])
        to_input = sensitivities.pop()
        gradient = to_input[:3].T + 0.5 * at_x.vjp(to_input[3:].T)

        ctx.save_for_backward(x, table, *parameters)
        ctx.saved = (backend, grid, active_levels, at_x, values, slopes)
        ctx.chain = (sensitivities[::-1], sloped[::-1], to_input)
        return out.T, gradient

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar, gradient_bar):  # pyright: ignore
        x, _, *parameters = ctx.saved_tensors
        weights = parameters[::2]
        backend, grid, active_levels, at_x, values, slopes = ctx.saved
        sensitivities, sloped, to_input = ctx.chain
        out_bar = out_bar.T.contiguous()
        half_bar = 0.5 * gradient_bar
        first = weights[0][:, : len(to_input)]
        layer_weights = (first, *weights[1:-1])
        weight_bars: list[Tensor] = [torch.empty(0)] * len(weights)
        bias_bars: list[Tensor] = [torch.empty(0)] * len(weights)

        chain_bar = torch.cat([gradient_bar.T, at_x.jvp(half_bar).T])
        sloped_bars = []
        for i, weight in enumerate(layer_weights):
            sloped_bars.append(weight @ chain_bar)
            weight_bars[i] = sloped[i] @ chain_bar.T
            chain_bar = sloped_bars[i] * slopes[i]

        weight_bars[-1] = out_bar @ values[-1].T
        weight_bars[-1][0] += chain_bar.sum(dim=1)
        bias_bars[-1] = out_bar.sum(dim=1)
        value_bar = weights[-1].T @ out_bar
        for i in reversed(range(len(layer_weights))):
            z_bar, _ = backend.softplus_backward(
                slopes[i], value_bar, sensitivities[i], sloped_bars[i], SHARPNESS
            )
            weight_bars[i].addmm_(z_bar, values[i].T)
            bias_bars[i] = z_bar.sum(dim=1)
            value_bar = layer_weights[i].T @ z_bar

        table_bar = backend.encode_scatter(
            _to_grid(x), value_bar[3:].T, to_input[3:].T, half_bar, grid, active_levels
        )
        missing = weights[0].shape[1] - first.shape[1]
        weight_bars[0] = torch.nn.functional.pad(weight_bars[0], (0, missing))
        pairs = zip(weight_bars, bias_bars, strict=True)
        return None, table_bar, None, None, None, *(bar for pair in pairs for bar in pair)


def _to_grid(x: Tensor) -> Tensor:
    """Scene coordinates in [-1, 1] to the grid's [0, 1]."""
    return (0.5 * x + 0.5).clamp(0, 1)


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
