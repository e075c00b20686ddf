"""Fields of a model: hash grid and networks of distance, density and colour."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from neus.config.identity import NEWER
from neus.config.schedule import Schedule

GRADIENTS = ("analytic", "differences")
"""Ways to differentiate the distance."""
ENCODINGS = ("hash_grid", "frequency")
"""Of positions."""
DIRECTION_ENCODINGS = ("spherical_harmonics", "frequency")
ACTIVATIONS = (
    "none", "relu", "sigmoid", "tanh", "softplus", "elu", "gelu", "silu", "leaky_relu", "exp",
    "trunc_exp", "lin2srgb",
)  # fmt: skip
"""Those that have a name alone; :mod:`neus.fields.activations` says what they are."""
NUMBERED = r"(softplus|scale|clamp|mul|(?=[+-]))([+-]?\d+\.?\d*(?:e[+-]?\d+)?)"
"""Pattern of those that end with a number, as softplus100."""


@dataclass(frozen=True)
class HashGridConfig:
    """Multiresolution hash grid (Mueller et al., SIGGRAPH 2022, section 3).

    The first ``initial_levels`` are in use from the start; from ``levels_from`` on, one level more
    every (all_levels_at - levels_from) / (levels - initial_levels + 1) of the budget.

    Attributes:
        levels: grids, each finer than the one before by the same factor.
        features: learned numbers at each vertex of a grid.
        log2_entries: each level has 2 to the power of this many rows at most; finer grids are
            hashed into them.
        base_resolution: cells along each side of the coarsest grid.
        finest_resolution: of the finest grid.
        initial_levels: that are in use from the first step on.
        levels_from: fraction of the budget until which no level is added.
        all_levels_at: fraction of the budget from which all levels are in use.
    """

    levels: int = 16
    features: int = 2
    log2_entries: int = 17
    base_resolution: int = 32
    finest_resolution: int = 2048
    initial_levels: int = 4
    levels_from: float = 0.0
    all_levels_at: float = 0.25


@dataclass(frozen=True)
class GradientConfig:
    """How the distance is differentiated: by the chain rule, or from ``taps`` (6 or 4) differences.

    Attributes:
        kind: ``analytic`` or ``differences``.
        taps: 6 (central differences) or 4 (the corners of a tetrahedron), which takes less time.
        eps: how far they reach, in scene units; 0 for a cell of the finest active level
            (Neuralangelo, section 3.1).
    """

    kind: str = "analytic"
    taps: int = 6
    eps: float = 0.0


@dataclass(frozen=True)
class SdfConfig:
    """Network from position and grid features to the signed distance and a feature vector.

    It begins as a sphere, solid inside, or outside if it is ``inside_out``, as for a room. The
    position is seen as ``identity_scale * x + identity_offset``; with a scale of 0 not at all, and
    then there is no sphere to begin with.

    The surface's sharpness is learnt. Up to ``led_until`` it is set instead, on a geometric path
    from ``initial_inv_s`` to ``led_inv_s``, which also keeps it from falling; ``max_inv_s``, a
    :data:`Schedule`, is a bound from above that leaves it free below.

    Attributes:
        hidden_layers, width: of the network.
        features: numbers beside the distance, for the network of colours.
        initial_radius: of the sphere that it begins as, in scene units.
        initial_inv_s: sharpness of the logistic density at the first step, the inverse of s.
        led_inv_s: sharpness at ``led_until``, where it is led.
        led_until: fraction of the budget up to which the sharpness is set; 0 leaves it free.
        max_inv_s: bound of the sharpness from above, a number or a schedule.
        inside_out: solid outside of the sphere at first, as for a room seen from within.
        weight_norm: layers are a direction times a length (Salimans and Kingma 2016).
        identity_scale, identity_offset: of the position, which is seen beside the encoding.
        encoding: of positions, ``hash_grid`` or ``frequency``.
        bands: of sines, for ``frequency``.
        all_bands_at: fraction of the budget until which bands are switched on one by one.
        activation: ``softplus`` (of sharpness 100) or ``relu``.
        gradient: how the distance is differentiated.
        output_activation, output_bias: the network's first output d counts as the distance
            ``output_activation(d + output_bias)``; a name of ``neus.fields.activations``.
        feature_activation: another, that follows on the features.
    """

    hidden_layers: int = 1
    width: int = 64
    features: int = 12
    initial_radius: float = 0.5
    initial_inv_s: float = 20.0
    led_inv_s: float = 200.0
    led_until: float = 0.0
    max_inv_s: Schedule = math.inf
    inside_out: bool = False
    weight_norm: bool = False
    identity_scale: float = 1.0
    identity_offset: float = 0.0
    encoding: str = "hash_grid"
    bands: int = 6
    all_bands_at: float = 0.0
    activation: str = "softplus"
    gradient: GradientConfig = field(default_factory=GradientConfig)
    output_activation: str = field(default="none", metadata=NEWER)
    output_bias: float = field(default=0.0, metadata=NEWER)
    feature_activation: str = field(default="none", metadata=NEWER)


@dataclass(frozen=True)
class RadianceConfig:
    """Network from features, normal, viewing direction and position to a colour.

    The network of a density sees features and direction alone.

    Attributes:
        hidden_layers, width: of the network.
        direction_encoding: ``spherical_harmonics``, or ``frequency`` for the direction itself
            with sines of it.
        direction_degree: of the harmonics, 1 to 8; of degree 1 directions are not seen at all.
        direction_bands: of sines.
        all_bands_at: fraction of the budget until which bands fade in.
        normals: whether the network sees the normal.
        positions: whether it sees the position.
        activation: a name of ``neus.fields.activations``.
        output: another, after the last layer.
        weight_norm: as for the distance.
    """

    hidden_layers: int = 2
    width: int = 64
    direction_encoding: str = "spherical_harmonics"
    direction_degree: int = 4
    direction_bands: int = 4
    all_bands_at: float = 0.0
    normals: bool = True
    positions: bool = True
    activation: str = "relu"
    output: str = "sigmoid"
    weight_norm: bool = False


@dataclass(frozen=True)
class DensityConfig:
    """Network from position and grid features to a density and a feature vector.

    Attributes:
        hidden_layers, width: of the network.
        features: numbers beside the density, for the network of colours.
        initial_density: everywhere at the first step, per scene unit.
        least_depth: cells of the occupancy grid are skipped where a step has less optical depth
            than this, which is its opacity where that is small.
        surface_density: a mesh encloses what is denser.
        activation: makes a density of the network's output; a name of
            ``neus.fields.activations``.
        feature_activation: another, that follows on the features.
    """

    hidden_layers: int = 1
    width: int = 64
    features: int = 15
    initial_density: float = 0.3
    least_depth: float = 0.01
    surface_density: float = 20.0
    activation: str = field(default="exp", metadata=NEWER)
    feature_activation: str = field(default="none", metadata=NEWER)
