"""The work unit: a fixed batch of samples on random rays through a ball, and its loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.config import HashGridConfig, MethodConfig
from neus.models import Stage
from neus.ops.types import Samples
from neus.training import colour_loss, eikonal_loss, mask_loss

if TYPE_CHECKING:
    from jaxtyping import Float

SAMPLES_PER_RAY = (8, 56)
"""Of a ray that crosses the neighbourhood of a surface: the fewest and the most."""
BALL = 0.6
"""Radius of the ball in whose surface the rays' samples are centred."""
STEP = 2 * math.sqrt(3) / 1024
"""Distance between samples: a 1024th of the cube's diagonal, as in instant-ngp."""


@dataclass(frozen=True)
class WorkUnit:
    """What a training step renders, and what it is compared with."""

    origins: Float[Tensor, "r 3"]
    directions: Float[Tensor, "r 3"]
    colours: Float[Tensor, "r 3"]
    coverage: Float[Tensor, "r"]
    points: Float[Tensor, "n 3"]
    samples: Samples

    def loss(
        self,
        rgb: Float[Tensor, "r 3"],
        transmittance: Float[Tensor, "r"],
        gradient_norms: Float[Tensor, "n"],
    ) -> Float[Tensor, ""]:
        """Colour, eikonal and mask loss at the method's default weights, on black."""
        counted, weights = self.samples.taken.float(), MethodConfig().training.losses
        return (
            colour_loss(rgb, self.colours, counted)
            + weights.eikonal * eikonal_loss(gradient_norms)
            + weights.mask * mask_loss(transmittance, self.coverage, counted)
        )


def work_unit(samples: int, device: torch.device, seed: int = 0) -> WorkUnit:
    """A batch of exactly ``samples`` samples, about 32 a ray."""
    rng = np.random.default_rng(seed)
    counts = _counts(samples, rng)
    rays = len(counts)
    origins = 2.2 * _unit(rng.normal(size=(rays, 3)))
    directions = _unit(0.25 * rng.normal(size=(rays, 3)) - origins)
    middle = -(origins * directions).sum(axis=1)
    half_chord = np.sqrt(np.maximum(middle**2 - (origins**2).sum(axis=1) + BALL**2, 0))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    ray = np.repeat(np.arange(rays), counts)
    place = np.arange(samples) - offsets[ray] + 0.5 - counts[ray] / 2
    t = (middle - half_chord)[ray] + STEP * place
    points = np.clip(origins[ray] + directions[ray] * t[:, None], -0.95, 0.95)

    def tensor(array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.astype(np.float32)).to(device)

    return WorkUnit(
        tensor(origins),
        tensor(directions),
        tensor(rng.random((rays, 3))),
        tensor((half_chord > 0).astype(np.float32)),
        tensor(points),
        Samples(
            torch.from_numpy(ray).to(device),
            tensor(t),
            torch.from_numpy(offsets).to(device),
            torch.ones(rays, dtype=torch.bool, device=device),
        ),
    )


def method(levels: int, log2_entries: int) -> MethodConfig:
    """The default method with a hash grid of this size."""
    default = MethodConfig()
    grid = HashGridConfig(levels=levels, log2_entries=log2_entries)
    return replace(default, model=replace(default.model, hash_grid=grid))


def stage(levels: int) -> Stage:
    """All levels active, in the middle of the annealing, where no term of the section is zero."""
    return Stage(active_levels=levels, step_length=STEP, cos_anneal=0.5)


def _counts(samples: int, rng: np.random.Generator) -> np.ndarray:
    fewest, most = SAMPLES_PER_RAY
    rays = max(1, 2 * samples // (fewest + most))
    counts = rng.integers(fewest, most + 1, rays)
    while (missing := samples - counts.sum()) != 0:
        chosen = rng.permutation(rays)[: abs(missing)]
        counts[chosen] = np.maximum(1, counts[chosen] + np.sign(missing))
    return counts


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
