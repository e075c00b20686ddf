"""What the tests of the operators on tiny-cuda-nn and nerfacc share.

Where both import on CUDA the packages themselves run; elsewhere imitations take their place, which
leaves the adapter's own logic to be tested: layouts, casts, second derivatives, padding, packing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from neus.ops.grid import GridLayout
from neus.ops.tcnn import grid as tcnn_grid
from neus.ops.tcnn import rays, shading
from neus.ops.types import EMPTY, INSIDE, SURFACE
from tests.helpers import tcnn_imitations

INSTALLED = torch.cuda.is_available() and bool(find_spec("tinycudann") and find_spec("nerfacc"))
DEVICE = torch.device("cuda" if INSTALLED else "cpu")
imitated = pytest.mark.skipif(INSTALLED, reason="tests what only the imitation can see")

# Growing by powers of two: tiny-cuda-nn's scales are then ours to the bit.
GRID = GridLayout(levels=6, features=2, log2_entries=10, base_resolution=4, finest_resolution=128)


@pytest.fixture
def tcnn_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not INSTALLED:
        for name, module in tcnn_imitations.packages().items():
            monkeypatch.setitem(sys.modules, name, module)
    yield
    for cached in (tcnn_grid._encoding, shading._network, rays._estimator):
        cached.cache_clear()


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def uniform(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def assert_close(found: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    """Relative to the norm of what is expected; absolute where that is nothing."""
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        one, other = one.detach().cpu().double(), other.detach().cpu().double()
        assert one.shape == other.shape, index
        assert (one - other).norm() <= tolerance * (other.norm() or 1.0), index


def place(tensor: Tensor, kind: torch.dtype) -> Tensor:
    return tensor.to(DEVICE if kind == torch.float32 else "cpu", kind)


def sphere_occupancy(resolution: int = 32, radius: float = 0.5) -> Tensor:
    axis = (torch.arange(resolution) + 0.5) / resolution * 2 - 1
    distance = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).norm(dim=0) - radius
    state = torch.where(distance < 0, INSIDE, EMPTY)
    return torch.where(distance.abs() <= 3**0.5 / resolution, SURFACE, state).to(torch.uint8)


def some_rays(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """From outside the sphere, beside it, and from within it."""
    origins = 2 * torch.nn.functional.normalize(normal(count, 3, seed=seed), dim=1)
    origins[: count // 4] *= 0.3
    directions = torch.nn.functional.normalize(
        0.5 * normal(count, 3, seed=seed + 1) - origins, dim=1
    )
    return origins, directions, uniform(count, seed=seed)
