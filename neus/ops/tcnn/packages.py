"""The two packages, which most machines do not have: what is missing, and calls into them."""

from __future__ import annotations

from importlib import import_module

import torch
from torch import Tensor, nn

from neus.errors import InputError


def require_packages(device: torch.device) -> None:
    """Refuse a machine that cannot run this backend.

    Raises:
        InputError: the device is not CUDA, or tinycudann or nerfacc cannot be imported.
    """
    if device.type != "cuda":
        raise InputError(
            f"backend 'tcnn' runs on CUDA only, and the device is '{device.type}': use backend"
            " 'auto', or a machine with an NVIDIA card"
        )
    for package in ("tinycudann", "nerfacc"):
        try:
            import_module(package)
        except (ImportError, OSError) as error:  # tinycudann raises OSError for a card it lacks
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"backend 'tcnn' needs {package}, which cannot be imported ({reason}): install both"
                " with 'conda install -c conda-forge tiny-cuda-nn nerfacc' or from environment.yml,"
                " or use backend 'auto'"
            ) from None


def without_parameters(module: nn.Module) -> nn.Module:
    """A tiny-cuda-nn module, freed of the initial parameters that it never uses here."""
    module.params = nn.Parameter(torch.empty(0), requires_grad=False)
    return module


def call(
    module: nn.Module, parameters: Tensor, inputs: Tensor, gradient_scale: float = 1.0
) -> Tensor:
    """Output of a tiny-cuda-nn module in float32, differentiable by parameters and inputs.

    Its backward pass runs on gradients that are ``gradient_scale`` times as large, which keeps
    those of a float16 module from vanishing. The module's own ``loss_scale`` comes too late for
    that: by then they have been rounded to float16.
    """
    inputs = _ScaledGradient.apply(inputs, 1 / gradient_scale)
    parameters = _ScaledGradient.apply(parameters, 1 / gradient_scale)
    with torch.cuda.device_of(inputs):
        output = torch.func.functional_call(module, {"params": parameters}, (inputs,))
    return _ScaledGradient.apply(row_major_gradient(output).float(), gradient_scale)


def row_major_gradient(tensor: Tensor) -> Tensor:
    """The tensor itself, whose gradient of any order arrives row by row.

    tiny-cuda-nn reads gradients from raw memory in that order, whatever their strides.
    """
    return _RowMajorGradient.apply(tensor)


class _RowMajorGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor):  # pyright: ignore
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, bar):  # pyright: ignore
        return bar.contiguous()


class _ScaledGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tensor, factor):  # pyright: ignore
        ctx.factor = factor
        return tensor.view_as(tensor)

    @staticmethod
    def backward(ctx, bar):  # pyright: ignore
        return ctx.factor * bar, None
