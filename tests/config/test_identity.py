"""What tells methods apart: every key, but newer ones only where they are used."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import pytest

from neus.config import identity, identity_as_yaml, load_method, method_as_yaml
from neus.config.identity import NEWER
from tests.helpers.places import ROOT

OF_289DC8F = {
    "nerf-blender": "f94a6ac325b8f6c2",
    "nerf-colmap": "bd68e2a83344b93f",
    "neuralangelo-dtu-wmask": "3a0b63ff09c85ee2",
    "neus-blender": "9db02b46127e2bc9",
    "neus-bmvs": "0950ffb50cbda8bf",
    "neus-colmap": "2115da6de69a8280",
    "neus-dtu-wmask": "0950ffb50cbda8bf",
    "neus-dtu": "26992822f7db925d",
    "neus-mask-colour": "a45055cb7c93cfa3",
    "neus-colour": "2883c69ef6a0b323",
}
"""The fingerprints that commit 289dc8f wrote into the workflow's records, of methods that do what
they did then: `neus-mask-colour` is `neus-mask` of that time, `neus-colour` is `neus`. A finished
scan of one of them must not be trained again."""


@pytest.mark.parametrize("name", OF_289DC8F)
def test_an_update_leaves_finished_trainings_as_they_are(name: str):
    method = load_method(ROOT / "config" / "methods" / f"{name}.yaml")
    digest = hashlib.sha256(identity_as_yaml(method).encode()).hexdigest()
    assert digest[:16] == OF_289DC8F[name]


def test_a_newer_key_counts_where_it_is_used():
    plain = load_method()
    points = load_method(None, {"training": {"losses": {"surface": 0.5}}})
    assert "surface" in method_as_yaml(plain)
    assert "surface" not in identity(plain)["training"]["losses"]
    assert identity(points)["training"]["losses"]["surface"] == 0.5
    assert "stereo_points" not in identity(points)["training"]


@dataclass(frozen=True)
class Inner:
    old: int = 1
    new: float = field(default=2.0, metadata=NEWER)


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    several: list[Inner] = field(default_factory=list)


def test_groups_and_lists_of_groups_are_looked_into():
    plain = Outer(several=[Inner(), Inner(new=3.0)])
    assert identity(plain) == {"inner": {"old": 1}, "several": [{"old": 1}, {"old": 1, "new": 3.0}]}
    changed = replace(plain, inner=Inner(new=0.0))
    assert identity(changed)["inner"] == {"old": 1, "new": 0.0}
