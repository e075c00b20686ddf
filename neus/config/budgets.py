"""Budgets: how much of a device a training may take, in files that are laid over a method.

A method says what is learnt, a budget with how many samples, steps and entries. A file
(``config/budgets/*.yaml``) holds keys of methods, the resolution of the mesh, and under ``methods``
what differs for single ones; where it holds nothing else, it is for these alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neus.errors import InputError, refusal

RECORD = "budget"
"""File below a run's folder that names the budget it was begun with."""
GROUPS = ("model", "training")


@dataclass(frozen=True)
class Budget:
    """What one budget asks of one method.

    Attributes:
        name: of the file, without its suffix.
        keys: of the method, nested, laid over it.
        resolution: cells of marching cubes along a side, or None.
        origin: the file, for messages.
    """

    name: str
    keys: dict[str, Any] = field(default_factory=dict)
    resolution: int | None = None
    origin: str = ""


def load_budget(path: Path, method: str) -> Budget:
    """The part of a budget's file that is for a method, by the name of its file.

    Raises:
        InputError: the file is missing, has an unknown key, or is for other methods alone.
    """
    from omegaconf import OmegaConf

    content = _content(path)
    general = {key: value for key, value in content.items() if key != "methods"}
    special = content.get("methods") or {}
    if not general and method not in special:
        raise refusal(
            f"{path}, key methods",
            f"nothing for the method {method}",
            f"one of {', '.join(special)}",
            "choose another budget, or write down there what it shall take",
        )
    merged: Any = OmegaConf.to_object(OmegaConf.merge(general, special.get(method) or {}))
    unknown = [key for key in merged if key not in (*GROUPS, "mesh")]
    mesh = merged.get("mesh", {})
    if unknown or not isinstance(mesh, dict) or set(mesh) - {"resolution"}:
        raise refusal(
            str(path),
            f"the key {(unknown or ['mesh'])[0]}",
            "model, training, mesh: {resolution: ...} and methods",
            "remove it",
        )
    resolution = mesh.get("resolution")
    if resolution is not None and not (isinstance(resolution, int) and resolution >= 16):
        raise refusal(
            f"{path}, key mesh.resolution", f"{resolution}", "16 or more cells", "correct it"
        )
    keys = {key: merged[key] for key in GROUPS if key in merged}
    return Budget(path.stem, keys, resolution, str(path))


def _content(path: Path) -> dict[str, Any]:
    import yaml

    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise InputError(f"{path} does not exist: the budgets are {known or 'none'}")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path} is no readable YAML ({error}): correct it") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no keys: a budget has model, training, mesh or methods")
    return content


def recorded_budget(run: Path) -> str | None:
    """The name of the budget that a run was begun with; None where it had none, or is not begun.

    Args:
        run: folder of its checkpoints, whose files may be gone once ``train.json`` beside it is
            written.
    """
    try:
        if (run / RECORD).is_file():
            return (run / RECORD).read_text(encoding="utf-8").strip() or None
        figures = json.loads((run.parent / "train.json").read_bytes())
        return figures.get("budget") if isinstance(figures, dict) else None
    except (OSError, ValueError):
        return None
