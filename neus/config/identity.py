"""What a method is told apart by: keys that came later count only where they are used.

Results made before a key existed are those of its default, which is what was done then. So that an
update makes nobody train again, such a key at its default is left out of fingerprints.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

NEWER = {"newer": True}
"""Metadata of a key that was added after results had been made without it."""


def identity(config: Any) -> dict[str, Any]:
    """The keys of a configuration and their values, nested, without unused newer ones.

    Args:
        config: a dataclass, as ``MethodConfig``.
    """
    assert is_dataclass(config)
    told: dict[str, Any] = {}
    for key in fields(config):
        value = getattr(config, key.name)
        if not (key.metadata == NEWER and value == _default(key)):
            told[key.name] = _plain(value)
    return told


def _default(key: Field[Any]) -> Any:
    if key.default_factory is not MISSING:
        return key.default_factory()
    assert key.default is not MISSING, key.name
    return key.default


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return identity(value) if is_dataclass(value) else value
