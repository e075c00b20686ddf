"""The operators: the only code that depends on the device.

Every backend is a module with the same functions, which ``neus.ops.reference`` documents:

- ``sdf_and_gradient``: hash grid, network and the distance's gradient, differentiable once
- ``sdf_distance``: the distance alone, without a graph
- ``shade``: opacity and colour of samples, differentiable
- ``march_rays``, ``composite``: along rays
- ``patch_costs``, ``in_sight``: patches of the surface in several views, and who sees them
- ``patchmatch``: depth and normals of a view by stereo, before any training
- ``TableGradient``, ``adam_step``: the hash table's gradient and its optimizer

Patches whose taps lie on the surface itself are compared by ``reference`` alone, on any device.

``reference`` (torch, any device and precision) is the oracle of the others, ``cpu`` holds numba
kernels, ``cuda`` Triton kernels, and ``tcnn`` calls tiny-cuda-nn and nerfacc where both are
installed. What all of them agree on stands in ``alpha``, ``contraction``, ``grid``, ``outside``,
``patches``, ``stereo`` and ``types``. Points and directions are those of the scene frame, or of the
contracted one outside the unit sphere.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from types import ModuleType

import torch

__all__ = ["backend_for", "threads_of_steps"]


def backend_for(device: torch.device, name: str = "auto") -> ModuleType:
    """The backend of a name among ``neus.config.BACKENDS``.

    "auto" is the fastest for the device: numba kernels on the CPU, Triton kernels on CUDA.

    Raises:
        InputError: the name is "tcnn", and the device is not CUDA or a package is missing.
    """
    if name == "tcnn":
        from neus.ops import tcnn

        tcnn.require_packages(device)
        return tcnn
    if device.type == "cpu":
        from neus.ops import cpu

        return cpu
    if device.type == "cuda":
        from neus.ops import cuda

        return cuda
    from neus.ops import reference

    return reference


def threads_of_steps(backend: ModuleType) -> AbstractContextManager[None]:
    """Within it training steps on a backend share the cores as suits them best."""
    if backend.__name__ != "neus.ops.cpu":
        return nullcontext()
    from neus.ops.cpu.threads import torch_on_one_thread

    return torch_on_one_thread()
