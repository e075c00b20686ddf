"""Compile the kernels before the first step, half of them in a second process.

numba compiles one function at a time in a process; what the other process has compiled comes back
through numba's cache, from which every later run takes all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from neus.ops.cpu.rays import composite, march_rays
from neus.ops.cpu.sdf import sdf_and_gradient, sdf_distance
from neus.ops.cpu.shading import shade
from neus.ops.cpu.table import TableGradient, adam_step
from neus.ops.cpu.threads import workers
from neus.ops.grid import GridLayout
from neus.ops.types import Samples


def compiled_before() -> bool:
    """Whether numba's cache holds kernels of this package."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent)
    return any(folder.rglob("*_kernels.*.nbi"))


def compile_kernels() -> None:
    """Compile what a training step calls; on one thread, in this process alone."""
    halves = [_call_field, _call_rays]
    if workers() == 1:
        for half in halves:
            half()
        return
    other = subprocess.Popen([sys.executable, "-m", __name__])
    halves[0]()
    other.wait()
    halves[1]()  # from the cache; compiles what the other process did not get to


def _call_field() -> None:
    """Encoding, distance with its gradient, scatter and the table's optimizer, on a few points."""
    grid = GridLayout(4, 2, 8, 4, 16)
    x, table = torch.zeros(4, 3), torch.zeros(grid.rows, 2)
    weights = [torch.zeros(4, 3 + grid.width), torch.zeros(4, 4)]
    biases = [torch.zeros(4), torch.zeros(4)]
    for parameter in (*weights, *biases):
        parameter.requires_grad_()
    table_gradient, moments = TableGradient(table, grid), torch.zeros(2, grid.rows, 2)
    for active_levels in (1, 4):  # part of the first layer's weights, then all, lie in one piece
        operands = (x, table, weights, biases, grid, active_levels, 100.0)
        sdf_distance(*operands)
        out, gradient = sdf_and_gradient(*operands, table_gradient=table_gradient)
        (out.sum() + gradient.sum()).backward()
        adam_step(table, table_gradient, (moments[0], moments[1]), 0.0, 1)


def _call_rays() -> None:
    """Marching, shading and compositing, on a few rays."""
    origins, directions = torch.zeros(2, 3), torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    occupancy = torch.ones(4, 4, 4, dtype=torch.uint8)
    march_rays(origins, directions, occupancy, 0.5, torch.zeros(2), 4)
    samples = Samples(
        torch.zeros(4, dtype=torch.int64),
        torch.zeros(4),
        torch.tensor([0, 2, 4]),
        torch.ones(2, dtype=torch.bool),
    )
    out, gradient, inv_s = torch.zeros(4, 4), torch.ones(4, 3), torch.tensor(1.0)
    weights = [torch.zeros(4, 10), torch.zeros(3, 4)]
    biases = [torch.zeros(4), torch.zeros(3)]
    for tensor in (out, gradient, inv_s, *weights, *biases):
        tensor.requires_grad_()
    alpha, colours, norms = shade(
        out, gradient, torch.zeros(4, 3), samples, directions, torch.zeros(2, 0),
        weights, biases, 0.5, inv_s, 1.0,
    )  # fmt: skip
    weights, transmittance, rgb = composite(alpha, colours, samples.offsets)
    (weights.sum() + transmittance.sum() + rgb.sum() + norms.sum()).backward()


if __name__ == "__main__":
    _call_rays()
