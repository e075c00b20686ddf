"""Compile the kernels before the first step, in processes of their own.

numba compiles one function at a time in a process, so that two are faster. And all that trains
takes its kernels from numba's cache: one that a process has compiled itself rounds differently in
the last bits, so that a run which was interrupted would not equal one that was not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch

from neus.ops.cpu.density import grid_network, shade_density
from neus.ops.cpu.outside import march_outside
from neus.ops.cpu.patches import in_sight, patch_costs
from neus.ops.cpu.rays import composite, march_rays
from neus.ops.cpu.sdf import sdf_and_gradient, sdf_distance
from neus.ops.cpu.shading import shade
from neus.ops.cpu.table import TableGradient, adam_step
from neus.ops.cpu.threads import workers
from neus.ops.grid import GridLayout
from neus.ops.patches import PatchPictures
from neus.ops.types import Samples


def compiled_before(
    *, surface: bool = True, densities: bool = False, patches: bool = False
) -> bool:
    """Whether numba's cache holds these kernels, see :func:`compile_kernels`."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent)
    asked = ["sdf_kernels"] * surface + ["outside_kernels"] * densities
    asked += ["patch_kernels"] * patches
    return all(any(folder.rglob(f"{name}.*.nbi")) for name in asked)


def compile_kernels(
    *, surface: bool = True, densities: bool = False, patches: bool = False
) -> None:
    """Compile what a training step calls, in two processes where there are two threads.

    Args:
        surface: there is a signed distance.
        densities: there is a field of density, be it the model or what lies outside.
        patches: the surface is compared between photos.
    """
    fields = [_call_surface] if surface else []
    rays = [_call_rays] + [_call_densities] * densities + [_call_patches] * patches
    shares = [fields, rays] if fields and workers() > 1 else [fields + rays]
    command = [sys.executable, "-m", __name__]
    compilers = [
        subprocess.Popen([*command, *(call.__name__ for call in share)]) for share in shares
    ]
    for compiler in compilers:
        compiler.wait()


def _call_surface() -> None:
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


def _call_densities() -> None:
    """A field of density and its colours, and marching outside the unit sphere."""
    grid = GridLayout(4, 2, 8, 4, 16)
    x, table = torch.zeros(4, 3), torch.zeros(grid.rows, 2)
    weights = [torch.zeros(4, 3 + grid.width), torch.zeros(4, 4)]
    biases = [torch.zeros(4), torch.zeros(4)]
    colour_weights = [torch.zeros(4, 4), torch.zeros(3, 4)]
    colour_biases = [torch.zeros(4), torch.zeros(3)]
    for parameter in (*weights, *biases, *colour_weights, *colour_biases):
        parameter.requires_grad_()
    rays, up = torch.zeros(2, 3), torch.tensor([[0.0, 0, 1]]).repeat(2, 1)
    lit, cells = torch.ones(2, dtype=torch.bool), torch.ones(4, 4, 4)
    samples, lengths = march_outside(
        rays, up, cells.to(torch.uint8), cells, 0.5, 4.0, lit, torch.zeros(2), 4
    )
    table_gradient, moments = TableGradient(table, grid), torch.zeros(2, grid.rows, 2)
    for active_levels in (1, 4):
        out = grid_network(x, table, weights, biases, grid, active_levels, table_gradient)
        alpha, colours = shade_density(
            out, lengths, samples, torch.zeros(2, 1), colour_weights, colour_biases
        )
        (alpha.sum() + colours.sum()).backward()
        adam_step(table, table_gradient, (moments[0], moments[1]), 0.0, 1)


def _call_patches() -> None:
    """One patch in two views, and the way to them."""
    ahead, one = torch.tensor([[0.0, 0, 1]]), torch.eye(3).repeat(2, 1, 1)
    pictures = PatchPictures(
        torch.zeros(8, dtype=torch.int16),
        torch.tensor([[0], [4]]),
        torch.full((2, 1, 2), 2, dtype=torch.int32),
        *(one, one, torch.zeros(2, 3), torch.ones(2)),
    )
    views = torch.tensor([[0, 1]])
    patch_costs(torch.ones(1), ahead, -ahead, views, pictures, torch.ones(1), 1, 0.1)
    in_sight(ahead, views, pictures, torch.ones(4, 4, 4, dtype=torch.bool))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[name]()
