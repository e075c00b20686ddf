"""Draw the floors of `neus`: which room stands on which, from the imports themselves.

    python docs/draw_floors.py            writes docs/images/floors.svg
    python docs/draw_floors.py --check    says what no longer fits, with status 1

The table of rooms in docs/architecture.md says which floor a room is on. Lines are imports,
without those that follow from others.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

Imports = dict[str, set[str]]
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
DRAWING = ROOT / "docs" / "images" / "floors.svg"
PACKAGE = "neus"
ROW = re.compile(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", re.MULTILINE)
WIDTH, STOREY, BOX = 860, 92, 34


def floors_of(page: str) -> dict[str, int]:
    """The floor of each room, by the rows `| floor | room | what lives there |` of a page."""
    return {room: int(floor) for floor, room, _ in ROW.findall(page)}


def imports_of_rooms(package: Path) -> Imports:
    """For each room of a package, the rooms that its files import, for type checking too.

    A room is a folder of the package or a file that lies loose in it; the package's own
    ``__init__`` is none.
    """
    imports: Imports = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        if parts == ("__init__",):
            continue
        imported = imports.setdefault(parts[0], set())
        for statement in ast.walk(ast.parse(file.read_text())):
            imported |= {name.split(".")[1] for name in _modules(statement, package.name)}
        imported.discard(parts[0])
    return imports


def _modules(statement: ast.AST, package: str) -> list[str]:
    """The modules below a package that a statement imports, by their full names."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and statement.module == package:
        names = [f"{package}.{alias.name}" for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and statement.module:
        names = [statement.module]
    else:
        names = []
    return [name for name in names if name.startswith(f"{package}.")]


def what_does_not_fit(imports: Imports, floors: dict[str, int]) -> list[str]:
    """A sentence for each room without a floor, floor without a room, and import that leads up."""
    sentences = [f"{room} has no row in {PAGE.name}" for room in sorted(imports.keys() - floors)]
    sentences += [f"there is no room {room}" for room in sorted(floors.keys() - imports)]
    for room, below in sorted(imports.items()):
        sentences += [
            f"{room} (floor {floors[room]}) imports {other} (floor {floors[other]})"
            for other in sorted(below)
            if room in floors and other in floors and floors[other] >= floors[room]
        ]
    return sentences


def without_shortcuts(imports: Imports) -> Imports:
    """The imports that do not follow from others: the transitive reduction."""

    def reached(room: str) -> set[str]:
        below = imports.get(room, set())
        return below.union(*map(reached, below))

    return {
        room: {other for other in below if not any(other in reached(via) for via in below)}
        for room, below in imports.items()
    }


def drawing(imports: Imports, floors: dict[str, int]) -> str:
    """An SVG picture, the highest floor on top."""
    top = max(floors.values())
    centre, width = {}, {}
    for floor in range(top + 1):
        rooms = [room for room in floors if floors[room] == floor]
        for i, room in enumerate(rooms):
            x = WIDTH * (i + 1) / (len(rooms) + 1)
            centre[room] = x, 30 + STOREY * (top - floor) + BOX / 2
            width[room] = 26 + 9 * len(room)
    height = 60 + STOREY * top + BOX
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="ui-monospace, monospace" font-size="15">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fdfcf8"/>',
    ]
    for room, below in sorted(without_shortcuts(imports).items()):
        for other in sorted(below):
            (x, y), (u, v) = centre[room], centre[other]
            y, v = y + BOX / 2, v - BOX / 2
            bend = (v - y) / 2
            lines.append(
                f'<path d="M{x:.0f},{y:.0f} C{x:.0f},{y + bend:.0f} {u:.0f},{v - bend:.0f} '
                f'{u:.0f},{v:.0f}" fill="none" stroke="#8a94a6" stroke-width="1.3"/>'
            )
    for room, (x, y) in centre.items():
        lines.append(
            f'<rect x="{x - width[room] / 2:.0f}" y="{y - BOX / 2:.0f}" width="{width[room]}" '
            f'height="{BOX}" rx="6" fill="#e8eef7" stroke="#3b5b8c"/>'
            f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" fill="#1d2b44">{room}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def main(arguments: list[str]) -> int:
    imports, floors = imports_of_rooms(ROOT / PACKAGE), floors_of(PAGE.read_text())
    sentences = what_does_not_fit(imports, floors)
    if not sentences:
        picture = drawing(imports, floors)
        if "--check" not in arguments:
            DRAWING.write_text(picture)
        elif DRAWING.read_text() != picture:
            sentences = [f"{DRAWING.relative_to(ROOT)} is out of date: python docs/draw_floors.py"]
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return bool(sentences)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
