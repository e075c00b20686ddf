"""Fields, renderer and background of a model."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from neus.config.schedule import Schedule

BACKGROUNDS = {"white": 1.0, "black": 0.0, "learned": 0.0}
"""Grey values of what rays see that meet nothing; "learned" puts a field of its own before it."""
KINDS = ("neus", "nerf")
"""Models: a signed distance field, or a field of density."""
GRADIENTS = ("analytic", "differences")
"""Ways to differentiate the distance."""
ENCODINGS = ("hash_grid", "frequency")
"""Of positions."""
DIRECTION_ENCODINGS = ("spherical_harmonics", "frequency")


@dataclass(frozen=True)
class HashGridConfig:
    """Multiresolution hash grid (Mueller et al., SIGGRAPH 2022, section 3).

    The first ``initial_levels`` are in use from the start; from ``levels_from`` on, one level more
    every (all_levels_at - levels_from) / (levels - initial_levels + 1) of the budget.
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

    Differences reach ``eps`` scene units, or as far as a cell of the finest active level if that is
    0 (Neuralangelo, section 3.1).
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

    ``encoding`` may be the hash grid or ``bands`` of sines, which are switched on one by one until
    ``all_bands_at``; ``activation`` softplus (of sharpness 100) or relu.

    The surface's sharpness is learnt. Up to ``led_until`` it is set instead, on a geometric path
    from ``initial_inv_s`` to ``led_inv_s``, which also keeps it from falling; ``max_inv_s``, a
    :data:`Schedule`, is a bound from above that leaves it free below.
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


@dataclass(frozen=True)
class RadianceConfig:
    """Network from features, normal, viewing direction and position to a colour.

    Directions are seen through spherical harmonics of ``direction_degree`` (of degree 1 they are
    not seen at all), or as they are with ``direction_bands`` of sines, which fade in until
    ``all_bands_at``. ``activation`` and ``output`` are names of ``neus.fields.activations``.

    The network of a density sees features and direction alone, through relu and sigmoid.
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
class MarchingConfig:
    """Where samples are placed: occupied cells of a grid, at a step that shrinks while training."""

    occupancy_resolution: int = 128
    margin: float = 3.0
    first_step: float = 0.02
    last_step: float = 0.009
    last_step_at: float = 0.3


@dataclass(frozen=True)
class DensityConfig:
    """Network from position and grid features to a density and a feature vector.

    Cells of the occupancy grid are skipped where a step has less than ``least_depth`` of optical
    depth, its opacity where that is small. A mesh encloses what is denser than
    ``surface_density``.
    """

    hidden_layers: int = 1
    width: int = 64
    features: int = 15
    initial_density: float = 0.3
    least_depth: float = 0.01
    surface_density: float = 20.0


@dataclass(frozen=True)
class OutsideConfig:
    """Field of all that lies outside the unit sphere, for ``background: learned``.

    The hash grid covers contracted space. Sections along rays grow by ``1 + ratio``, up to ``far``
    radii of the sphere.
    """

    hash_grid: HashGridConfig = field(
        default_factory=lambda: HashGridConfig(
            levels=9,
            log2_entries=15,
            base_resolution=8,
            finest_resolution=512,
            initial_levels=3,
            all_levels_at=0.5,
        )
    )
    density: DensityConfig = field(default_factory=lambda: DensityConfig(initial_density=1.0))
    radiance: RadianceConfig = field(
        default_factory=lambda: RadianceConfig(hidden_layers=1, direction_degree=1)
    )
    occupancy_resolution: int = 96
    first_ratio: float = 0.3
    last_ratio: float = 0.1
    last_ratio_at: float = 0.5
    far: float = 1000.0


@dataclass(frozen=True)
class ModelConfig:
    """``sdf`` is for the kind "neus", ``density`` for "nerf", ``outside`` for a background that is
    learned."""

    kind: str = "neus"
    hash_grid: HashGridConfig = field(default_factory=HashGridConfig)
    sdf: SdfConfig = field(default_factory=SdfConfig)
    density: DensityConfig = field(default_factory=DensityConfig)
    radiance: RadianceConfig = field(default_factory=RadianceConfig)
    marching: MarchingConfig = field(default_factory=MarchingConfig)
    outside: OutsideConfig = field(default_factory=OutsideConfig)
    background: str = "white"
    cos_anneal_end: float = 0.1
