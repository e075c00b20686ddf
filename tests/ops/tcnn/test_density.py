"""Densities on tiny-cuda-nn against the float64 reference, within what float16 leaves of them."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor

from neus.models import NeRF
from neus.ops import reference, tcnn
from neus.ops.types import Samples
from neus.training import PixelPool, Trainer
from tests.helpers.method_options import merged, method_with
from tests.helpers.tcnn_cases import (
    GRID,
    assert_close,
    imitated,
    normal,
    place,
    tcnn_packages,  # noqa: F401
    uniform,
)
from tests.helpers.trainings import CPU, sphere_capture

pytestmark = pytest.mark.usefixtures("tcnn_packages")


def network(kind: torch.dtype, hidden: int, n: int) -> tuple[Tensor, list[Tensor], int]:
    """Positions, and table, weights and biases that learn."""
    sizes = list(pairwise([3 + GRID.width, *[24] * hidden, 5]))
    tensors = [0.1 * normal(GRID.rows, 2)]
    tensors += [0.3 * normal(outputs, inputs, seed=i) for i, (inputs, outputs) in enumerate(sizes)]
    tensors += [0.1 * normal(outputs, seed=i + 9) for i, (_, outputs) in enumerate(sizes)]
    return place(2 * uniform(n, 3) - 1, kind), [place(t, kind) for t in tensors], len(sizes)


def gradients(
    backend: ModuleType, kind: torch.dtype, hidden: int, n: int, active: int, scale: float = 1e-2
) -> list[Tensor]:
    """Output, and how a mean of it depends on every parameter; the table's apart."""
    x, tensors, layers = network(kind, hidden, n)
    table, *parameters = (tensor.requires_grad_() for tensor in tensors)
    gradient = backend.TableGradient(table.detach(), GRID)
    operands = table, parameters[:layers], parameters[layers:], GRID, active, gradient
    out = backend.grid_network(x, *operands)
    bars = scale * place(normal(*out.shape, seed=6), kind)
    found = torch.autograd.grad(out, parameters, bars) if n else ()
    return [out, *(bar / scale for bar in (gradient.dense, *found))]


@pytest.mark.parametrize(("hidden", "n", "active"), [(1, 300, 6), (2, 77, 2), (1, 0, 6)])
def test_network_of_a_density_equals_reference_within_float16(hidden: int, n: int, active: int):
    found = gradients(tcnn, torch.float32, hidden, n, active)
    assert_close(found, gradients(reference, torch.float64, hidden, n, active), 5e-3)


def test_gradients_far_below_float16s_least_number_survive():
    found = gradients(tcnn, torch.float32, 1, 300, 6, scale=1e-8)
    assert_close(found, gradients(reference, torch.float64, 1, 300, 6, scale=1e-8), 2e-2)


def test_a_density_is_known_to_a_part_in_some_hundred():
    """Its logarithm is about 3 here, as of a surface; float16 then has steps of 0.002."""
    densities = []
    for backend, kind in ((tcnn, torch.float32), (reference, torch.float64)):
        x, (table, *rest), layers = network(kind, 1, 500)
        rest[-1][0] += 3
        out = backend.grid_network(x, table, rest[:layers], rest[layers:], GRID, 6)
        densities.append(torch.exp(out[:, 0]).double().cpu())
    assert float((densities[0] / densities[1] - 1).abs().max()) < 0.01


def test_opacity_and_colour_equal_reference_within_float16():
    found = []
    for backend, kind in ((tcnn, torch.float32), (reference, torch.float64)):
        tensors = [normal(40, 6), uniform(40), normal(7, 4, seed=1), 0.4 * normal(16, 9, seed=2)]
        tensors += [0.4 * normal(3, 16, seed=3), 0.1 * normal(16, seed=4), 0.1 * normal(3, seed=5)]
        out, lengths, encoded, *layers = (place(t, kind) for t in tensors)
        index = (torch.arange(40) % 7).to(out.device)
        samples = Samples(index, lengths, torch.tensor([0, 40]), torch.ones(1, dtype=torch.bool))
        shaded = backend.shade_density(out, lengths, samples, encoded, layers[:2], layers[2:])
        found.append(list(shaded))
    assert_close(found[0], found[1], 5e-3)


@imitated
@pytest.mark.parametrize(
    "option",
    [
        {},
        {"density": {"activation": "softplus"}, "hash_grid": {"features": 4}},
        {"background": "learned", "radiance": {"output": "lin2srgb"}},
    ],
)
def test_a_density_trains_on_tiny_cuda_nn_as_on_the_reference(option: dict):
    small = {"hash_grid": {"levels": 3, "log2_entries": 8}, "occupancy_resolution": 16}
    of_all = {"model": {"kind": "nerf", "outside": small}, "training": {"outside_samples": 2048}}
    method = method_with(merged(of_all, {"model": option}))
    losses = []
    for backend in (tcnn, reference):
        trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0, backend=backend)
        assert isinstance(trainer.model, NeRF)
        losses.append([float(trainer.train_step().loss) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0][2] < losses[0][0]
