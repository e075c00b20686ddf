"""Small trainings on a sphere under a sky, which a second field learns."""

from __future__ import annotations

from typing import Any

import numpy as np

from neus.config import MethodConfig, load_method
from neus.training.rays import PixelPool
from neus.training.trainer import Trainer
from tests.helpers.trainings import CPU, sphere_capture

SMALL_GRID = {"levels": 6, "log2_entries": 10, "finest_resolution": 128}


def small_method(steps: int, kind: str = "neus", **training: Any) -> MethodConfig:
    overrides = {
        "model": {
            "kind": kind,
            "background": "learned",
            "hash_grid": SMALL_GRID,
            "sdf": {"width": 32},
            "radiance": {"width": 32},
            "marching": {"occupancy_resolution": 32, "first_step": 0.05, "last_step": 0.03},
            "outside": {
                "hash_grid": {"levels": 5, "log2_entries": 10, "finest_resolution": 64},
                "occupancy_resolution": 24,
                "first_ratio": 0.5,
                "last_ratio": 0.3,
            },
        },
        "training": {
            "steps": steps,
            "samples": 2048,
            "outside_samples": 2048,
            "uniform_samples": 128,
            "masked_rays": 0.0,
            "losses": {"mask": 0.0},
            **training,
        },
    }
    return load_method(None, overrides)


def sphere_under_a_sky() -> PixelPool:
    """The sphere of ``sphere_capture``, and behind it a sky whose colour follows the direction."""
    cameras, images, masks = sphere_capture()
    for index, (image, mask) in enumerate(zip(images, masks, strict=True)):
        _, directions = cameras.rays(index, cameras.pixel_grid(index))
        sky = (127 * (directions + 1)).astype(np.uint8).reshape(image.shape)
        image[mask == 0] = sky[mask == 0]
    return PixelPool(cameras, images, None, CPU)


def new_trainer(method: MethodConfig, seed: int = 0) -> Trainer:
    return Trainer(method, sphere_under_a_sky(), CPU, seed)
