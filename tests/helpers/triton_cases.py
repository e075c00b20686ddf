"""What the tests of the Triton kernels share: inputs, the comparison, and where they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

import pytest
import torch
from torch import Tensor

from neus.ops.grid import GridLayout

pytest.importorskip("triton")
from tests.helpers.interpreted_kernels import leave_out_unread_sums, trace_first_launches

trace_first_launches()
leave_out_unread_sums()

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""Where there is no GPU, Triton interprets the kernels on CPU tensors: see conftest."""

GRID = GridLayout(levels=6, features=2, log2_entries=10, base_resolution=4, finest_resolution=64)
TOLERANCE = 2e-4
"""Relative error that every value and gradient must keep to against float64."""


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def positions(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(seed))


def borders() -> Tensor:
    """Corners and face centres of the unit cube, and points on cell borders of every level."""
    corners = torch.tensor([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]).float()
    faces = torch.full((6, 3), 0.5)
    for i in range(6):
        faces[i, i // 2] = float(i % 2)
    edges = [(k - 0.5) / float(s) for s in GRID.scale for k in (1, 2)]
    return torch.cat([corners, faces, torch.tensor(edges)[:, None].expand(-1, 3)])


def error(found: Tensor, expected: Tensor) -> float:
    """Relative to the norm of what is expected; absolute where that is nothing."""
    difference = (found.detach().cpu().double() - expected.detach().cpu().double()).norm()
    return float(difference / (expected.detach().norm().item() or 1.0))


def assert_close(found: list[Tensor], expected: list[Tensor], tolerance: float = TOLERANCE) -> None:
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert one.shape == other.shape, index
        assert error(one, other) <= tolerance, index


@contextmanager
def large_blocks() -> Iterator[None]:
    """Blocks of 2,048 points: the interpreter takes as long for a small block as for a large."""
    if DEVICE.type == "cuda":
        yield
        return
    from neus.ops.cuda import activation, field, grid, maps, patches, products, sections, stereo

    streams = [activation.STREAM, grid.GATHER, grid.STREAM, sections.STREAM, field.TILE]
    tiles = [products.TILE, products.SUM, stereo.TILE, patches.TILE, maps.TILE]
    with ExitStack() as replaced:
        for options in [*streams, *tiles]:
            replaced.enter_context(mock.patch.dict(options, BLOCK=2048))
        yield
