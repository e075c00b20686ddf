"""What the documentation site is made of: keys with meanings, sentences that exist, fresh plots."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from docs.draw_plots import PICTURES
from docs.site import keys, pages, rooms
from docs.site.sentences import sentences
from neus.config import load_method
from tests.helpers.places import ROOT


def paths(config: object, path: str = "") -> list[str]:
    """Of all groups of keys below a dataclass."""
    inner = [(f.name, getattr(config, f.name)) for f in fields(config)]  # pyright: ignore
    nested = [(f"{path}.{name}".lstrip("."), v) for name, v in inner if is_dataclass(v)]
    return [path for path, _ in nested] + [p for path, v in nested for p in paths(v, path)]


def test_every_key_of_a_method_has_its_default_and_a_meaning() -> None:
    """``described`` refuses a key without a meaning, so that none can be missing here."""
    sections = keys.method_keys().split("## ")
    titles = [section.split("\n")[0].strip("`") for section in sections[1:]]
    assert set(paths(load_method())) <= set(titles)
    grid = next(s for s in sections if s.startswith("`model.outside.hash_grid`"))
    assert "| `levels` | `9` | Grids, each finer" in grid, "the default in this place"
    assert all(len(row.split(" | ")) == 3 for row in re.findall(r"^\|.*\|$", grid, re.MULTILINE))


def test_a_key_without_a_meaning_is_refused_by_its_name() -> None:
    @dataclass(frozen=True)
    class SomeConfig:
        """Of something.

        Attributes:
            first, second: numbers that stand
                for ``both``, see :data:`Schedule`.
        """

        first: int = 1
        second: int = 2

    prose, meanings = keys.described(SomeConfig)
    assert prose == "Of something."
    assert (
        meanings["first"]
        == meanings["second"]
        == ("Numbers that stand for `both`, see `Schedule`.")
    )

    @dataclass(frozen=True)
    class OtherConfig(SomeConfig):
        __doc__ = SomeConfig.__doc__
        third: int = 3

    with pytest.raises(LookupError, match=r"OtherConfig\.third"):
        keys.described(OtherConfig)


def test_every_key_of_the_workflow_is_in_a_table() -> None:
    text = keys.workflow_keys()
    schema = yaml.safe_load(keys.SCHEMA.read_text())

    def names(part: object) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(names, part))
        if not isinstance(part, dict):
            return set()
        own = {n for n, found in part.get("properties", {}).items() if "description" in found}
        return own.union(*map(names, part.values()))

    listed = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    alternatives = {"centre", "radius", "low", "high", "similarity", "cameras"}
    assert names(schema) - listed <= alternatives, "these stand in the meaning of their key"
    assert "## `scans[].demo`" in text
    assert "| `path` | `auto` | circular" in text


def test_sentences_of_the_page_of_troubles_are_said_by_the_code() -> None:
    """Words before and after an ellipsis, in one text of neus/ or scripts/."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text().split("## Snakemake")[0]
    quoted = re.findall(r"^\| `([^`]*)` \|", page, re.MULTILINE)
    assert len(quoted) > 25
    said = sentences(ROOT / "neus") + sentences(ROOT / "scripts")
    for quote in quoted:
        pattern = re.compile(re.escape(quote).replace("…", ".*"))
        assert any(pattern.search(text) for text in said), quote


def test_each_room_has_a_page_with_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "docs" / "api").mkdir(parents=True)
    (tmp_path / "docs" / "api" / "cellar.md").write_text("# of a room that is gone")
    (tmp_path / "docs" / "architecture.md").write_text("| 3 | `attic` | old things |\n")
    attic = tmp_path / "neus" / "attic"
    attic.mkdir(parents=True)
    (attic / "__init__.py").write_text('"""Old things: ``chests``, ``cuda`` and ``dust``."""')
    (attic / "chests.py").touch()
    (attic / "cuda").mkdir()
    rooms.write_rooms(tmp_path)
    assert [page.name for page in (tmp_path / "docs" / "api").iterdir()] == ["attic.md"]
    text = (tmp_path / "docs" / "api" / "attic.md").read_text()
    assert re.findall(r"automodule:: (\S+)", text) == ["neus.attic", "neus.attic.chests"]


def test_a_page_is_filled_and_leads_nowhere_that_the_site_has_not(tmp_path: Path) -> None:
    for name in ("index", "tutorial", "cluster", "benchmark"):
        (tmp_path / f"{name}.md").touch()
    (tmp_path / "code").mkdir()
    index = f"# Site\n\ntutorial\n{pages.OTHERS}\n[code](code), [start](tutorial.md#one)\n"
    filled = pages.filled(index, tmp_path)
    assert filled.split("\n")[2:] == [
        "tutorial",
        "benchmark",
        "cluster",
        "code, [start](tutorial.md#one)",
        "",
    ]
    assert "| `fps` | `30` |" in pages.filled("<!-- keys of the workflow -->", tmp_path)


def test_two_attributes_of_one_line_are_two() -> None:
    lines = [
        "Attributes:",
        "    low, high: corners",
        "        of a box.",
        "    size: its size, once.",
    ]
    assert pages.each_by_itself(lines) == [
        "Attributes:", "    high: as ``low``.", "    low: corners", "        of a box.",
        "    size: its size, once.",
    ]  # fmt: skip


def test_vectors_are_bold_letters_of_their_own() -> None:
    """Browsers leave ``mathvariant`` alone."""
    pytest.importorskip("latex2mathml", reason="pip install 'neus[docs]'")
    from docs.site.formulas import mathml

    assert "<mi>\N{MATHEMATICAL BOLD SMALL X}</mi>" in mathml(r"\mathbf x")
    assert "<mi>\N{MATHEMATICAL BOLD CAPITAL Z}</mi>" in mathml(r"\mathbf Z")


@pytest.mark.parametrize("name", PICTURES)
def test_plots_are_of_the_code_as_it_is(name: str) -> None:
    """Up to the last digit of a coordinate: `python -m docs.draw_plots` draws them anew."""
    drawn, kept = (
        re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.0f}", text)
        for text in (PICTURES[name](), (ROOT / "docs" / "images" / name).read_text())
    )
    assert drawn == kept
