"""Weights that a training starts from: those of another model of the same architecture."""

from __future__ import annotations

from pathlib import Path

import torch

from neus.errors import InputError
from neus.models.kinds import Model
from neus.models.trained import read_content


def start_from(model: Model, path: Path) -> None:
    """Give a new model the weights of a file: of a model, or of a checkpoint as it stands.

    All of them, those of a learned background too, and what the grid of a density remembers.
    Nothing else of that training: no moments of its optimizer, no step.

    Raises:
        InputError: the file is no model, or of another architecture.
    """
    own = model.state_dict()
    given = read_content(path, torch.device("cpu"))["model"]
    for name in [*own, *given]:
        one, other = own.get(name), given.get(name)
        if one is None or other is None or one.shape != other.shape:
            raise InputError(
                f"training.weights: {path} is of another architecture ({name} is {_shape(other)} "
                f"there and {_shape(one)} in this method): take a model of the same kind, "
                "background, hash grid, layers and encodings, as its config.yaml says"
            )
    model.load_state_dict(given)


def _shape(tensor: torch.Tensor | None) -> str:
    return "missing" if tensor is None else "x".join(map(str, tensor.shape)) or "a number"
