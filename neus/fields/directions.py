"""Real spherical harmonics of a viewing direction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def spherical_harmonics(d: Float[Tensor, "n 3"], degree: int) -> Float[Tensor, "n degree**2"]:
    """The first ``degree`` bands at unit directions, Condon-Shortley phase included.

    Band l has the orders -l to l. The first four are written out, those beyond follow from
    recurrences.
    """
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
    bands += [_band(band, x, y, z) for band in range(4, degree)]
    return torch.stack([value for band in bands for value in band], dim=-1)


def _band(
    l: int,  # noqa: E741
    x: Float[Tensor, "n"],
    y: Float[Tensor, "n"],
    z: Float[Tensor, "n"],
) -> list[Float[Tensor, "n"]]:
    """Y_l^m for m = -l .. l: a polynomial in z times the real or imaginary part of (x + iy)^m.

    The polynomial is that of the associated Legendre function P_l^m(z) without its factor
    (1 - z^2)^(m/2): (2m - 1)!! for l = m, and from there on by the recurrence in l.
    """
    real, imaginary = torch.ones_like(x), torch.zeros_like(x)
    positive, negative = [], []
    for m in range(l + 1):
        if m:
            real, imaginary = x * real - y * imaginary, x * imaginary + y * real
        legendre = torch.full_like(z, (-1) ** m * math.prod(range(1, 2 * m, 2)))
        before = torch.zeros_like(z)
        for degree in range(m + 1, l + 1):
            following = ((2 * degree - 1) * z * legendre - (degree + m - 1) * before) / (degree - m)
            before, legendre = legendre, following
        orders = math.factorial(l - m) / math.factorial(l + m)
        scaled = math.sqrt((2 * l + 1) / (4 * math.pi) * orders * (2 if m else 1)) * legendre
        positive.append(scaled * real)
        if m:
            negative.insert(0, scaled * imaginary)
    return negative + positive
