"""The kernels of stereo are compiled by calling them once, in a process of its own."""

from __future__ import annotations

import pytest
import torch

from neus.stereo.warm_up import call_all, compiled_before


def test_kernels_are_called_without_a_warning():
    call_all()
    assert compiled_before(torch.device("cpu"))


def test_a_card_waits_for_no_kernel_that_it_does_not_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path
):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not compiled_before(torch.device("cpu"))
    assert compiled_before(torch.device("cuda"))
