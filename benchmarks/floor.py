"""The least that a training step can take on a machine with given ceilings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch

from benchmarks.ceilings import FLOAT32, GATHER, SCATTER, STREAM, TF32, UNIT_SIZES, UNITS
from neus.models import NeuS

CORNERS = 8
OPTIMIZER_BYTES = 24
"""Of a table entry: value and two moments, 4 bytes each, read and written."""

SDF_FORWARD, SDF_BACKWARD = "distance network, forward", "distance network, backward"
COLOUR_FORWARD, COLOUR_BACKWARD = "colour network, forward", "colour network, backward"
GATHERS, ADDITIONS, OPTIMIZER = "gathers", "scatter", "optimizer of the table"


@dataclass(frozen=True)
class Term:
    """A part of the work: so much of what the ceiling of that name bounds."""

    amount: float
    ceiling: str

    def milliseconds(self, rates: Mapping[str, float]) -> float:
        """At ``rates`` in the ceilings' ``UNITS``."""
        return 1e3 * self.amount / (rates[self.ceiling] * UNIT_SIZES[UNITS[self.ceiling]])


def terms_of_step(model: NeuS, samples: int, device: torch.device) -> dict[str, Term]:
    """What a step of ``samples`` samples with all levels active has to do, whoever does it.

    The floor is the sum of all terms. Where there are tensor cores, the colour network may use
    them; the distance may not lose bits.
    """
    grid = model.sdf.grid
    corners = float(samples * CORNERS * grid.levels)
    sdf = [2.0 * samples * count for count in _sdf_products(model)]
    colour = [2.0 * samples * count for count in _colour_products(model)]
    colour_ceiling = TF32 if device.type == "cuda" else FLOAT32
    return {
        GATHERS: Term(corners, GATHER),
        SDF_FORWARD: Term(sdf[0], FLOAT32),
        COLOUR_FORWARD: Term(colour[0], colour_ceiling),
        COLOUR_BACKWARD: Term(colour[1], colour_ceiling),
        SDF_BACKWARD: Term(sdf[1], FLOAT32),
        ADDITIONS: Term(corners, SCATTER),
        OPTIMIZER: Term(float(OPTIMIZER_BYTES * model.sdf.table.numel()), STREAM),
    }


def terms_of_operators(device: torch.device) -> dict[str, tuple[str, ...]]:
    """The terms that each operator stands for; of the others the floor says nothing.

    On the CPU the table's gradient is scattered by ``adam_step``, level by level.
    """
    backward, table = (SDF_BACKWARD,), (OPTIMIZER,)
    if device.type == "cuda":
        backward = (SDF_BACKWARD, ADDITIONS)
    else:
        table = (ADDITIONS, OPTIMIZER)
    return {
        "sdf_and_gradient": (GATHERS, SDF_FORWARD),
        "shade": (COLOUR_FORWARD,),
        "shade, backward": (COLOUR_BACKWARD,),
        "sdf_and_gradient, backward": backward,
        "table: adam_step": table,
    }


def _sdf_products(model: NeuS) -> tuple[int, int]:
    """Multiplications a sample, forward and backward, of the network and its gradient chain.

    A hidden layer takes part in six products: its own and the chain's, and in the backward pass for
    each of the two one for the inputs and one for the weights. Of the last layer only one row takes
    part in the chain, which leaves three.
    """
    *hidden, last = (prod(weight.shape) for weight in model.sdf.layers.weights)
    return 2 * sum(hidden) + last, 4 * sum(hidden) + 2 * last


def _colour_products(model: NeuS) -> tuple[int, int]:
    """The same of the colour network; position and direction get no gradient."""
    weights = list(model.radiance.layers.weights)
    products = sum(prod(weight.shape) for weight in weights)
    without = 3 + model.radiance.config.direction_degree**2
    return products, 2 * products - without * weights[0].shape[0]
