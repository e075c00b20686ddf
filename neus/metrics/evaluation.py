"""Figures of a run: held-out views against their photos, and the frame a mesh is measured in."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.config import BACKGROUNDS
from neus.errors import InputError
from neus.metrics.images import mask_iou, psnr, ssim
from neus.scene import Similarity, umeyama
from neus.sources import number_in

if TYPE_CHECKING:
    from jaxtyping import Float

    from neus.config import MethodConfig
    from neus.metrics.surfaces import SurfaceFigures
    from neus.scene import Scene


@dataclass(frozen=True)
class ViewFigures:
    """One rendering against its photo; ``nan`` where a figure has no value.

    Attributes:
        psnr, ssim: of the whole image.
        psnr_masked: inside the mask.
        mask_iou: overlap of the rendered opacity with the mask.
    """

    psnr: float
    psnr_masked: float
    ssim: float
    mask_iou: float


@dataclass(frozen=True)
class Surroundings:
    """What a method was shown around the object, and so is expected to render there.

    Attributes:
        background: a grey value that stood behind the object, which its mask cut out; None where
            the photos were left as they are, surroundings and all.
        name: of the background.
        masks: whether masks took part in training.
    """

    background: float | None
    name: str
    masks: bool

    @classmethod
    def of(cls, method: MethodConfig) -> Surroundings:
        name, masks = method.model.background, method.training.losses.uses("mask")
        if masks and name != "learned":
            return cls(BACKGROUNDS[name], name, masks)
        return cls(None, "as photographed", masks)

    @classmethod
    def around(cls, name: str, *, masks: bool) -> Surroundings:
        """What a program says that it renders around the object: ``photo``, or a colour by name."""
        return cls(BACKGROUNDS.get(name), "as photographed" if name == "photo" else name, masks)

    def photo(
        self, photo: Float[np.ndarray, "h w 3"], coverage: Float[np.ndarray, "h w"] | None
    ) -> Float[np.ndarray, "h w 3"]:
        """A photo as the method saw it; without a mask, as it is."""
        if coverage is None or self.background is None:
            return photo
        return self.background + coverage[:, :, None] * (photo - self.background)


@dataclass(frozen=True)
class Alignment:
    """A frame fitted onto another by cameras that both know.

    Attributes:
        similarity: from the one frame to the other.
        cameras: number of cameras that it was fitted to.
        residual: root mean square distance that remains between their centres, in the unit of the
            other frame.
    """

    similarity: Similarity
    cameras: int
    residual: float


def view_figures(
    rendering: Float[np.ndarray, "h w 3"],
    opacity: Float[np.ndarray, "h w"] | None,
    photo: Float[np.ndarray, "h w 3"],
    coverage: Float[np.ndarray, "h w"] | None,
    surroundings: Surroundings,
) -> ViewFigures:
    """Measure one rendering, colours in [0, 1], against the photo as the method saw it.

    Args:
        opacity: of the rendering, or None where nobody knows it.
        coverage: the mask's share of each pixel, or None.

    Raises:
        InputError: the sizes differ.
    """
    photo = surroundings.photo(photo, coverage)
    if coverage is None:
        return ViewFigures(psnr(rendering, photo), math.nan, ssim(rendering, photo), math.nan)
    return ViewFigures(
        psnr=psnr(rendering, photo),
        psnr_masked=psnr(rendering, photo, coverage),
        ssim=ssim(rendering, photo),
        mask_iou=math.nan if opacity is None else mask_iou(opacity, coverage),
    )


def views_report(
    scene: Scene,
    views: dict[str, ViewFigures],
    train: dict[str, float],
    surroundings: Surroundings,
    *,
    apart: bool = False,
) -> dict[str, Any]:
    """The content of a ``views.json``: the means over the held-out views, then each of them.

    A mean is over the views in which the figure has a value, and null where there is none.

    Args:
        train: PSNR of training views, as papers report it. It stands apart from all other figures,
            under ``psnr_train``: it says how well the photos were learnt, not what was not seen.
        apart: whether the held-out views are of a training of their own, of the images that are
            not held out, and the surface and ``train`` of one that saw all of them.
    """
    means = {
        figure.name: _mean([getattr(view, figure.name) for view in views.values()])
        for figure in fields(ViewFigures)
    }
    return means | {
        "psnr_train": _mean(list(train.values())),
        "background": surroundings.name,
        "trained_with_masks": surroundings.masks,
        "images_train": len(scene.frames) if apart else len(scene.train),
        "images_train_views": len(scene.train),
        "images_test": len(scene.test),
        "reason": None if views else "no view is held out: holdout is 0",
        "views": {name: _without_nan(asdict(view)) for name, view in views.items()},
        "views_train": _without_nan(train),
    }


def _mean(values: list[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return float(np.mean(finite)) if finite else None


def mesh_report(
    figures: SurfaceFigures | None, culling: str, alignment: Alignment | None, reason: str | None
) -> dict[str, Any]:
    """The content of a ``mesh-{culling}.json``; for a ``reason``, all figures are null."""
    from neus.metrics.surfaces import SurfaceFigures  # brings trimesh, numba and SciPy

    names = [field.name for field in fields(SurfaceFigures)]
    content = dict.fromkeys(names) if figures is None else figures.to_json()
    aligned = alignment and {
        "cameras": alignment.cameras,
        "residual": alignment.residual,
        "matrix": alignment.similarity.matrix.tolist(),
    }
    return content | {"culling": culling, "alignment": aligned, "reason": reason}


def _without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def align_by_cameras(scene: Scene, known: Scene) -> Alignment:
    """Fit the source frame of ``scene`` onto that of ``known`` by the centres of their cameras.

    A mesh whose poses were estimated from bare photos lies in a frame of arbitrary place and size;
    this takes it to the frame of the reference without a look at either surface. Cameras belong
    together whose images have the same name or, failing that, the same number.

    Raises:
        InputError: fewer than three cameras belong together, or all lie on one line.
    """
    pairs = _same_images(scene, known)
    origin = scene.to_source.apply(scene.cameras.centres)[[i for i, _ in pairs]]
    target = known.to_source.apply(known.cameras.centres)[[i for _, i in pairs]]
    try:
        similarity = umeyama(origin, target)
    except ValueError as error:
        raise InputError(
            f"the known cameras share {len(pairs)} images with the scene: {error}"
        ) from error
    residual = np.linalg.norm(similarity.apply(origin) - target, axis=1)
    return Alignment(similarity, len(pairs), float(np.sqrt((residual**2).mean())))


def _same_images(scene: Scene, known: Scene) -> list[tuple[int, int]]:
    by_name = {frame.name: i for i, frame in enumerate(known.frames)}
    by_number = {number_in(frame.name): i for i, frame in enumerate(known.frames)}
    by_number.pop(None, None)
    places = [
        by_name.get(frame.name, by_number.get(number_in(frame.name))) for frame in scene.frames
    ]
    return [(i, place) for i, place in enumerate(places) if place is not None]
