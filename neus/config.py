"""What a method is: the one home of every default, and the reader of method files.

A method file (``config/methods/*.yaml``) holds only what differs from the defaults below. Unknown
keys and wrong types are refused with the key's name. Fractions are fractions of the step budget,
so that changing ``training.steps`` rescales every schedule with it.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class HashGridConfig:
    """Multiresolution hash grid (Mueller et al., SIGGRAPH 2022, section 3)."""

    levels: int = 16
    features: int = 2
    log2_entries: int = 17
    base_resolution: int = 32
    finest_resolution: int = 2048
    initial_levels: int = 4
    all_levels_at: float = 0.25


@dataclass(frozen=True)
class SdfConfig:
    """Network from position and grid features to the signed distance and a feature vector.

    The sharpness is learnt; up to ``led_until`` it is led from ``initial_inv_s`` to ``led_inv_s``
    instead, geometrically.
    """

    hidden_layers: int = 1
    width: int = 64
    features: int = 12
    initial_radius: float = 0.5
    initial_inv_s: float = 20.0
    led_inv_s: float = 200.0
    led_until: float = 0.0


@dataclass(frozen=True)
class RadianceConfig:
    """Network from features, normal, viewing direction and position to a colour."""

    hidden_layers: int = 2
    width: int = 64
    direction_degree: int = 4


@dataclass(frozen=True)
class MarchingConfig:
    """Where samples are placed: occupied cells of a grid, at a step that shrinks while training.

    The grid of a density, whose cells remember what was seen in them, has half the resolution.
    """

    occupancy_resolution: int = 256
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
    """Weights beside the colour's 1."""

    mask: float = 0.1
    eikonal: float = 0.1
    cavity: float = 0.1
    affine_colours: float = 1.0


@dataclass(frozen=True)
class LearningRateConfig:
    """Peak rates; all rise over ``warmup`` and then decay exponentially to ``final_factor``."""

    table: float = 1e-2
    networks: float = 5e-3
    inv_s: float = 1e-3
    affine_colours: float = 1e-3
    warmup: float = 0.02
    final_factor: float = 0.1


@dataclass(frozen=True)
class TrainingConfig:
    steps: int = 20_000
    samples: int = 8192
    outside_samples: int = 16384
    uniform_samples: int = 512
    masked_rays: float = 0.9
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

    merged = OmegaConf.structured(MethodConfig)
    if path is not None:
        if not path.is_file():
            raise InputError(f"{path} does not exist: methods are the files of config/methods")
        merged = _merge(merged, OmegaConf.load(path), str(path))
    merged = _merge(merged, overrides or {}, "overrides")
    method = OmegaConf.to_object(merged)
    assert isinstance(method, MethodConfig)
    _check_values(method)
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


def _check_values(method: MethodConfig) -> None:
    model, training = method.model, method.training
    outside, marching = model.outside, model.marching
    requirements = {
        "backend must be one of " + ", ".join(BACKENDS): method.backend in BACKENDS,
        "model.kind must be one of " + ", ".join(KINDS): model.kind in KINDS,
        "model.background must be one of " + ", ".join(BACKGROUNDS): model.background
        in BACKGROUNDS,
        "occupancy_resolution must be a positive multiple of 4": all(
            resolution > 0 and resolution % 4 == 0
            for resolution in (marching.occupancy_resolution, outside.occupancy_resolution)
        ),
        "radiance.direction_degree must lie in 1..4": all(
            1 <= radiance.direction_degree <= 4 for radiance in (model.radiance, outside.radiance)
        ),
        "hidden_layers and width must be positive": min(
            size
            for network in (
                model.sdf,
                model.density,
                model.radiance,
                outside.density,
                outside.radiance,
            )
            for size in (network.hidden_layers, network.width)
        )
        > 0,
        "model.marching steps must satisfy 0 < last_step <= first_step < 1": (
            0 < marching.last_step <= marching.first_step < 1
        ),
        "model.outside ratios must satisfy 0.001 <= last_ratio <= first_ratio < 1": (
            0.001 <= outside.last_ratio <= outside.first_ratio < 1
        ),
        "model.sdf: initial_inv_s and led_inv_s must be positive": (
            min(model.sdf.initial_inv_s, model.sdf.led_inv_s) > 0
        ),
        "model.outside.far must be greater than 1": outside.far > 1,
        "initial_density, least_depth and surface_density must be positive": all(
            min(density.initial_density, density.least_depth, density.surface_density) > 0
            for density in (model.density, outside.density)
        ),
        "training.steps must be positive": training.steps > 0,
        "training.samples must exceed training.uniform_samples by 1024 or more": (
            training.samples >= training.uniform_samples + 1024 >= 1024
        ),
        "training.outside_samples must be 1024 or more": training.outside_samples >= 1024,
        "fractions (all_levels_at, last_step_at, last_ratio_at, led_until, cos_anneal_end, "
        "masked_rays, warmup) must lie in 0..1": all(
            0 <= fraction <= 1
            for fraction in (
                model.hash_grid.all_levels_at,
                outside.hash_grid.all_levels_at,
                marching.last_step_at,
                outside.last_ratio_at,
                model.sdf.led_until,
                model.cos_anneal_end,
                training.masked_rays,
                training.learning_rates.warmup,
            )
        ),
    }
    for name, grid in (("model", model.hash_grid), ("model.outside", outside.hash_grid)):
        requirements |= _grid_requirements(f"{name}.hash_grid", grid)
    for sentence, holds in requirements.items():
        if not holds:
            raise InputError(f"method: {sentence}")


def _grid_requirements(name: str, grid: HashGridConfig) -> dict[str, bool]:
    return {
        f"{name}.levels must be at least initial_levels and initial_levels at least 1": (
            1 <= grid.initial_levels <= grid.levels
        ),
        f"{name}.finest_resolution must not be below base_resolution": (
            2 <= grid.base_resolution <= grid.finest_resolution
        ),
        f"{name}.log2_entries must lie in 8..24": 8 <= grid.log2_entries <= 24,
        f"{name}.features must be 2, the only width that the kernels are written for": (
            grid.features == 2
        ),
    }
