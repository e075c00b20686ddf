"""The pages name keys, options and files that exist."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from neus.config import MethodConfig, load_method
from tests.helpers.places import ROOT

PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "config" / "README.md"]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())


def of_page(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def default_method() -> MethodConfig:
    return load_method()


def is_key(name: str) -> bool:
    """Whether ``model.sdf.width``, say, is a key of methods, or a group of them."""
    found: Any = default_method()
    for part in name.split("."):
        if not (is_dataclass(found) and hasattr(found, part)):
            return False
        found = getattr(found, part)
    return True


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_keys_of_methods_exist(page: Path):
    """In tables, the first column holds what others call them."""
    lines = [re.sub(r"^\|[^|]*\|", "", line) for line in page.read_text().splitlines()]
    if page.stem != "coming-from-instant-nsr-pl":
        lines = page.read_text().splitlines()
    names = re.findall(r"`((?:model|training)(?:\.\w+)+)", "\n".join(lines))
    assert [name for name in names if name != "model.pt" and not is_key(name)] == []


def test_every_key_of_the_workflow_stands_in_its_page():
    page = (ROOT / "config" / "README.md").read_text()
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", page))))
    groups = [SCHEMA, *SCHEMA["properties"].values(), *SCHEMA["$defs"].values()]
    keys = {key for group in groups for key in group.get("properties", {})}
    assert sorted(keys - named) == []


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_programs_have_the_options_that_are_named(page: Path):
    for name, words in re.findall(r"scripts/(\w+)\.py((?:[^`\n]|\\\n)*)", page.read_text()):
        program = (ROOT / "scripts" / f"{name}.py").read_text()
        for option in re.findall(r"--[a-z][a-z-]*", words):
            assert f'"{option}"' in program, (name, option)


@pytest.mark.parametrize("page", PAGES, ids=of_page)
def test_links_between_files_lead_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
