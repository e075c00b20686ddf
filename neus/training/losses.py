"""Training losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def colour_loss(
    rendered: Float[Tensor, "r 3"],
    photographed: Float[Tensor, "r 3"],
    counted: Float[Tensor, "r"],
) -> Float[Tensor, ""]:
    """Mean absolute error over the counted rays, those that met nothing included (NeuS, eq. 15)."""
    return _mean((rendered - photographed).abs().mean(dim=1), counted)


def mask_loss(
    transmittance: Float[Tensor, "r"], coverage: Float[Tensor, "r"], counted: Float[Tensor, "r"]
) -> Float[Tensor, ""]:
    """Binary cross entropy between opacity and the mask (NeuS, eq. 17).

    Both logarithms are softened rather than clamped: a clamp has no gradient exactly where a ray
    is most wrong, which would make a hole or a floater permanent.
    """
    softening = 1e-3
    opaque = torch.log(1 - transmittance + softening)
    clear = torch.log(transmittance + softening)
    error = -(coverage * opaque + (1 - coverage) * clear)
    return _mean(error, counted)


def eikonal_loss(gradient_norms: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Squared deviation of the gradient's norm from 1 (Gropp et al. 2020; NeuS, eq. 16)."""
    return ((gradient_norms - 1) ** 2).mean()


def cavity_loss(sdf: Float[Tensor, "h"], depth: float) -> Float[Tensor, ""]:
    """How far points in hidden cavities are from lying ``depth`` within the solid; 0 if none."""
    return torch.relu(sdf + depth).sum() / max(len(sdf), 1)


def _mean(values: Float[Tensor, "r"], counted: Float[Tensor, "r"]) -> Float[Tensor, ""]:
    """Over the counted rays; 0 if there are none."""
    return (values * counted).sum() / counted.sum().clamp(min=1)
