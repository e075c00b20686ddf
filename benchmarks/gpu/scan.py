"""A scan to train on: DTU's number and size of views, of a surface that is known exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from neus.scene import Cameras, look_at

DISTANCE = 2.2
"""Of the cameras from the object's centre."""
HOLDOUT = 8
"""Every so many views one is held out."""
STEPS, CAUTION = 160, 0.6
"""Of sphere tracing; the waves make the distance field steeper than 1."""


@dataclass(frozen=True)
class Scan:
    """Posed images with masks in the scene frame, as :class:`neus.scene.reading.Scene` has them."""

    name: str
    cameras: Cameras
    images: list[np.ndarray]
    masks: list[np.ndarray]
    test: tuple[int, ...]

    @property
    def train(self) -> list[int]:
        return [index for index in range(len(self.images)) if index not in self.test]


def wavy_ball(views: int, width: int, height: int, device: torch.device) -> Scan:
    """Views of a wavy, textured ball from the upper hemisphere, as DTU's robot arm has them."""
    index = np.arange(views) + 0.5
    elevation = np.arcsin(0.15 + 0.7 * index / views)
    azimuth = math.pi * (3 - math.sqrt(5)) * index
    across = np.cos(elevation)
    centres = np.stack(
        [across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)], axis=1
    )
    up = np.array([0.0, 0.0, 1.0])
    poses = np.stack([look_at(DISTANCE * centre, np.zeros(3), up) for centre in centres])
    focal = 1.45 * height
    intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    cameras = Cameras(
        np.repeat(intrinsics[None], views, axis=0),
        poses,
        np.full(views, width),
        np.full(views, height),
    )
    pictures = [_picture(cameras, view, device) for view in range(views)]
    images, masks = (list(kind) for kind in zip(*pictures, strict=True))
    return Scan("wavy ball", cameras, images, masks, tuple(range(0, views, HOLDOUT)))


def scan_from_folder(folder: Path) -> Scan:
    """A canonical scene with masks.

    Raises:
        InputError: the scene is malformed or has no masks, or OpenCV, which reads images, is
            missing.
    """
    from neus.errors import InputError
    from neus.scene import load_images, load_masks, load_scene

    try:
        scene = load_scene(folder)
        images, masks = load_images(scene), load_masks(scene)
    except ModuleNotFoundError as error:
        raise InputError(
            f"reading {folder} needs {error.name}, which is not installed: install it, or give no"
            " scene folder to train on a scan made here"
        ) from None
    return Scan(folder.name, scene.cameras, images, masks, scene.test)


@torch.no_grad()
def _picture(cameras: Cameras, view: int, device: torch.device) -> tuple[np.ndarray, np.ndarray]:
    """Photo on black and mask of one view, by sphere tracing from 2 x 2 places in each pixel."""
    finer = cameras.resized(2 * cameras.widths, 2 * cameras.heights)
    origins, directions = (
        torch.from_numpy(rays.astype(np.float32)).to(device)
        for rays in finer.rays(view, finer.pixel_grid(view))
    )
    t = torch.full_like(origins[:, :1], DISTANCE - 1)
    for _ in range(STEPS):
        t = t + CAUTION * _distance(origins + t * directions)
    points = origins + t * directions
    hit = ((t < DISTANCE + 1) & (_distance(points).abs() < 1e-3)).float()
    shape = (int(cameras.heights[view]), 2, int(cameras.widths[view]), 2, -1)
    coverage = hit.view(shape).mean(dim=(1, 3))
    rgb = (hit * _colour(points)).view(shape).mean(dim=(1, 3)) / coverage.clamp(min=0.25)
    image, mask = ((255 * part).round().byte().cpu().numpy() for part in (rgb, coverage))
    return image, mask[..., 0]


def _distance(x: Tensor) -> Tensor:
    waves = torch.sin(9 * x).prod(dim=1, keepdim=True) + 0.2 * torch.sin(31 * x[:, :1])
    return x.norm(dim=1, keepdim=True) - 0.6 - 0.05 * waves


def _colour(x: Tensor) -> Tensor:
    """A texture with fine and coarse parts, lit from above; 0 to 1."""
    shifts = torch.tensor([0.0, 2.0, 4.0], device=x.device)
    coarse = torch.sin(7 * x[:, :1] + 5 * x[:, 2:] + shifts)
    fine = torch.sin(60 * x[:, :1]) * torch.sin(60 * x[:, 1:2]) * torch.sin(60 * x[:, 2:])
    step = 1e-3 * torch.eye(3, device=x.device)
    slopes = torch.cat([_distance(x + h) - _distance(x - h) for h in step], dim=1)
    normals = torch.nn.functional.normalize(slopes, dim=1)
    light = torch.nn.functional.normalize(torch.tensor([0.3, 0.2, 1.0], device=x.device), dim=0)
    shading = 0.7 + 0.3 * (normals @ light)[:, None]
    return ((0.55 + 0.25 * coarse + 0.2 * fine) * shading).clamp(0, 1)
