"""Values and gradients of the device's operators against the float64 reference, without pytest."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fast import FastStep
from benchmarks.operators import march_operands
from benchmarks.work_unit import method, work_unit
from neus.cli import run
from neus.devices import DEVICES, leased_device
from neus.files import written_whole
from neus.ops import reference

TOLERANCE, COLOUR_TOLERANCE = 2e-4, 2e-3
"""Relative, of float32 and of the colour network, whose products are TF32 on CUDA."""
SAMPLES, LEVELS, LOG2_ENTRIES = 5003, 16, 15
"""A number of samples that is a multiple of nothing."""

Evaluate = Callable[..., tuple[Tensor, ...]]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args(argv)
    with leased_device(options.device) as device:
        errors = relative_errors(device)
    within = all(e <= _tolerance(name) for name, e in errors.items())
    result = {"within": within, "errors": errors}
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0 if within else 1


def relative_errors(device: torch.device) -> dict[str, float]:
    """Per operator and output or parameter: the norm of the difference over the norm."""
    unit = work_unit(SAMPLES, device)
    fast = FastStep(method(LEVELS, LOG2_ENTRIES), unit)
    field, radiance, backend = fast.model.sdf, fast.model.radiance, fast.backend
    with torch.no_grad():
        field.table.mul_(100)  # features large enough to bend the surface
    field.table_gradient = None
    layers = len(field.layers.weights)

    def sdf(operators, points, table, *parameters):
        weights, biases = parameters[:layers], parameters[layers:]
        settings = (field.grid, LEVELS, 100.0)
        return operators.sdf_and_gradient(points, table, weights, biases, *settings)

    def shade(operators, points, out, gradient, inv_s, *parameters):
        colour_layers = len(parameters) // 2
        directions = unit.directions.to(points.dtype)
        return operators.shade(
            out,
            gradient,
            points,
            unit.samples,
            directions,
            radiance.encode_directions(directions, fast.stage.direction_bands),
            parameters[:colour_layers],
            parameters[colour_layers:],
            fast.stage.step_length,
            inv_s,
            fast.stage.cos_anneal,
        )

    def composite(operators, points, alpha, colours):
        return operators.composite(alpha, colours, unit.samples.offsets)

    sdf_inputs = [field.table, *field.layers.weights, *field.layers.biases]
    out, gradient = sdf(backend, unit.points, *sdf_inputs)
    shade_inputs = [out, gradient, fast.model.inv_s]
    shade_inputs += [*radiance.layers.weights, *radiance.layers.biases]
    alpha, colours, _ = shade(backend, unit.points, *shade_inputs)
    evaluations: list[tuple[str, Evaluate, list[Tensor]]] = [
        ("sdf_and_gradient", sdf, sdf_inputs),
        ("shade", shade, shade_inputs),
        ("composite", composite, [alpha, colours]),
    ]
    errors = {}
    for name, evaluate, inputs in evaluations:
        found = _values_and_gradients(evaluate, backend, unit.points, inputs)
        exact = _values_and_gradients(
            evaluate, reference, unit.points.double(), [t.double() for t in inputs]
        )
        for index, pair in enumerate(zip(found, exact, strict=True)):
            errors[f"{name} {index}"] = _error(*pair)
    return errors | _march_error(fast)


def _values_and_gradients(evaluate, operators, points, inputs) -> list[Tensor]:
    inputs = [t.detach().requires_grad_() for t in inputs]
    outputs = evaluate(operators, points, *inputs)
    generator = torch.Generator().manual_seed(1)
    bars = [torch.randn(o.shape, generator=generator).to(o) for o in outputs]
    return [*outputs, *torch.autograd.grad(outputs, inputs, bars)]


def _march_error(fast: FastStep) -> dict[str, float]:
    """Share of rays whose number of samples differs: rounding may move a sample across a wall."""
    operands = march_operands(fast)
    found, exact = (m.march_rays(*operands).offsets.diff() for m in (fast.backend, reference))
    differs = (found - exact).abs() > 1
    return {"march_rays": float(differs.float().mean())}


def _error(found: Tensor, exact: Tensor) -> float:
    found, exact = found.detach().double(), exact.detach()
    return float((found - exact).norm() / exact.norm().clamp(min=1e-30))


def _tolerance(name: str) -> float:
    return COLOUR_TOLERANCE if name.startswith("shade") else TOLERANCE


if __name__ == "__main__":
    run(main)
