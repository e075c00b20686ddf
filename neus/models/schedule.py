"""What of a model depends on how far its training has come: a function of the step alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import Tensor

from neus.config import HashGridConfig, ModelConfig, RadianceConfig, scheduled
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Stage:
    """The model's settings at one moment of training.

    Those that may be tensors are 0-dim float32 on the device in a step that is captured in a CUDA
    graph, which reads them anew each time that it is replayed.

    Attributes:
        active_levels: levels of the hash grid in use, or bands of a field of sines.
        step_length: distance between samples, in scene units.
        cos_anneal: 0 to 1, see :func:`neus.ops.alpha.section_alpha`.
        direction_bands: bands of sines through which directions are seen; a fraction fades in.
        max_inv_s: sharpness of the surface that is not exceeded.
        led_inv_s: sharpness that is set in this step; None where it is learnt.
        outside_levels: levels of the hash grid outside the unit sphere in use.
        outside_ratio: by which sections there grow.
        outside_bands: as ``direction_bands``, out there.
        near, far: where rays begin and end within the sphere, in scene units from their camera.
    """

    active_levels: int
    step_length: float | Tensor
    cos_anneal: float | Tensor
    direction_bands: float | Tensor = 0.0
    max_inv_s: float | Tensor = math.inf
    led_inv_s: float | None = None
    outside_levels: int = 1
    outside_ratio: float = 0.1
    outside_bands: float | Tensor = 0.0
    near: float = 0.0
    far: float = math.inf

    def cut(self, alpha: Float[Tensor, "m"], samples: Samples) -> Float[Tensor, "m"]:
        """Opacities of samples along rays that begin ``near``, 0 from ``far`` on."""
        return alpha if math.isinf(self.far) else alpha * (samples.t < self.far - self.near)

    @property
    def bounded(self) -> bool:
        """Whether ``max_inv_s`` bounds anything; on the device it always does."""
        return isinstance(self.max_inv_s, Tensor) or not math.isinf(self.max_inv_s)


def stage_at(config: ModelConfig, step: int, steps: int) -> Stage:
    """The stage after ``step`` of ``steps`` training steps.

    Levels are switched on evenly between ``levels_from`` and ``all_levels_at`` (Neuralangelo,
    section 3.2); distances between samples shrink geometrically until ``last_step_at`` and
    ``last_ratio_at``.
    """
    progress = step / steps
    marching, outside = config.marching, config.outside
    shrink = marching.last_step / marching.first_step
    sdf, led = config.sdf, progress < config.sdf.led_until
    sharper = sdf.led_inv_s / sdf.initial_inv_s
    stage = Stage(
        active_levels=_active_levels(config, progress),
        step_length=marching.first_step * shrink ** _ramp(progress, marching.last_step_at),
        cos_anneal=_ramp(progress, config.cos_anneal_end),
        direction_bands=_bands(config.radiance, progress),
        max_inv_s=scheduled(sdf.max_inv_s, progress),
        near=marching.near,
        far=marching.far,
        led_inv_s=sdf.initial_inv_s * sharper ** (progress / sdf.led_until) if led else None,
    )
    if config.background != "learned":
        return stage
    finer = outside.last_ratio / outside.first_ratio
    return replace(
        stage,
        outside_levels=_levels(outside.hash_grid, progress),
        outside_ratio=outside.first_ratio * finer ** _ramp(progress, outside.last_ratio_at),
        outside_bands=_bands(outside.radiance, progress),
    )


def _active_levels(config: ModelConfig, progress: float) -> int:
    sdf = config.sdf
    if config.kind == "neus" and sdf.encoding == "frequency":
        return int(sdf.bands * _ramp(progress, sdf.all_bands_at))
    return _levels(config.hash_grid, progress)


def _bands(radiance: RadianceConfig, progress: float) -> float:
    return radiance.direction_bands * _ramp(progress, radiance.all_bands_at)


def _levels(grid: HashGridConfig, progress: float) -> int:
    added = (grid.levels - grid.initial_levels + 1) * _ramp(
        progress - grid.levels_from, grid.all_levels_at - grid.levels_from
    )
    return min(grid.levels, grid.initial_levels + int(added))


def _ramp(progress: float, end: float) -> float:
    """0 at the start, 1 from ``end`` on."""
    return min(1.0, max(0.0, progress) / end) if end > 0 else 1.0
