"""Refusals of methods whose values make no sense, each in one sentence that names the key."""

from __future__ import annotations

import re

from neus.config.method import BACKENDS, MethodConfig
from neus.config.model import BACKGROUNDS, KINDS, ModelConfig
from neus.config.networks import (
    ACTIVATIONS,
    DIRECTION_ENCODINGS,
    ENCODINGS,
    GRADIENTS,
    NUMBERED,
    HashGridConfig,
    RadianceConfig,
)
from neus.config.schedule import Schedule, values_of
from neus.config.training import CURVES, PATCH_POINTS, RatePiece, TrainingConfig
from neus.errors import InputError


def check_values(method: MethodConfig) -> None:
    """Look at all values of a method, whose keys and types are right.

    Raises:
        InputError: a value makes no sense.
    """
    model, training = method.model, method.training
    for name, weight in training.losses.weights.items():
        _check_schedule(f"training.losses.{name}", weight)
    _check_schedule("model.sdf.max_inv_s", model.sdf.max_inv_s, least=1.0)
    _check_schedule("training.patch_reach", training.patch_reach)
    for pieces in training.learning_rates.schedules:
        _check_pieces(pieces)
    _check_activations(model)
    requirements = {
        "backend must be one of " + ", ".join(BACKENDS): method.backend in BACKENDS,
        **_model_requirements(model),
        **_training_requirements(training),
        "training.losses.curvature needs model.sdf.gradient.kind: differences": (
            not training.losses.uses("curvature") or model.sdf.gradient.kind == "differences"
        ),
        **_fractions(method),
    }
    for sentence, holds in requirements.items():
        if not holds:
            raise InputError(f"method: {sentence}")


def _check_schedule(key: str, value: Schedule, least: float = 0.0) -> None:
    """A number, [start, value, value, end] or [[fraction, value], ...], all at least ``least``."""
    if not (_is_number(value) or _is_line(value) or _is_corners(value)):
        raise InputError(
            f"method: {key} must be a number, [start, value, value, end] with "
            "0 <= start < end <= 1 as fractions of the budget, or corners "
            f"[[fraction, value], ...] with fractions that rise in 0..1, not {value}"
        )
    if min(values_of(value)) < least:
        raise InputError(f"method: {key} must not be below {least}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_line(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(map(_is_number, value))
        and 0 <= value[0] < value[3] <= 1
    )


def _is_corners(value: object) -> bool:
    if not (isinstance(value, list) and len(value) >= 2):
        return False
    if not all(isinstance(c, list) and len(c) == 2 and all(map(_is_number, c)) for c in value):
        return False
    fractions = [corner[0] for corner in value]
    return fractions == sorted(set(fractions)) and fractions[0] >= 0 and fractions[-1] <= 1


def _check_activations(model: ModelConfig) -> None:
    """Names alone: what they mean to a network is seen when it is made."""
    outside = model.outside
    networks = (
        ("model.sdf", model.sdf, ("output_activation", "feature_activation")),
        ("model.density", model.density, ("activation", "feature_activation")),
        ("model.radiance", model.radiance, ("activation", "output")),
        ("model.outside.density", outside.density, ("activation", "feature_activation")),
        ("model.outside.radiance", outside.radiance, ("activation", "output")),
    )
    for group, network, keys in networks:
        for key in keys:
            name = getattr(network, key)
            if name not in ACTIVATIONS and not re.fullmatch(NUMBERED, name):
                raise InputError(
                    f"method: {group}.{key}: there is no activation '{name}': it is one of "
                    f"{', '.join(ACTIVATIONS)}, or softplus, scale, clamp, mul, + or - with a "
                    "number at its end, as in softplus100"
                )


def _check_pieces(pieces: list[RatePiece]) -> None:
    ends = [0.0, *(piece.until for piece in pieces)]
    if not all(piece.kind in ("constant", "linear", "exponential") for piece in pieces):
        raise InputError(
            "method: training.learning_rates.schedules: kind must be constant, linear or "
            "exponential"
        )
    if not (ends == sorted(set(ends)) and ends[-1] == 1):
        raise InputError(
            "method: training.learning_rates.schedules: until must rise from piece to piece, to 1"
        )
    for piece in pieces:
        if min(piece.first, piece.last) < (1e-12 if piece.kind == "exponential" else 0):
            raise InputError(
                "method: training.learning_rates.schedules: first and last must not be negative, "
                "nor 0 where kind is exponential"
            )


def _model_requirements(model: ModelConfig) -> dict[str, bool]:
    sdf, outside, marching = model.sdf, model.outside, model.marching
    networks = (sdf, model.density, model.radiance, outside.density, outside.radiance)
    requirements = {
        "model.kind must be one of " + ", ".join(KINDS): model.kind in KINDS,
        "model.background must be one of " + ", ".join(BACKGROUNDS): model.background
        in BACKGROUNDS,
        "occupancy_resolution must be a positive multiple of 4": all(
            resolution > 0 and resolution % 4 == 0
            for resolution in (marching.occupancy_resolution, outside.occupancy_resolution)
        ),
        "model.sdf.encoding must be one of " + ", ".join(ENCODINGS): sdf.encoding in ENCODINGS,
        "model.sdf.activation must be softplus or relu": sdf.activation in ("softplus", "relu"),
        "model.sdf.bands must be positive": sdf.bands > 0,
        "model.sdf.gradient.kind must be one of " + ", ".join(GRADIENTS): sdf.gradient.kind
        in GRADIENTS,
        "model.sdf.gradient.taps must be 4 or 6": sdf.gradient.taps in (4, 6),
        "model.sdf.gradient.eps must lie in 0..0.5": 0 <= sdf.gradient.eps <= 0.5,
        "model.sdf: initial_inv_s and led_inv_s must be positive": (
            min(sdf.initial_inv_s, sdf.led_inv_s) > 0
        ),
        "hidden_layers and width must be positive": all(
            min(network.hidden_layers, network.width) > 0 for network in networks
        ),
        "model.marching steps must satisfy 0 < last_step <= first_step < 1": (
            0 < marching.last_step <= marching.first_step < 1
        ),
        "model.marching must satisfy 0 <= near < far": 0 <= marching.near < marching.far,
        "model.outside ratios must satisfy 0.001 <= last_ratio <= first_ratio < 1": (
            0.001 <= outside.last_ratio <= outside.first_ratio < 1
        ),
        "model.outside.far must be greater than 1": outside.far > 1,
        "initial_density, least_depth and surface_density must be positive": all(
            min(density.initial_density, density.least_depth, density.surface_density) > 0
            for density in (model.density, outside.density)
        ),
    }
    requirements |= _grid_requirements("model.hash_grid", model.hash_grid)
    requirements |= _radiance_requirements("model.radiance", model.radiance)
    requirements |= _grid_requirements("model.outside.hash_grid", outside.hash_grid)
    return requirements | _radiance_requirements("model.outside.radiance", outside.radiance)


def _grid_requirements(name: str, grid: HashGridConfig) -> dict[str, bool]:
    return {
        f"{name}.levels must be at least initial_levels and initial_levels at least 1": (
            1 <= grid.initial_levels <= grid.levels
        ),
        f"{name}.finest_resolution must not be below base_resolution": (
            2 <= grid.base_resolution <= grid.finest_resolution
        ),
        f"{name}.log2_entries must lie in 8..24": 8 <= grid.log2_entries <= 24,
        f"{name}.features must be positive": grid.features > 0,
        f"{name}.levels_from must not be past all_levels_at": (
            0 <= grid.levels_from <= grid.all_levels_at
        ),
    }


def _radiance_requirements(name: str, radiance: RadianceConfig) -> dict[str, bool]:
    return {
        f"{name}.direction_encoding must be one of " + ", ".join(DIRECTION_ENCODINGS): (
            radiance.direction_encoding in DIRECTION_ENCODINGS
        ),
        f"{name}.direction_degree must lie in 1..8": 1 <= radiance.direction_degree <= 8,
        f"{name}.direction_bands must be positive": radiance.direction_bands > 0,
    }


def _training_requirements(training: TrainingConfig) -> dict[str, bool]:
    rates = training.learning_rates
    return {
        "training.steps must be positive": training.steps > 0,
        "training.learning_rates.betas must be two numbers in 0..1, below 1": (
            len(rates.betas) == 2 and all(0 <= beta < 1 for beta in rates.betas)
        ),
        "training.learning_rates.eps must be positive, as 1.0e-15": rates.eps > 0,
        "training.losses.sparsity_scale must be positive": training.losses.sparsity_scale > 0,
        "training.samples must exceed training.uniform_samples by 1024 or more": (
            training.samples >= training.uniform_samples + 1024 >= 1024
        ),
        "training.outside_samples must be 1024 or more": training.outside_samples >= 1024,
        "training.curves must be one of " + ", ".join(CURVES): training.curves in CURVES,
        "training.validation_views must not be negative": training.validation_views >= 0,
        "training.stereo_points must be positive": training.stereo_points > 0,
        "training.smooth_places must be positive": training.smooth_places > 0,
        "training.patches must be positive": training.patches > 0,
        "training.patch_points must be one of " + ", ".join(PATCH_POINTS): (
            training.patch_points in PATCH_POINTS
        ),
    }


def _fractions(method: MethodConfig) -> dict[str, bool]:
    model, training = method.model, method.training
    fractions = (
        model.hash_grid.all_levels_at,
        model.outside.hash_grid.all_levels_at,
        model.sdf.all_bands_at,
        model.radiance.all_bands_at,
        model.outside.radiance.all_bands_at,
        model.marching.last_step_at,
        model.outside.last_ratio_at,
        model.sdf.led_until,
        model.cos_anneal_end,
        training.masked_rays,
        training.learning_rates.warmup,
    )
    sentence = (
        "fractions (all_levels_at, all_bands_at, last_step_at, last_ratio_at, led_until, "
        "cos_anneal_end, masked_rays, warmup) must lie in 0..1"
    )
    return {sentence: all(0 <= fraction <= 1 for fraction in fractions)}
