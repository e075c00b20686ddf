"""A run whose pictures docs/ shows: its folders, what is read from them, pictures as stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from PIL import Image

from neus.images import normals_to_colour, to_uint8
from neus.models import TrainedModel, View, load_model
from neus.scene import Scene, load_scene

METHOD = "neus-mask"


@dataclass(frozen=True)
class Run:
    """The folders of a scan and of one training on it, and what is read from them."""

    scan: Path
    folder: Path

    @classmethod
    def of(cls, results: Path, scan: str) -> Run:
        return cls(results / scan, results / scan / METHOD / "seed0")

    @cached_property
    def scene(self) -> Scene:
        return load_scene(self.scan / "scene")

    @cached_property
    def trained(self) -> TrainedModel:
        return load_model(self.folder / "model.pt", torch.device("cpu"))

    @property
    def unseen(self) -> int:
        """A view that training did not see."""
        return self.scene.test[len(self.scene.test) // 2]

    def normals(self, view: View) -> Image.Image:
        pose = self.scene.cameras.camera_to_world[self.unseen]
        return Image.fromarray(normals_to_colour(view.normals, view.opacity, pose))


def rgb(view: View) -> Image.Image:
    return Image.fromarray(to_uint8(view.rgb))


def stored(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")
