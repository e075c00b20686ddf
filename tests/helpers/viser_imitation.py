"""The part of viser that the live view talks to, without a browser: it keeps what it is told."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest


class Handle(SimpleNamespace):
    """A thing on the screen or in the panel; what is assigned to it stays."""

    def updated(self, event: Any) -> None:
        """Until somebody wants to know."""

    def on_update(self, call: Any) -> None:
        self.updated = call

    def on_click(self, call: Any) -> None:
        self.clicked = call

    def choose(self, value: Any) -> None:
        """As a person does."""
        self.value = value
        self.updated(None)


class Parts:
    """Makes a handle of whatever is added, and keeps it by its name."""

    def __init__(self) -> None:
        self.made: dict[str, Handle] = {}
        self.shown: list[dict[str, Any]] = []

    def __getattr__(self, verb: str) -> Any:
        def call(*words: Any, **keys: Any) -> Handle:
            value = keys.get("initial_value", words[-1] if len(words) > 1 else None)
            handle = Handle(**{"visible": True, "image": None, "value": value} | keys)
            if words:
                self.made[words[0]] = handle
            return handle

        return call

    def set_background_image(self, image: np.ndarray, **keys: Any) -> None:
        self.shown.append({"image": image} | keys)


class Rotation:
    """Stands for viser's, but that its quaternions are matrices: nobody here looks into them."""

    def __init__(self, matrix: np.ndarray) -> None:
        self._matrix = matrix

    @classmethod
    def from_matrix(cls, matrix: np.ndarray) -> Rotation:
        return cls(matrix)

    @property
    def wxyz(self) -> np.ndarray:
        return self._matrix

    def as_matrix(self) -> np.ndarray:
        return self._matrix


class Client:
    """A browser that looks from somewhere."""

    client_id = 7

    def __init__(self, pose: np.ndarray) -> None:
        self.scene = Parts()
        self.camera = SimpleNamespace(
            wxyz=pose[:, :3], position=pose[:, 3], fov=0.9, aspect=1.5, look_at=np.zeros(3)
        )

    def atomic(self) -> AbstractContextManager[None]:
        return nullcontext()


class Server:
    def __init__(self, *, host: str, port: int, **_: Any) -> None:
        self.scene, self.gui = Parts(), Parts()
        self.initial_camera = SimpleNamespace()
        self.clients: dict[int, Client] = {}
        self.get_host, self.get_port = (lambda: host), (lambda: port)
        self.is_stopped = False

    def get_clients(self) -> dict[int, Client]:
        return dict(self.clients)

    def stop(self) -> None:
        self.is_stopped = True


def imitate_viser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``import viser`` find this instead."""
    viser, transforms = ModuleType("viser"), ModuleType("viser.transforms")
    viser.__dict__.update(ViserServer=Server, transforms=transforms)
    transforms.__dict__.update(SO3=Rotation)
    monkeypatch.setitem(sys.modules, "viser", viser)
    monkeypatch.setitem(sys.modules, "viser.transforms", transforms)
