"""Training losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.reference import ray_distortion
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float

MOST_OFF = 0.2
"""Scene units beyond which a point says nothing of the surface."""
BLUNT = 0.01
"""Length of a difference of normals below which it counts as its square does."""
MOST_BENT = 0.5
"""Length of such a difference, 29 degrees, from which it is of an edge, and has no pull."""
MOST_TURNED = 0.8
"""The same of a normal that stereo found, 47 degrees: one that is farther off is likely wrong."""


def colour_loss(
    rendered: Float[Tensor, "r 3"],
    photographed: Float[Tensor, "r 3"],
    counted: Float[Tensor, "r"],
) -> Float[Tensor, ""]:
    """Mean absolute error over the counted rays, those that met nothing included (NeuS, eq. 15)."""
    return _mean((rendered - photographed).abs().mean(dim=1), counted)


def squared_colour_loss(
    rendered: Float[Tensor, "r 3"],
    photographed: Float[Tensor, "r 3"],
    counted: Float[Tensor, "r"],
) -> Float[Tensor, ""]:
    """Mean squared error over the counted rays (Mildenhall et al. 2020, eq. 6)."""
    return _mean(((rendered - photographed) ** 2).mean(dim=1), counted)


def surface_loss(sdf: Float[Tensor, "s"], confidence: Float[Tensor, "s"]) -> Float[Tensor, ""]:
    """Mean distance of known points from the surface, at most ``MOST_OFF`` each (Geo-NeuS, eq. 8).

    A point that is farther off has no pull: it is more likely wrong than right.
    """
    return _mean(sdf.abs().clamp(max=MOST_OFF), confidence)


def free_space_loss(
    sdf: Float[Tensor, "s"], least: Float[Tensor, "s"], confidence: Float[Tensor, "s"]
) -> Float[Tensor, ""]:
    """By how much places in free space lie nearer to the surface than the ``least`` expected."""
    return _mean((least - sdf).clamp(min=0), confidence)


def normals_loss(
    normals: Float[Tensor, "s 3"], known: Float[Tensor, "s 3"], confidence: Float[Tensor, "s"]
) -> Float[Tensor, ""]:
    """Mean length of the difference of unit normals from known ones, ``MOST_TURNED`` at most.

    Robust, as those of :func:`surface_loss` are, where MonoSDF (Yu et al., NeurIPS 2022, eq. 14)
    has an absolute and an angular difference without a bound.
    """
    return _mean(_turned(normals, known).clamp(max=MOST_TURNED), confidence)


def patch_loss(costs: Float[Tensor, "p k"], weights: Float[Tensor, "p k"]) -> Float[Tensor, ""]:
    """Mean of 1 - NCC over patches and views, by how far each is trusted (after Geo-NeuS).

    Plain, where Geo-NeuS has 1 - NCC^2 in its code: that is content with a negative, too.
    """
    return _mean(costs, weights)


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


def opaque_loss(
    transmittance: Float[Tensor, "r"], counted: Float[Tensor, "r"]
) -> Float[Tensor, ""]:
    """Entropy of the opacity: a ray shall be stopped or pass, without masks to say which.

    Softened like :func:`mask_loss`, whose coverage the opacity itself is here.
    """
    opacity = 1 - transmittance
    softening = 1e-3
    clear = transmittance * torch.log(transmittance + softening)
    return _mean(-(opacity * torch.log(opacity + softening) + clear), counted)


def sparsity_loss(sdf: Float[Tensor, "n"], scale: float) -> Float[Tensor, ""]:
    """Mean of exp(-scale |sdf|) at points spread evenly (SparseNeuS, Long et al. 2022, eq. 10).

    Holds surface off space that no ray tells anything of.
    """
    return torch.exp(-scale * sdf.abs()).mean()


def curvature_loss(laplacian: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Mean absolute Laplacian, the sum of the principal curvatures (Neuralangelo, eq. 6)."""
    return laplacian.abs().mean()


def distortion_loss(
    weights: Float[Tensor, "m"], samples: Samples, length: float | Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """How widely the weights of a ray are spread, per ray that counts (Barron et al. 2022, eq. 15).

    ``length`` is that of a sample's section; distances are in scene units.
    """
    lengths = torch.zeros_like(samples.t) + length  # full_like would wait for a length on CUDA
    per_ray = ray_distortion(weights, samples.t, lengths, samples.ray_index, samples.offsets)
    return _mean(per_ray, samples.taken.float())


def outside_distortion_loss(
    weights: Float[Tensor, "m"], lengths: Float[Tensor, "m"], ratio: float, samples: Samples
) -> Float[Tensor, ""]:
    """The same of samples outside the sphere, in a distance that ends: 0 at its wall, 1 far away.

    Sections there are ``ratio`` times as long as their distance from the wall plus 1, which is u;
    the distance is 1 - 1 / u (Barron et al. 2022, eq. 11 and 15), its sections ``ratio / u``.
    """
    scale = (lengths / ratio).clamp(min=1)  # 0 in the padding
    places, sections = 1 - 1 / scale, ratio / scale
    per_ray = ray_distortion(weights, places, sections, samples.ray_index, samples.offsets)
    return _mean(per_ray, samples.taken.float())


def eikonal_loss(gradient_norms: Float[Tensor, "n"]) -> Float[Tensor, ""]:
    """Squared deviation of the gradient's norm from 1 (Gropp et al. 2020; NeuS, eq. 16)."""
    return ((gradient_norms - 1) ** 2).mean()


def smoothness_loss(
    normals: Float[Tensor, "a 3"], beside: Float[Tensor, "a 3"], weights: Float[Tensor, "a"]
) -> Float[Tensor, ""]:
    """Weighted mean of how far unit normals differ from those beside them (UNISURF).

    The length of the difference, not its square, and at most ``MOST_BENT``, so that struts and
    edges are left alone.
    """
    return (weights * _turned(normals, beside).clamp(max=MOST_BENT)).mean()


def cavity_loss(sdf: Float[Tensor, "h"], depth: float) -> Float[Tensor, ""]:
    """How far points in hidden cavities are from lying ``depth`` within the solid; 0 if none."""
    return torch.relu(sdf + depth).sum() / max(len(sdf), 1)


def _turned(normals: Float[Tensor, "a 3"], others: Float[Tensor, "a 3"]) -> Float[Tensor, "a"]:
    """Lengths of differences, rounded near 0, where a length has no derivative."""
    return (((normals - others) ** 2).sum(dim=1) + BLUNT**2).sqrt() - BLUNT


def _mean(values: Float[Tensor, "r"], counted: Float[Tensor, "r"]) -> Float[Tensor, ""]:
    """Over the counted rays; 0 if there are none."""
    return (values * counted).sum() / counted.sum().clamp(min=1)
