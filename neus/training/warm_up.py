"""Compile what a method's steps on a CPU call, once, before the first of them."""

from __future__ import annotations

from neus.config import MethodConfig


def compiled_before(method: MethodConfig) -> bool:
    """Whether numba's cache holds the kernels of a method."""
    from neus.ops.cpu import warm_up

    return warm_up.compiled_before(**_kernels(method))


def compile_kernels(method: MethodConfig) -> None:
    """Compile them, in processes of their own, see :mod:`neus.ops.cpu.warm_up`."""
    from neus.ops.cpu import warm_up

    warm_up.compile_kernels(**_kernels(method))


def _kernels(method: MethodConfig) -> dict[str, bool]:
    surface = method.model.kind == "neus"
    return {
        "surface": surface,
        "densities": not surface or method.model.background == "learned",
        "patches": surface and method.training.losses.uses("patch"),
    }
