"""Gradient and Laplacian of a distance field from its values at a few places around each point.

Differences as wide as the finest active cell of a hash grid make neighbouring cells learn together
(Neuralangelo, Li et al., CVPR 2023, section 3.1), and give the Laplacian that its curvature loss
needs. Every result is a linear combination of values, so that it is differentiable wherever they
are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float

_CORNERS = ((1.0, 1.0, 1.0), (1.0, -1.0, -1.0), (-1.0, 1.0, -1.0), (-1.0, -1.0, 1.0))
"""Of a tetrahedron about the origin: every second corner of a cube."""


@dataclass(frozen=True)
class Stencil:
    """Where to evaluate a field around points x, and how to combine what is found there.

    With differences d_i = f(points_i) - f(x), the gradient is ``sum_i gradient_i d_i`` and the
    Laplacian ``sum_i laplacian_i d_i``. No place lies outside [-1, 1]^3, where a hash grid ends.
    """

    points: Float[Tensor, "taps n 3"]
    gradient: Float[Tensor, "taps n 3"]
    laplacian: Float[Tensor, "taps n"]


def by_differences(
    evaluate: Callable[[Float[Tensor, "m 3"]], Float[Tensor, "m o"]],
    x: Float[Tensor, "n 3"],
    eps: float,
    taps: int,
) -> tuple[Float[Tensor, "n o"], Float[Tensor, "n 3"], Float[Tensor, "n"]]:
    """Output at x, and gradient and Laplacian of its column 0, from one call of ``evaluate``.

    Args:
        evaluate: the field; column 0 is the distance.
        x: in [-1, 1]^3.
        eps: reach of the differences along each axis, in scene units, at most 0.5.
        taps: 6 on the axes, exact for quadratic functions; or 4 at the corners of a tetrahedron,
            of first order in the gradient.
    """
    stencil = STENCILS[taps](x, eps)
    out = evaluate(torch.cat([x, stencil.points.flatten(0, 1)]))
    centre = out[: len(x)]
    differences = out[len(x) :, 0].view(taps, len(x)) - centre[:, 0]
    gradient = (stencil.gradient * differences[:, :, None]).sum(dim=0)
    return centre, gradient, (stencil.laplacian * differences).sum(dim=0)


def axial_stencil(x: Float[Tensor, "n 3"], eps: float) -> Stencil:
    """Two places on each axis: on both sides, or, where a wall is nearer than eps, on one.

    With places at d1 and d2 along an axis, the parabola through them and the point has the slope
    ``(d1^2 f2 - d2^2 f1) / (d1 d2 (d1 - d2))`` and twice the curvature
    ``2 (d2 f1 - d1 f2) / (d1 d2 (d1 - d2))``, where f1 and f2 are differences from the middle.
    """
    step = torch.full_like(x, eps)
    high, low = x + eps > 1, x - eps < -1
    first = torch.where(high, -step, step)
    second = torch.where(high, -2 * step, torch.where(low, 2 * step, -step))
    scale = 1 / (first * second * (first - second))
    along = torch.cat([torch.diag_embed(first), torch.diag_embed(second)], dim=1)
    gradient = torch.cat(
        [torch.diag_embed(-(second**2) * scale), torch.diag_embed(first**2 * scale)], dim=1
    )
    laplacian = torch.cat([2 * second * scale, -2 * first * scale], dim=1)
    return Stencil((x[:, None] + along).transpose(0, 1), gradient.transpose(0, 1), laplacian.T)


def tetrahedral_stencil(x: Float[Tensor, "n 3"], eps: float) -> Stencil:
    """The corners of a tetrahedron, pushed inside where it would leave the box.

    With corners ``c + eps k_i``, ``sum_i k_i f_i / (4 eps)`` is the gradient and
    ``(sum_i f_i - 4 f(c)) / (2 eps^2)`` the Laplacian at c. Where c is not x, f(c) is continued
    from f(x) along the gradient: both are exact for linear functions there.
    """
    corners = _corners(x.dtype, x.device)[:, None]
    centre = x.clamp(eps - 1, 1 - eps)
    gradient = (corners / (4 * eps)).expand(4, len(x), 3)
    laplacian = (1 + 4 * (gradient * (x - centre)).sum(dim=2)) / (2 * eps**2)
    return Stencil(centre + eps * corners, gradient, laplacian)


# Kept on the device, since a copy to it makes the host wait.
@lru_cache(maxsize=8)
def _corners(dtype: torch.dtype, device: torch.device) -> Float[Tensor, "4 3"]:
    return torch.tensor(_CORNERS, dtype=dtype, device=device)


STENCILS = {6: axial_stencil, 4: tetrahedral_stencil}
"""By the number of places."""
