"""The rooms of `neus`: each imports from lower floors only, and takes what the other one offers."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from docs.draw_floors import (
    PACKAGE,
    PAGE,
    floors_of,
    imports_of_rooms,
    main,
    what_does_not_fit,
    without_shortcuts,
)
from tests.helpers.places import ROOT

ROOMS = sorted(path.parent for path in (ROOT / PACKAGE).glob("*/__init__.py"))


def test_no_import_leads_up_and_the_picture_is_of_today(capsys):
    status = main(["--check"])
    assert status == 0, capsys.readouterr().err


def test_an_import_that_leads_up_or_sideways_is_seen(tmp_path: Path):
    package = tmp_path / PACKAGE
    for room, line in {
        "errors": "",
        "scene": "from neus.errors import InputError\nimport neus.training.run",
        "training": "from neus import scene, config",
        "config": "def f():\n    from neus.training.rays import PixelPool",
    }.items():
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text(line)
    imports = imports_of_rooms(package)
    assert imports["training"] == {"scene", "config"}
    floors = {"errors": 0, "scene": 1, "config": 2, "training": 2, "cellar": 0}
    assert what_does_not_fit(imports, floors) == [
        "there is no room cellar",
        "config (floor 2) imports training (floor 2)",
        "scene (floor 1) imports training (floor 2)",
        "training (floor 2) imports config (floor 2)",
    ]
    del floors["scene"]
    assert "scene has no row in architecture.md" in what_does_not_fit(imports, floors)


def test_the_picture_leaves_out_what_follows():
    imports = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": set()}
    assert without_shortcuts(imports) == {"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": set()}


def test_what_lies_loose_is_what_everybody_uses():
    loose = {path.stem for path in (ROOT / PACKAGE).glob("*.py")}
    assert loose == {"__init__", "cli", "devices", "errors"}
    assert all(file.parent != ROOT / "tests" for file in (ROOT / "tests").rglob("test_*.py"))


def test_every_folder_of_tests_is_one_of_the_house_and_holds_twelve_modules_at_most():
    for folder in {file.parent for file in (ROOT / "tests").rglob("test_*.py")}:
        assert len(list(folder.glob("test_*.py"))) <= 12, folder
        name = folder.relative_to(ROOT / "tests")
        assert name == Path("house") or any(
            (above / name).is_dir() for above in (ROOT / PACKAGE, ROOT)
        ), name


def door(room: Path) -> tuple[str, set[str]]:
    """The docstring of a room and the names that it exports."""
    tree = ast.parse((room / "__init__.py").read_text())
    exported: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            exported |= set(ast.literal_eval(statement.value))
    return ast.get_docstring(tree) or "", exported


def named_modules(room: Path) -> set[str]:
    """Those that its docstring ``names``."""
    named = re.findall(r"``(\w+)``", door(room)[0])
    return {name for name in named if (room / f"{name}.py").exists() or (room / name).is_dir()}


@cache
def taken() -> dict[str, set[str]]:
    """What others take from each room: names, or the first module below it."""
    names: dict[str, set[str]] = {room.name: set() for room in ROOMS}
    programs = [*(ROOT / "scripts").glob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    for file in [*(ROOT / PACKAGE).rglob("*.py"), *programs, *(ROOT / "workflow").rglob("*.smk")]:
        lines = re.findall(r"^ *from neus\..+ import (?:\([^)]*\)|.+)$", file.read_text(), re.M)
        for statement in (ast.parse(line.strip()).body[0] for line in lines):
            assert isinstance(statement, ast.ImportFrom)
            _, room, *below = (statement.module or "").split(".")
            if room in names and not file.is_relative_to(ROOT / PACKAGE / room):
                names[room] |= set(below[:1]) or {alias.name for alias in statement.names}
    return names


def test_rooms_say_what_they_are_and_are_entered_by_the_door():
    for room in ROOMS:
        docstring, exported = door(room)
        assert len(docstring) > 100, room.name
        assert sorted(taken()[room.name] - exported - named_modules(room)) == [], room.name


def test_a_room_exports_no_more_than_is_taken():
    tests = "\n".join(file.read_text() for file in (ROOT / "tests").rglob("*.py"))
    tested = set(re.findall(r"\w+", tests))
    for room in ROOMS:
        assert door(room)[1] - taken()[room.name] - tested == set()


def test_the_floors_of_the_page_are_those_of_the_picture():
    floors = floors_of(PAGE.read_text())
    assert floors["errors"] == 0
    assert max(floors.values()) >= 6
    assert set(floors) == set(imports_of_rooms(ROOT / PACKAGE))
