"""Losses, rates and batches of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field

from neus.config.identity import NEWER
from neus.config.schedule import Schedule, values_of

CURVES = ("own", "instant-nsr-pl")
"""Names of TensorBoard's curves."""
PATCH_POINTS = ("plane", "surface")
"""Where the pixels of a patch lie."""
OF_STEREO = ("surface", "free_space", "normals")
"""Terms of the loss that ask what stereo found."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms of the loss, each a :data:`Schedule`.

    ``eikonal``, ``cavity``, ``sparsity``, ``curvature``, ``patch``, ``smoothness`` and what is of
    stereo are of a distance: a density has none of them.

    Attributes:
        colour: absolute error of rays' colours.
        colour_squared: squared error of the same.
        mask: cross entropy of opacity and mask, of rays that have one.
        eikonal: squared deviation of the gradient's length from 1.
        cavity: pushes what no ray can see into the solid, so that no bubbles form there.
        opaque: entropy of the opacity, which makes each ray see the object or not.
        sparsity: surface where no ray asks for it.
        sparsity_scale: no weight: the sparsity term sees surface within about its inverse, in
            scene units.
        curvature: mean absolute Laplacian of the distance; needs ``differences``.
        distortion: spread of the weights along a ray (Mip-NeRF 360, equation 15).
        affine_colours: of the mean of the photos' colour maps from the identity, where they are
            learnt.
        surface: the distance at points that stereo found.
        free_space: the distance between such points and the cameras that saw them.
        normals: of the surface at such points, against those that stereo found there.
        patch: how little patches of the surface look alike in several photos (1 - NCC).
        smoothness: difference of normals side by side, where stereo knows little of the surface.
        distortion_outside: spread of the weights of a learned background, in a distance from the
            sphere that ends at 1.
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
    distortion_outside: Schedule = field(default=0.0, metadata=NEWER)
    patch: Schedule = field(default=0.0, metadata=NEWER)
    smoothness: Schedule = field(default=0.0, metadata=NEWER)
    normals: Schedule = field(default=0.0, metadata=NEWER)

    def uses(self, term: str) -> bool:
        """Whether a term has a weight other than 0 at any time."""
        return any(values_of(getattr(self, term)))

    @property
    def uses_stereo(self) -> bool:
        """Whether points that stereo found have a say at any time."""
        return any(self.uses(term) for term in OF_STEREO)

    @property
    def weights(self) -> dict[str, Schedule]:
        return {name: value for name, value in vars(self).items() if name != "sparsity_scale"}


@dataclass(frozen=True)
class RatePiece:
    """A stretch of a rate's factor, which ends at the fraction ``until`` of the budget.

    Attributes:
        kind: ``constant``, ``linear`` or ``exponential``.
        until: fraction of the budget at its end; that of the last piece is 1.
        first: factor at its start, and throughout where it is constant.
        last: factor at its end.
    """

    kind: str = "constant"
    until: float = 1.0
    first: float = 1.0
    last: float = 1.0


@dataclass(frozen=True)
class LearningRateConfig:
    """Peak rates; all rise over ``warmup`` and then decay exponentially to ``final_factor``.

    ``sdf``, of the networks of distances and densities, and ``radiance`` are those of ``networks``
    if they are not given. ``schedules``, where there are any, take the place of warm-up and decay.

    Attributes:
        table: of hash tables.
        networks: of all networks.
        sdf: of networks of distances and densities.
        radiance: of networks of colours.
        inv_s: of the surface's sharpness.
        affine_colours: of the photos' colour maps.
        weight_decay: AdamW's, of tables and networks.
        warmup: fraction of the budget.
        final_factor: of the peak, at the last step.
        schedules: each a sequence of pieces; the factor of all rates is the product of them.
        betas, eps: Adam's, the same for all.
        outside_table, outside_density, outside_radiance: of a learned background; each is that of
            the field within the sphere if it is not given.
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
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99], metadata=NEWER)
    eps: float = field(default=1e-15, metadata=NEWER)
    outside_table: float | None = field(default=None, metadata=NEWER)
    outside_density: float | None = field(default=None, metadata=NEWER)
    outside_radiance: float | None = field(default=None, metadata=NEWER)


@dataclass(frozen=True)
class TrainingConfig:
    """How long a training takes, with how much in each step.

    Attributes:
        steps: the budget, of which all fractions are.
        samples: places for samples in the unit sphere, in each step; the number of rays follows.
        outside_samples: the same behind it, for a background that is learned.
        uniform_samples: of ``samples``, random points of the ball for the eikonal term.
        masked_rays: share of the rays that are drawn from within the masks and close to them.
        one_image_batches: each step takes its rays from one photo.
        random_background: a random colour behind each ray, where the object is cut out, so that
            nothing in the field can imitate it.
        affine_colours: learns a map of the colours of each photo, for exposures that differ.
        equal_exposure: brings the photos to one exposure before anything is learnt, by the points
            of stereo, where ``losses`` ask for them, unless they follow from the cameras' places.
        losses: weights of the terms.
        learning_rates: and their course.
        validations: panels of a view that are written while training, evenly spaced.
        checkpoint_seconds: between checkpoints.
        stereo_points: points of the fused cloud that are asked for in each step.
        smooth_places: samples of each step that are compared with a place beside them, where
            ``losses.smoothness`` asks for it.
        patches: rays of each step whose surface points are compared with other photos, at most.
        patch_reach: half of a patch's side in scene units, a :data:`Schedule`; never less than two
            pixels, and taken from coarser pictures where it is more.
        patch_points: where a patch's pixels are taken to lie: on the ``plane`` that touches the
            surface in its middle, or on the ``surface`` itself.
        weights: file of a model, or a checkpoint, that training starts from instead of random
            numbers: of the same architecture, with schedules, rates and occupancy of its own.
        validation_views: of the views that are held out, measured at each of ``validations``.
        curves: names of TensorBoard's curves, our ``own`` or those of ``instant-nsr-pl``.
    """

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
    smooth_places: int = field(default=1024, metadata=NEWER)
    patches: int = field(default=256, metadata=NEWER)
    patch_reach: Schedule = field(default_factory=lambda: [0.0, 0.02, 0.005, 0.6], metadata=NEWER)
    patch_points: str = field(default="plane", metadata=NEWER)
    weights: str | None = field(default=None, metadata=NEWER)
    validation_views: int = field(default=1, metadata=NEWER)
    curves: str = field(default="own", metadata=NEWER)
    equal_exposure: bool = field(default=False, metadata=NEWER)
