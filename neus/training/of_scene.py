"""The trainer of a scene: its photos as the method is to see them, and what stereo knows of it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from neus.config import MethodConfig
from neus.scene import Scene, load_mask
from neus.stereo import StereoPoints, at_one_exposure
from neus.training.distributed import ALONE, Processes
from neus.training.evidence import SurfacePoints
from neus.training.patches import PatchViews
from neus.training.rays import PixelPool
from neus.training.trainer import Trainer

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8


def trainer_of_scene(
    scene: Scene,
    images: list[UInt8[np.ndarray, "h w 3"]],
    method: MethodConfig,
    device: torch.device,
    seed: int,
    *,
    points: StereoPoints | None = None,
    processes: Processes = ALONE,
    backend: ModuleType | None = None,
    report: Callable[[str], None] = lambda sentence: None,
) -> Trainer:
    """A trainer of the views that the scene does not hold out.

    Args:
        images: of all frames, held-out ones included.
        points: what stereo found among the training views, for methods that rest on it.
        backend: operators in the place of the method's on this device.
        report: takes what there is to say of the photos' exposures.

    Raises:
        InputError: a mask is missing, unreadable or not of its camera's size.
    """
    train = list(scene.train)
    cameras, photos = scene.cameras[train], [images[i] for i in train]
    losses = method.training.losses
    compares = losses.uses("patch") and method.model.kind == "neus"
    views = PatchViews(cameras, photos, device) if compares else None
    if method.training.equal_exposure and points is not None:
        photos = at_one_exposure(points, cameras, photos, report)
    masked = scene.masked if losses.uses("mask") else ()
    masks = [load_mask(scene, i) if i in masked else None for i in train]
    pool = PixelPool(cameras, photos, masks, device)
    known = None if points is None else SurfacePoints(points, cameras, device)
    return Trainer(
        method, pool, device, seed, processes, backend=backend, evidence=known, views=views
    )
