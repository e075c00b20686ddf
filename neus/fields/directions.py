"""Real spherical harmonics of a viewing direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def spherical_harmonics(d: Float[Tensor, "n 3"], degree: int) -> Float[Tensor, "n degree**2"]:
    """The first ``degree`` bands (1 to 4) at unit directions, Condon-Shortley phase included."""
    x, y, z = d.unbind(dim=-1)
    x2, y2, z2 = x * x, y * y, z * z
    bands = [[torch.full_like(x, 0.28209479177387814)]]
    if degree > 1:
        bands.append([-0.48860251190291987 * y, 0.48860251190291987 * z, -0.48860251190291987 * x])
    if degree > 2:
        bands.append(
            [
                1.0925484305920792 * x * y,
                -1.0925484305920792 * y * z,
                0.94617469575755997 * z2 - 0.31539156525251999,
                -1.0925484305920792 * x * z,
                0.54627421529603959 * (x2 - y2),
            ]
        )
    if degree > 3:
        bands.append(
            [
                0.59004358992664352 * y * (y2 - 3 * x2),
                2.8906114426405538 * x * y * z,
                0.45704579946446572 * y * (1 - 5 * z2),
                0.3731763325901154 * z * (5 * z2 - 3),
                0.45704579946446572 * x * (1 - 5 * z2),
                1.4453057213202769 * z * (x2 - y2),
                0.59004358992664352 * x * (3 * y2 - x2),
            ]
        )
    return torch.stack([value for band in bands for value in band], dim=-1)
