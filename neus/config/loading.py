"""Method files: defaults, a file and overrides merged into a method, and written out again."""

from __future__ import annotations

import functools
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

from neus.config.budgets import Budget
from neus.config.checks import check_values
from neus.config.identity import identity
from neus.config.method import MethodConfig
from neus.errors import InputError


def load_method(
    path: Path | None = None,
    overrides: dict[str, Any] | None = None,
    budget: Budget | None = None,
) -> MethodConfig:
    """Defaults, overlaid by a method file, a budget, and ``overrides`` (nested dictionaries).

    Raises:
        InputError: the file is missing, or a key is unknown or has a wrong type or value.
    """
    from omegaconf import OmegaConf

    merged = pickle.loads(_defaults())
    if path is not None:
        if not path.is_file():
            raise InputError(f"{path} does not exist: methods are the files of config/methods")
        merged = _merge(merged, OmegaConf.load(path), str(path))
    if budget is not None:
        merged = _merge(merged, budget.keys, budget.origin)
    merged = _merge(merged, overrides or {}, "overrides")
    method = OmegaConf.to_object(merged)
    assert isinstance(method, MethodConfig)
    check_values(method)
    return method


def without_masks(method: MethodConfig) -> MethodConfig:
    """The same method for a scene that has no masks."""
    losses = replace(method.training.losses, mask=0.0)
    return replace(method, training=replace(method.training, losses=losses))


def method_as_yaml(method: MethodConfig) -> str:
    """The resolved method, every key spelt out."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.structured(method))


def identity_as_yaml(method: MethodConfig) -> str:
    """What tells a method apart from others, see :mod:`neus.config.identity`."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(identity(method)))


@functools.cache
def _defaults() -> bytes:
    """Every key at its default, pickled: seven times as fast to copy as by ``copy.deepcopy``."""
    from omegaconf import OmegaConf

    return pickle.dumps(OmegaConf.structured(MethodConfig))


def _merge(base: Any, overlay: Any, origin: str) -> Any:
    """``base``, which is lost, with ``overlay`` laid over it."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        return OmegaConf.unsafe_merge(base, overlay)
    except OmegaConfBaseException as error:
        key = error.full_key or "the top level"
        reason = str(error).splitlines()[0]
        raise InputError(f"{origin}: key {key}: {reason}; see neus/config for the keys") from None
