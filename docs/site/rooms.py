"""A page for each room of `neus`, of what its `__init__` offers, written before a build."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from docs.draw_floors import ROW

SAME = ("cpu", "cuda", "tcnn")
"""Backends of operators: they have the functions of the reference."""
MODULE = """
```{{eval-rst}}
.. automodule:: {name}
   :members:
```
"""


def write_rooms(root: Path) -> None:
    """Write docs/api/ROOM.md for each room in the table of floors, the highest first."""
    folder = root / "docs" / "api"
    folder.mkdir(exist_ok=True)
    rooms = [room for _, room, _ in ROW.findall((root / "docs" / "architecture.md").read_text())]
    for page in folder.glob("*.md"):
        if page.stem not in rooms:
            page.unlink()
    for room in rooms:
        page, text = folder / f"{room}.md", page_of(root / "neus", room)
        if not page.is_file() or page.read_text() != text:
            page.write_text(text)


def page_of(package: Path, room: str) -> str:
    """The room's prose and exports, then the modules that its prose names."""
    name = f"{package.name}.{room}"
    sections = [f"# `{name}`", MODULE.format(name=name)]
    for module in named_modules(package / room):
        sections += [f"## `{module}`", MODULE.format(name=f"{name}.{module}")]
    return "\n".join(sections)


def named_modules(room: Path) -> list[str]:
    if not room.is_dir():
        return []
    prose = ast.get_docstring(ast.parse((room / "__init__.py").read_text())) or ""
    names = dict.fromkeys(re.findall(r"``(\w+)``", prose))
    found = [n for n in names if (room / f"{n}.py").is_file() or (room / n).is_dir()]
    return [name for name in found if name not in SAME]
