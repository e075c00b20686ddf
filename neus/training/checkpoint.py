"""Running checkpoints: written whole, two kept, and taken up only by the run that wrote them."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from neus.config import MethodConfig, identity
from neus.files import written_whole
from neus.models import FORMAT
from neus.scene import TRANSFORMS

KEPT = 2


def fingerprint(
    method: MethodConfig,
    scene: Path,
    seed: int,
    processes: int = 1,
    *evidence: Path,
    whole: bool = False,
) -> str:
    """What a run depends on: method, scene, seed, number of processes, and the model's format.

    A scene's poses and lists decide; its images are written together with them. Files of
    ``evidence`` count with all that they hold. ``whole`` is of a run that learns from images, too,
    that the scene holds out.
    """
    parts = [json.dumps(identity(method), sort_keys=True), str(seed), str(FORMAT)]
    parts += [str(processes)] if processes > 1 else []
    parts += ["all images"] if whole else []
    digest = hashlib.sha256("\0".join(parts).encode())
    for file in (scene / TRANSFORMS, *evidence):
        digest.update(file.read_bytes())
    return digest.hexdigest()


class CheckpointFolder:
    """Checkpoints ``step-00001234.pt`` of one run."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint

    def save(self, step: int, state: dict[str, Any], method: MethodConfig) -> None:
        """Write a checkpoint, then drop all but the latest two.

        The method makes it a file that :func:`neus.models.trained.load_model` reads, too.
        """
        path = self.folder / f"step-{step:08d}.pt"
        content = {"fingerprint": self.fingerprint, "state": state}
        content |= {"format": FORMAT, "method": asdict(method)}
        with written_whole(path) as partial:
            torch.save(content, partial)
        for old in self._newest_first()[KEPT:]:
            old.unlink()

    def load_latest(self, device: torch.device) -> dict[str, Any] | None:
        """State of the newest readable checkpoint of this very run, or None.

        Checkpoints with another fingerprint belong to another method, scene or seed: they are set
        aside, into a folder named after it, from where the run that wrote them takes them back.
        """
        self._take_back()
        for path in self._newest_first():
            try:
                content = torch.load(path, map_location=device, weights_only=True)
            except Exception:  # a file that a full disk cut short: an older one will do
                continue
            if content.get("fingerprint") == self.fingerprint:
                return content["state"]
            self._set_aside(path, str(content.get("fingerprint")))
        return None

    def _set_aside(self, path: Path, fingerprint: str) -> None:
        other = self._aside(fingerprint)
        other.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # another process of this run may have been faster
            path.rename(other / path.name)

    def _take_back(self) -> None:
        for path in self._aside(self.fingerprint).glob("step-*.pt"):
            with suppress(FileNotFoundError):
                path.rename(self.folder / path.name)

    def _aside(self, fingerprint: str) -> Path:
        return self.folder / f"of-{fingerprint[:16]}"

    def clear(self) -> None:
        """Remove all checkpoints: the finished model takes their place."""
        for path in self._newest_first():
            path.unlink()

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"), reverse=True)
