"""environment.yml has what something here imports or runs, in versions that belong together."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

from tests.helpers.places import ROOT

MODULES = {"pytorch": "torch", "tiny-cuda-nn": "tinycudann"}
"""Names that packages are imported by, where they have another."""
INTERPRETER = {"python", "pip"}
CHOOSES = {"cuda-version": "pytorch"}
"""A package that holds nothing and chooses the build of another one."""
BROUGHT = {"pytorch": {"torch", "triton"}, "pycolmap": {"pycolmap"}}
"""What conda brings by the names of PyPI, where constraints.txt names it."""


def dependencies() -> tuple[dict[str, str], list[str]]:
    """The packages of conda with what is asked of their versions, and the lines for pip."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    words = [word for word in listed if isinstance(word, str)]
    found = [re.fullmatch(r"([a-z0-9-]+)(.*)", word) for word in words]
    packages = {match[1]: match[2] for match in found if match}
    assert len(packages) == len(words)
    (of_pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    return packages, of_pip


@cache
def imported() -> set[str]:
    """Top modules that our code imports, by a statement or by ``import_module("name")``."""
    names: set[str] = set()
    for file in [*(ROOT / "neus").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                names |= {arg.value.split(".")[0] for arg in node.args if is_text(arg)}  # pyright: ignore
    return names


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def without_comments(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def test_each_package_of_conda_is_imported() -> None:
    packages, _ = dependencies()
    used = {name for name in packages if MODULES.get(name, name) in imported()}
    assert set(packages) - used == INTERPRETER | set(CHOOSES)
    assert set(CHOOSES.values()) <= used


def test_what_is_built_for_one_pytorch_is_pinned() -> None:
    packages, _ = dependencies()
    for name in ("python", "pytorch", "cuda-version", "tiny-cuda-nn", "nerfacc"):
        assert re.match(r"=\d", packages[name]), name


def test_all_else_has_the_versions_that_the_tests_passed_with() -> None:
    packages, of_pip = dependencies()
    assert of_pip == ["--constraint constraints-conda.txt", "--editable .[slurm]"]
    brought = set().union(*(BROUGHT.get(name, {name}) for name in packages))
    kept = [
        line
        for line in without_comments(ROOT / "constraints.txt")
        if line.split("==")[0] not in brought
    ]
    assert without_comments(ROOT / "constraints-conda.txt") == kept
    assert {"torch", "triton", "pycolmap"} == {
        line.split("==")[0] for line in set(without_comments(ROOT / "constraints.txt")) - set(kept)
    }


def test_the_program_of_snakemake_finds_the_logger_from_anywhere(tmp_path: Path):
    """As `make demo` starts it, whose first entry of ``sys.path`` is not the checkout."""
    program = Path(sys.executable).with_name("snakemake")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    said = subprocess.run(
        [program, "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert re.search(r"--logger \{.*\bneus\b.*\}", said.stdout), said.stderr
