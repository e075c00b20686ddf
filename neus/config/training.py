"""Losses, rates and batches of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field

from neus.config.identity import NEWER
from neus.config.schedule import Schedule


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms of the loss, each a :data:`Schedule`.

    ``colour`` is of the absolute error, ``colour_squared`` of the squared one. ``eikonal``,
    ``cavity``, ``sparsity`` and ``curvature`` are of a distance: a density has none of them.
    ``sparsity_scale`` is no weight: the sparsity term sees surface within about its inverse, in
    scene units. ``affine_colours`` holds the mean of the photos' colour maps, if any are learnt.
    ``surface`` and ``free_space`` are of points that stereo found, and of what lies before them.
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
    surface: Schedule = field(default=0.0, metadata=NEWER)
    free_space: Schedule = field(default=0.0, metadata=NEWER)

    def uses(self, term: str) -> bool:
        """Whether a term has a weight other than 0 at any time."""
        weight = getattr(self, term)
        return any(weight[1:3]) if isinstance(weight, list) else weight != 0

    @property
    def uses_stereo(self) -> bool:
        """Whether points that stereo found have a say at any time."""
        return self.uses("surface") or self.uses("free_space")

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
    stereo_points: int = field(default=512, metadata=NEWER)
