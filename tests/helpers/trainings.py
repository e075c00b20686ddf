"""Small trainings on photos of a sphere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from neus.config import MethodConfig, load_method
from neus.models.neus import NeuS
from neus.scene.cameras import Cameras, look_at
from neus.training.checkpoint import CheckpointFolder
from neus.training.rays import PixelPool
from neus.training.trainer import Trainer

CPU = torch.device("cpu")


def sphere_capture(views: int = 8, size: int = 32) -> tuple[Cameras, list, list]:
    """Photos and masks of a sphere of radius 0.6, red above and blue below the equator."""
    intrinsics = np.array([[1.2 * size, 0, size / 2], [0, 1.2 * size, size / 2], [0, 0, 1]])
    angles = 2 * np.pi * np.arange(views) / views
    poses = [
        look_at(2.2 * np.array([np.cos(a), np.sin(a), 0.4]), np.zeros(3), np.array([0.0, 0, 1]))
        for a in angles
    ]
    cameras = Cameras(
        np.repeat(intrinsics[None], views, axis=0),
        np.stack(poses),
        np.full(views, size),
        np.full(views, size),
    )
    images, masks = [], []
    for index in range(views):
        origins, directions = cameras.rays(index, cameras.pixel_grid(index))
        middle = -(origins * directions).sum(axis=1)
        discriminant = 0.36 - ((origins + middle[:, None] * directions) ** 2).sum(axis=1)
        t = middle - np.sqrt(np.maximum(discriminant, 0))
        above = (origins + t[:, None] * directions)[:, 2] > 0
        colour = np.where(above[:, None], [220, 60, 40], [40, 60, 220])
        hit = discriminant > 0
        images.append((colour * hit[:, None]).astype(np.uint8).reshape(size, size, 3))
        masks.append((255 * hit).astype(np.uint8).reshape(size, size))
    return cameras, images, masks


def small_method(steps: int = 60, **training) -> MethodConfig:
    overrides = {
        "model": {
            "hash_grid": {"levels": 6, "log2_entries": 10, "finest_resolution": 128},
            "sdf": {"width": 32},
            "radiance": {"width": 32},
            "marching": {"occupancy_resolution": 32, "last_step": 0.02},
        },
        "training": {"steps": steps, "samples": 2048, "uniform_samples": 128, **training},
    }
    return load_method(None, overrides)


def new_trainer(method: MethodConfig, seed: int = 0) -> Trainer:
    cameras, images, masks = sphere_capture()
    return Trainer(method, PixelPool(cameras, images, masks, CPU), CPU, seed)


def surface_of(trainer: Trainer) -> NeuS:
    assert isinstance(trainer.model, NeuS)
    return trainer.model


def whole_and_resumed(
    new: Callable[[int], Trainer], steps: int, at: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of a training, and of one of another seed that went on from the state of a third."""
    whole, half, again = new(0), new(0), new(1)
    for _ in range(steps):
        whole.train_step()
    for _ in range(at):
        half.train_step()
    again.load_state_dict(half.state_dict())
    while again.step < steps:
        again.train_step()
    return weights_after(whole), weights_after(again)


def weights_after(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])


def folder(tmp_path: Path, mark: str = "same") -> CheckpointFolder:
    return CheckpointFolder(tmp_path / "checkpoints", mark)


def no_validation(trainer: Trainer) -> None:
    del trainer
