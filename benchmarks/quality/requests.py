"""What is run: a scan, a method with a lever laid over it, a seed and a budget; and its key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.quality.scans import GENERATOR, Scan
from neus.config import MethodConfig, load_method
from neus.errors import InputError

ROOT = Path(__file__).parents[2]
METHODS = ROOT / "config" / "methods"
BASELINE = "baseline"
"""The lever that changes nothing."""
OF_SCAN = "default"
"""Stands for the method that a scan is trained with by default."""
UNCHANGING = {"training.checkpoint_seconds", "training.validations"}
"""Keys that change no result: the runner sets them."""


@dataclass(frozen=True)
class Lever:
    """A named change of methods: nested keys laid over them."""

    name: str = BASELINE
    overrides: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """How long training may take: a number of steps, or seconds that steps are fitted to."""

    steps: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        return f"{self.steps} steps" if self.steps is not None else f"{self.seconds:g} s"


@dataclass(frozen=True)
class Request:
    """One training and its figures.

    Attributes:
        seed: of training.
        scan_seed: of the scan's pictures.
        code: label of the code under test; by default its ``MODEL_VERSION``.
        methods: folder of the method files, of the checkout that is run.
    """

    scan: Scan
    method: str
    lever: Lever
    seed: int
    scan_seed: int
    budget: Budget
    code: str
    methods: Path = METHODS

    @property
    def method_name(self) -> str:
        return self.scan.method if self.method == OF_SCAN else self.method

    @property
    def method_file(self) -> Path:
        return self.methods / f"{self.method_name}.yaml"

    def key(self, generator: int = GENERATOR) -> str:
        """Short digest of all that the run's figures follow from."""
        parts = {
            "scan": self.scan.key(self.scan_seed, generator),
            "keys": changed_keys(load_method(self.method_file, self.lever.overrides)),
            "seed": self.seed,
            "budget": asdict(self.budget),
            "code": self.code,
        }
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def changed_keys(method: MethodConfig) -> dict[str, Any]:
    """The method's keys that differ from their defaults, so that a new key at its default, which
    is the old behaviour, leaves finished runs as they are."""
    ours, defaults = dict(_flat(asdict(method))), dict(_flat(asdict(MethodConfig())))
    return {
        key: value
        for key, value in ours.items()
        if key not in UNCHANGING and (key not in defaults or value != defaults[key])
    }


def _flat(keys: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in keys.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def parse_lever(text: str) -> Lever:
    """``patches:training.losses.patch=0.5,model.sdf.x=[1, 2]``: a name and dotted keys.

    Values are YAML. A comma within brackets belongs to its value.

    Raises:
        InputError: the text has no name, or a part is no ``key=value``.
    """
    name, _, keys = text.partition(":")
    if not name or not keys:
        raise InputError(f"--lever {text}: write NAME:key=value,key=value")
    overrides: dict[str, Any] = {}
    for part in _parts(keys):
        key, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"--lever {text}: {part!r} is no key=value")
        inner = overrides
        *path, last = key.strip().split(".")
        for word in path:
            inner = inner.setdefault(word, {})
        inner[last] = yaml.safe_load(value)
    return Lever(name, overrides)


def _parts(keys: str) -> list[str]:
    """What commas outside of all brackets separate."""
    depth, parts = 0, [""]
    for letter in keys:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def model_version(checkout: Path) -> str:
    """``v1``: ``MODEL_VERSION`` of the workflow's rule, which says when models are out of date."""
    rule = checkout / "workflow" / "rules" / "train.smk"
    found = re.search(r"^MODEL_VERSION = (\d+)$", rule.read_text(), re.MULTILINE)
    if found is None:
        raise InputError(f"{rule} names no MODEL_VERSION: restore its line")
    return f"v{found.group(1)}"
