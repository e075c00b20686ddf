"""The operators: the only code that depends on the device.

Every backend is a module with the same functions:

- ``linearize(x, table, grid, active_levels)``: features E(x) of the hash grid with products by
  their Jacobian J, ``.jvp(v)`` = J v and ``.vjp(gy)`` = J^T gy
- ``encode_scatter(x, dy, gy, v, grid, active_levels)``: d/dtable of <dy, E> + <gy, J v>
- ``softplus_with_slope``, ``softplus_backward``: the activation of the SDF network
- ``march_rays(origins, directions, occupancy, step, jitter, capacity)``
- ``composite(alpha, values, offsets)``: differentiable

Positions x lie in [0, 1]^3 and get no gradient. ``reference`` (torch, any device and precision) is
the oracle of the others.
"""

from __future__ import annotations

from types import ModuleType

import torch


def backend_for(device: torch.device) -> ModuleType:
    """The fastest backend for a device: numba kernels on the CPU, torch elsewhere."""
    if device.type == "cpu":
        from neus.ops import cpu

        return cpu
    from neus.ops import reference

    return reference
