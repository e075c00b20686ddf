"""From signed distances and densities to opacities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def section_alpha(
    sdf: Float[Tensor, "n"],
    cosine: Float[Tensor, "n"],
    step: float | Tensor,
    inv_s: Float[Tensor, ""],
    cos_anneal: float | Tensor,
) -> Float[Tensor, "n"]:
    """Opacity of a section of length ``step`` centred on each sample (NeuS, eq. 13).

    The distances at the section's ends are extrapolated along the ray with the field's slope:
    ``cosine`` is direction . normal, negative where the ray enters. While ``cos_anneal`` rises
    from 0 to 1, the slope of sections that leave the surface is let through in part, which keeps
    early training from stalling (NeuS's reference implementation).

    alpha = max(Phi(prev) - Phi(next), 0) / Phi(prev). No constant stands in the numerator: it
    would put fog into every empty sample.
    """
    softened = torch.relu(0.5 - 0.5 * cosine)
    slope = -((1 - cos_anneal) * softened + cos_anneal * torch.relu(-cosine))
    half = slope * (0.5 * step)
    previous = torch.sigmoid((sdf - half) * inv_s)
    following = torch.sigmoid((sdf + half) * inv_s)
    return torch.relu(previous - following) / (previous + 1e-5)


GREATEST_LOG_DENSITY = 15.0
"""Beyond it a section of any length is opaque, and the exponential would only overflow."""


def density(raw: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Density per unit of length from a network's output: its exponential, truncated above."""
    return torch.exp(raw.clamp(max=GREATEST_LOG_DENSITY))


def density_alpha(
    raw: Float[Tensor, "n"], lengths: Float[Tensor, "n"] | float | Tensor
) -> Float[Tensor, "n"]:
    """Opacity of sections of constant density: ``1 - exp(-sigma length)`` (NeRF, eq. 3)."""
    return -torch.expm1(-density(raw) * lengths)
