"""Opacity and colour of samples, with tiny-cuda-nn's float16 network, which densities have, too.

Its networks have no biases. Inputs therefore end with a constant 1, and every hidden layer has a
neuron that passes it on; the columns of weights that meet it are the biases. All widths are rounded
up to what the tensor cores take, 16, which leaves nothing for tiny-cuda-nn itself to pad.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.ops import reference
from neus.ops.tcnn.packages import call, without_parameters
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float

FULLY_FUSED_WIDTHS = (32, 64, 128)
"""Of hidden layers, with the constant's neuron; others run as CutlassMLP."""
GRADIENT_SCALE = 4096.0
"""Gradients of a mean over many rays lie far below float16's least normal number, 6e-5; 4096 times
as large they are well within, and sums over all samples stay below its greatest, 65504, as long as
the weights' gradients are below 16."""


def shade(
    out: Float[Tensor, "n o"],
    gradient: Float[Tensor, "n 3"],
    x: Float[Tensor, "n 3"],
    samples: Samples,
    directions: Float[Tensor, "r 3"],
    encoded_directions: Float[Tensor, "r c"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    step: float | Tensor,
    inv_s: Float[Tensor, ""],
    cos_anneal: float | Tensor,
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"], Float[Tensor, "n"]]:
    """See :func:`neus.ops.reference.shade`."""
    places, ray = len(samples.t), samples.ray_index
    alpha, normals, norms = reference.section(
        out[:places, 0], gradient[:places], directions, ray, step, inv_s, cos_anneal
    )
    beyond = torch.sqrt((gradient[places:] ** 2).sum(dim=1) + 1e-12)
    values = torch.cat([out[:places], normals, x[:places], encoded_directions[ray]], dim=1)
    network = colour_network if places else reference.colour_network
    return alpha, network(values, weights, biases), torch.cat([norms, beyond])


def colour_network(
    inputs: Float[Tensor, "n c"], weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Float[Tensor, "n 3"]:
    """:func:`neus.ops.reference.colour_network` with products in float16."""
    return torch.sigmoid(relu_network(inputs, weights, biases))


def relu_network(
    inputs: Float[Tensor, "n c"], weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Float[Tensor, "n o"]:
    """:func:`neus.ops.reference.relu_network` with products in float16; n is positive."""
    channels, hidden, outputs = inputs.shape[1], len(biases) - 1, len(biases[-1])
    neurons = _rounded(len(biases[0]) + 1)
    widths = [_rounded(channels + 1), *[neurons] * hidden, _rounded(outputs)]
    matrices = [
        _with_bias(weight, bias, widths[layer + 1], widths[layer], layer < hidden)
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True))
    ]
    with torch.cuda.device_of(inputs):
        network = _network(widths[0], neurons, hidden, widths[-1])
    constant = torch.nn.functional.pad(inputs, (0, 1), value=1.0)
    padded = torch.nn.functional.pad(constant, (0, widths[0] - channels - 1))
    parameters = torch.cat([matrix.flatten() for matrix in matrices])
    return call(network, parameters, padded, GRADIENT_SCALE)[:, :outputs]


def _with_bias(
    weight: Float[Tensor, "o i"], bias: Float[Tensor, "o"], rows: int, columns: int, passes_on: bool
) -> Float[Tensor, "rows columns"]:
    """``[weight, bias]`` padded with zeros; where wanted, a further row that passes the 1 on."""
    outputs, inputs = weight.shape
    matrix = torch.cat([weight, bias[:, None]], dim=1)
    padded = torch.nn.functional.pad(matrix, (0, columns - inputs - 1, 0, rows - outputs))
    if not passes_on:
        return padded
    constant = torch.zeros_like(padded)
    constant[outputs, inputs] = 1
    return padded + constant


def _rounded(width: int) -> int:
    return -(-width // 16) * 16


@lru_cache(maxsize=8)
def _network(inputs: int, neurons: int, hidden: int, outputs: int) -> nn.Module:
    """Its parameters are its matrices ``[out, in]``, one after the other.

    What follows on the last, as a sigmoid, is left to float32, whose values near 0 and 1 are finer.
    """
    network = import_module("tinycudann").Network(
        n_input_dims=inputs,
        n_output_dims=outputs,
        network_config={
            "otype": "FullyFusedMLP" if neurons in FULLY_FUSED_WIDTHS else "CutlassMLP",
            "activation": "ReLU",
            "output_activation": "None",
            "n_neurons": neurons,
            "n_hidden_layers": hidden,
        },
    )
    network.loss_scale = 1.0
    return without_parameters(network)
