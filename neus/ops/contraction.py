"""Unbounded space in a ball (Barron et al., Mip-NeRF 360, CVPR 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def contract(x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """The scene frame to the unit ball: half of equation 10 of Mip-NeRF 360.

    The unit ball shrinks to radius 1/2, all that lies outside takes the shell between 1/2 and 1:
    x -> (2 - 1 / |x|) x / |x| / 2 there.
    """
    inverse = 1 / x.norm(dim=-1, keepdim=True).clamp(min=1)
    return x * (inverse - 0.5 * inverse * inverse)


def uncontract(y: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """The inverse of :func:`contract`, for points within the unit ball."""
    double = 2 * y
    norm = double.norm(dim=-1, keepdim=True).clamp(min=1)
    return double / (norm * (2 - norm))


def radius_of_contracted(y: Float[Tensor, "n 3"]) -> Float[Tensor, "n"]:
    """``|uncontract(y)|``; very large on the ball's rim and beyond it."""
    norm = 2 * torch.linalg.vector_norm(y, dim=-1)
    return torch.where(norm > 1, 1 / (2 - norm).clamp(min=1e-6), norm)
