"""Running checkpoints: written whole, two kept, and taken up only by the run that wrote them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from neus.config import MethodConfig
from neus.files import written_whole
from neus.models import FORMAT
from neus.scene import TRANSFORMS

KEPT = 2


def fingerprint(method: MethodConfig, scene: Path, seed: int, processes: int = 1) -> str:
    """What a run depends on: method, scene, seed, number of processes, and the model's format.

    A scene's poses and lists decide; its images are written together with them.
    """
    parts = [json.dumps(asdict(method), sort_keys=True), str(seed), str(FORMAT)]
    parts += [str(processes)] if processes > 1 else []
    digest = hashlib.sha256("\0".join(parts).encode())
    digest.update((scene / TRANSFORMS).read_bytes())
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

        Checkpoints with another fingerprint belong to another method, scene or seed: they are
        removed, since the run that starts now is going to take their place.
        """
        for path in self._newest_first():
            try:
                content = torch.load(path, map_location=device, weights_only=True)
            except Exception:  # a file that a full disk cut short: an older one will do
                continue
            if content.get("fingerprint") == self.fingerprint:
                return content["state"]
            path.unlink(missing_ok=True)  # another process of this run may have been faster
        return None

    def clear(self) -> None:
        """Remove all checkpoints: the finished model takes their place."""
        for path in self._newest_first():
            path.unlink()

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"), reverse=True)
