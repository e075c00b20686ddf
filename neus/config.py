"""What a method is: the one home of every default, and the reader of method files.

A method file (``config/methods/*.yaml``) holds only what differs from the defaults below. Unknown
keys and wrong types are refused with the key's name. Fractions are fractions of the step budget,
so that changing ``training.steps`` rescales every schedule with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neus.errors import InputError

BACKGROUNDS = {"white": 1.0, "black": 0.0, "learned": 0.0}
"""Grey values of what rays see that meet nothing; "learned" puts a field of its own before it."""
KINDS = ("neus", "nerf")
"""Models: a signed distance field, or a field of density."""
BACKENDS = ("auto", "tcnn")
"""Operators that training runs on: the device's own, or tiny-cuda-nn's and nerfacc's (CUDA)."""
GRADIENTS = ("analytic", "differences")
"""Ways to differentiate the distance."""
ENCODINGS = ("hash_grid", "frequency")
"""Of positions."""
DIRECTION_ENCODINGS = ("spherical_harmonics", "frequency")


Schedule = Any
"""A number, or [start, value, value, end]: a line from the first value, which holds until the
fraction ``start`` of the budget, to the second, which holds from ``end`` on."""


def scheduled(value: Schedule, progress: float) -> float:
    """A schedule at a fraction of the budget."""
    if not isinstance(value, list):
        return value
    start, first, last, end = value
    return first + (last - first) * min(1.0, max(0.0, (progress - start) / (end - start)))


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


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms of the loss, each a :data:`Schedule`.

    ``colour`` is of the absolute error, ``colour_squared`` of the squared one. ``eikonal``,
    ``cavity``, ``sparsity`` and ``curvature`` are of a distance: a density has none of them.
    ``sparsity_scale`` is no weight: the sparsity term sees surface within about its inverse, in
    scene units. ``affine_colours`` holds the mean of the photos' colour maps, if any are learnt.
    """

    colour: Schedule = 1.0
    colour_squared: Schedule = 0.0
    mask: Schedule = 0.1
    eikonal: Schedule = 0.1
    cavity: Schedule = 0.1
    opaque: Schedule = 0.0
    sparsity: Schedule = 0.0
    sparsity_scale: float = 1.0
    curvature: Schedule = 0.0
    distortion: Schedule = 0.0
    affine_colours: Schedule = 1.0

    def uses(self, term: str) -> bool:
        """Whether a term has a weight other than 0 at any time."""
        weight = getattr(self, term)
        return any(weight[1:3]) if isinstance(weight, list) else weight != 0

    @property
    def weights(self) -> dict[str, Schedule]:
        return {name: value for name, value in vars(self).items() if name != "sparsity_scale"}


@dataclass(frozen=True)
class RatePiece:
    """A stretch of a rate's factor, which ends at the fraction ``until`` of the budget.

    The factor stays ``first`` (constant), or goes from ``first`` to ``last`` (linear, exponential).
    """

    kind: str = "constant"
    until: float = 1.0
    first: float = 1.0
    last: float = 1.0


@dataclass(frozen=True)
class LearningRateConfig:
    """Peak rates; all rise over ``warmup`` and then decay exponentially to ``final_factor``.

    ``sdf``, of the networks of distances and densities, and ``radiance`` are those of ``networks``
    if they are not given. ``schedules``, where there are any, take the place of warm-up and decay:
    each is a sequence of pieces, and the factor is the product of all. ``weight_decay`` is AdamW's,
    of tables and networks.
    """

    table: float = 1e-2
    networks: float = 5e-3
    sdf: float | None = None
    radiance: float | None = None
    inv_s: float = 1e-3
    affine_colours: float = 1e-3
    weight_decay: float = 0.0
    warmup: float = 0.02
    final_factor: float = 0.1
    schedules: list[list[RatePiece]] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingConfig:
    steps: int = 20_000
    samples: int = 8192
    outside_samples: int = 16384
    uniform_samples: int = 512
    masked_rays: float = 0.9
    one_image_batches: bool = False
    random_background: bool = True
    affine_colours: bool = False
    losses: LossConfig = field(default_factory=LossConfig)
    learning_rates: LearningRateConfig = field(default_factory=LearningRateConfig)
    validations: int = 4
    checkpoint_seconds: float = 30.0


@dataclass(frozen=True)
class MethodConfig:
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    backend: str = "auto"


def load_method(path: Path | None = None, overrides: dict[str, Any] | None = None) -> MethodConfig:
    """Defaults, overlaid by a method file, overlaid by ``overrides`` (nested dictionaries).

    Raises:
        InputError: the file is missing, or a key is unknown or has a wrong type or value.
    """
    from omegaconf import OmegaConf

    from neus.config_checks import check_values  # which needs this file's names

    merged = OmegaConf.structured(MethodConfig)
    if path is not None:
        if not path.is_file():
            raise InputError(f"{path} does not exist: methods are the files of config/methods")
        merged = _merge(merged, OmegaConf.load(path), str(path))
    merged = _merge(merged, overrides or {}, "overrides")
    method = OmegaConf.to_object(merged)
    assert isinstance(method, MethodConfig)
    check_values(method)
    return method


def without_masks(method: MethodConfig) -> MethodConfig:
    """The same method for a scene that has no masks."""
    losses = replace(method.training.losses, mask=0.0)
    return replace(method, training=replace(method.training, losses=losses))


def method_as_yaml(method: MethodConfig) -> str:
    """The resolved method, every key spelt out."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.structured(method))


def _merge(base: Any, overlay: Any, origin: str) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        return OmegaConf.merge(base, overlay)
    except OmegaConfBaseException as error:
        key = error.full_key or "the top level"
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{origin}: key {key}: {reason}; see neus/config.py for the keys"
        ) from None
