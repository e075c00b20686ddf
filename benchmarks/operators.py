"""Each operator alone, this project's and the one of eager torch, on the same inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmarks.eager import EagerStep
from benchmarks.fast import SLOWNESS, FastStep
from benchmarks.timing import Case
from neus.config import LearningRateConfig, MarchingConfig
from neus.ops import reference
from neus.rendering import OccupancyGrid

Pair = tuple[Case, Case]
"""This project's case and eager torch's."""


def operator_cases(fast: FastStep, eager: EagerStep) -> dict[str, Pair]:
    """What a training step consists of, and the distance alone, in the order of a step."""
    return {
        "march_rays": _march(fast),
        **_sdf(fast, eager),
        **_shade(fast, eager),
        **_composite(fast),
        "table: adam_step": _table(fast, eager),
        "sdf_distance": _distance(fast, eager),
    }


def march_operands(fast: FastStep) -> tuple[Any, ...]:
    """Rays through the neighbourhood of a sphere, at the density of late training."""
    unit, marching = fast.unit, MarchingConfig()
    device = unit.points.device
    occupancy = OccupancyGrid(marching.occupancy_resolution, marching.margin, device)
    occupancy.update(lambda x: x.norm(dim=1) - 0.5, inv_s=1000.0)
    jitter = torch.full_like(unit.coverage, 0.5)
    step, capacity = marching.last_step, len(unit.points)
    return unit.origins, unit.directions, occupancy.state, step, jitter, capacity


def _march(fast: FastStep) -> Pair:
    operands = march_operands(fast)
    return (
        Case(lambda _: fast.backend.march_rays(*operands)),
        Case(lambda _: reference.march_rays(*operands)),
    )


def _sdf(fast: FastStep, eager: EagerStep) -> dict[str, Pair]:
    """Encoding, network and gradient of the distance."""
    unit, field = fast.unit, fast.model.sdf

    def evaluate() -> tuple[Tensor, ...]:
        return field.with_gradient(unit.points, fast.backend, fast.stage.active_levels)

    def evaluate_afresh() -> tuple[Tensor, ...]:
        fast.optimizer.step(0.0)  # what earlier backward passes left for the table
        return evaluate()

    bars = _bars(evaluate())
    parameters = [*field.layers.parameters()]
    eager_parameters = [eager.table, *eager.sdf_layers[0], *eager.sdf_layers[1]]
    return {
        "sdf_and_gradient": (
            Case(lambda _: evaluate()),
            Case(lambda _: eager.sdf_and_gradient(unit.points)),
        ),
        "sdf_and_gradient, backward": (
            Case(_backward(parameters, bars), evaluate_afresh),
            Case(
                _backward(eager_parameters, bars),
                lambda: eager.sdf_and_gradient(unit.points),
            ),
        ),
    }


def _shade(fast: FastStep, eager: EagerStep) -> dict[str, Pair]:
    """Sections and colours."""
    unit, radiance = fast.unit, fast.model.radiance
    out, gradient = (
        value.detach().requires_grad_() for value in eager.sdf_and_gradient(unit.points)
    )
    encoded = radiance.encode_directions(unit.directions, fast.stage.direction_bands)

    def evaluate() -> tuple[Tensor, ...]:
        return fast.backend.shade(
            out,
            gradient,
            unit.points,
            unit.samples,
            unit.directions,
            encoded,
            list(radiance.layers.weights),
            list(radiance.layers.biases),
            fast.stage.step_length,
            fast.model.inv_s,
            fast.stage.cos_anneal,
        )

    def evaluate_eagerly() -> tuple[Tensor, ...]:
        return eager.shade(out, gradient)

    bars = _bars(evaluate())
    inputs = [out, gradient, *radiance.layers.parameters(), fast.model.variance]
    eager_inputs = [out, gradient, *eager.radiance_layers[0], *eager.radiance_layers[1]]
    eager_inputs.append(eager.variance)
    return {
        "shade": (Case(lambda _: evaluate()), Case(lambda _: evaluate_eagerly())),
        "shade, backward": (
            Case(_backward(inputs, bars), evaluate),
            Case(_backward(eager_inputs, bars), evaluate_eagerly),
        ),
    }


def _composite(fast: FastStep) -> dict[str, Pair]:
    samples, device = fast.unit.samples, fast.unit.points.device
    generator = torch.Generator(device).manual_seed(0)
    count = len(samples.t)
    alpha = (0.1 * torch.rand(count, generator=generator, device=device)).requires_grad_()
    values = torch.rand(count, 3, generator=generator, device=device).requires_grad_()
    operands = (alpha, values, samples.offsets)

    def evaluate() -> tuple[Tensor, ...]:
        return fast.backend.composite(*operands)

    def evaluate_eagerly() -> tuple[Tensor, ...]:
        return reference.composite(*operands)

    backward = _backward([alpha, values], _bars(evaluate()))
    return {
        "composite": (Case(lambda _: evaluate()), Case(lambda _: evaluate_eagerly())),
        "composite, backward": (Case(backward, evaluate), Case(backward, evaluate_eagerly)),
    }


def _table(fast: FastStep, eager: EagerStep) -> Pair:
    """The table's optimizer; on the CPU it scatters the gradient, too."""
    field, backend = fast.model.sdf, fast.backend
    table = field.table.detach().clone()
    gradient = backend.TableGradient(table, field.grid)
    moments = torch.zeros_like(table), torch.zeros_like(table)

    def scatter_into_gradient() -> None:
        kept, field.table_gradient = field.table_gradient, gradient
        outputs = field.with_gradient(fast.unit.points, backend, fast.stage.active_levels)
        _backward([*field.layers.parameters()], _bars(outputs))(outputs)
        field.table_gradient = kept

    rate = SLOWNESS * LearningRateConfig().table
    copied = eager.table.detach().clone().requires_grad_()
    copied.grad = torch.full_like(copied, 1e-3)
    optimizer = torch.optim.AdamW([copied], lr=rate)
    return (
        Case(lambda _: backend.adam_step(table, gradient, moments, rate, 1), scatter_into_gradient),
        Case(lambda _: optimizer.step()),
    )


def _distance(fast: FastStep, eager: EagerStep) -> Pair:
    """The distance alone, as the occupancy grid asks for it."""
    points, levels = fast.unit.points, fast.stage.active_levels

    def evaluate_eagerly() -> Tensor:
        with torch.no_grad():
            return eager.sdf(points)[:, 0]

    return (
        Case(lambda _: fast.model.sdf.distance(points, fast.backend, levels)),
        Case(lambda _: evaluate_eagerly()),
    )


def _bars(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Gradients of some loss with respect to the outputs: random, the same for either side."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(o.shape, generator=generator).to(o.device) / len(o) for o in outputs]


def _backward(
    parameters: Sequence[Tensor], bars: Sequence[Tensor]
) -> Callable[[Sequence[Tensor]], tuple[Tensor, ...]]:
    return lambda outputs: torch.autograd.grad(outputs, parameters, bars)
