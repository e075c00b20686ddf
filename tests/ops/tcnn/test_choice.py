"""When training runs on tiny-cuda-nn and nerfacc, and what is refused, in one sentence each."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neus.config import HashGridConfig, load_method
from neus.errors import InputError
from neus.ops import backend_for, tcnn
from neus.ops.grid import GridLayout
from neus.ops.tcnn import grid as tcnn_grid
from neus.ops.tcnn import packages
from tests.helpers import tcnn_imitations
from tests.helpers.tcnn_cases import (
    DEVICE,
    GRID,
    imitated,
    tcnn_packages,  # noqa: F401
)

pytestmark = pytest.mark.usefixtures("tcnn_packages")


@imitated
@settings(max_examples=50, deadline=None)
@given(
    levels=st.integers(1, 16),
    log2_entries=st.integers(8, 17),
    base=st.integers(2, 64),
    factor=st.floats(1, 64),
)
def test_any_grid_is_laid_out_as_tiny_cuda_nns(
    levels: int, log2_entries: int, base: int, factor: float
):
    """Refused are only those where a level comes out as a whole number of cells."""
    grid = GridLayout(levels, 2, log2_entries, base, int(base * factor))
    whole = abs(grid.scale - grid.scale.round()) < 1e-4
    try:
        tcnn_grid._encoding(grid, levels, DEVICE)
    except InputError:
        assert whole[1:].any()


@pytest.mark.parametrize("active", [4, 16])
def test_the_default_grid_is_tiny_cuda_nns(active: int):
    config = HashGridConfig()
    grid = GridLayout(
        config.levels,
        config.features,
        config.log2_entries,
        config.base_resolution,
        config.finest_resolution,
    )
    assert tcnn_grid._encoding(grid, active, DEVICE).n_output_dims == 2 * active


@imitated
@pytest.mark.parametrize("wrong", ["one cell more", "another hash"])
def test_a_layout_that_differs_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch):
    """48 cells in three steps from 4: float32 makes 49 of the last level."""
    grid = GridLayout(4, 2, 19, 4, 48)
    if wrong == "another hash":
        grid = GRID
        monkeypatch.setattr(tcnn_imitations, "PRIMES", (1, 3, 5))
    with pytest.raises(InputError, match="finest_resolution"):
        tcnn_grid._encoding(grid, grid.levels, DEVICE)


def test_an_unknown_backend_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match="backend must be one of auto, tcnn"):
        load_method(None, {"backend": "torch"})


def test_another_device_than_cuda_is_refused_in_one_sentence():
    with pytest.raises(InputError, match="'tcnn' runs on CUDA only") as refused:
        backend_for(torch.device("cpu"), "tcnn")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "error", [ImportError("no\nsuch"), OSError("Unknown capability"), OSError()]
)
def test_missing_packages_are_refused_with_how_to_install_them(
    error: Exception, monkeypatch: pytest.MonkeyPatch
):
    def fail(name: str) -> ModuleType:
        raise error

    monkeypatch.setattr(packages, "import_module", fail)
    with pytest.raises(InputError, match="conda-forge tiny-cuda-nn nerfacc") as refused:
        backend_for(torch.device("cuda"), "tcnn")
    assert "\n" not in str(refused.value)


@imitated
def test_with_both_packages_the_backend_is_theirs():
    assert backend_for(torch.device("cuda"), "tcnn") is tcnn


def test_other_backends_do_not_import_the_packages():
    program = (
        "import sys, torch, neus.training.trainer; from neus.ops import backend_for;"
        "backend_for(torch.device('cpu'));"
        "assert not {'tinycudann', 'nerfacc', 'neus.ops.tcnn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
