"""The kernels of stereo are compiled by calling them once, in a process of its own."""

from __future__ import annotations

from neus.stereo.warm_up import call_all, compiled_before


def test_kernels_are_called_without_a_warning():
    call_all()
    assert compiled_before()
