"""What launches have in common: how many blocks, and scalars that kernels read by pointer."""

from __future__ import annotations

import torch
from torch import Tensor


def blocks(count: int, size: int) -> int:
    """Blocks of ``size`` that hold ``count`` items."""
    return -(-count // size)


def on_device(value: float | Tensor, device: torch.device) -> Tensor:
    """``value`` as a 0-dim float32 tensor, so that a CUDA graph replays with what it then holds.

    A number is filled in on the device, without a copy.
    """
    if isinstance(value, Tensor):
        return value.detach().to(device, torch.float32)
    return torch.full((), value, dtype=torch.float32, device=device)
