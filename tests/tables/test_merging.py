"""Results of several machines and meshes of others in one table, each row with its files."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from neus.errors import InputError
from neus.tables import FILES, collect_rows, found_runs, load_published, papers_sections, summaries
from neus.tables.long import results_table
from tests.helpers.measured_runs import MESH, TRAIN, write_run
from tests.helpers.places import ROOT
from tests.helpers.small_scenes import program

PUBLISHED = ROOT / "config" / "published" / "dtu.csv"


def write_given(root: Path, scan: str, chamfer: float, culling: str = "none") -> None:
    folder = root / scan / "meshes" / "pgsr"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "placed.json").write_text(json.dumps({"method": "PGSR, its mesh"}))
    mesh = MESH | {"chamfer": chamfer, "culling": culling, "mesh_sha256": 64 * "a"}
    (folder / f"mesh-{culling}.json").write_text(json.dumps(mesh))


@pytest.fixture
def machines(tmp_path: Path) -> list[Path]:
    """A laptop and a server: one scan each, one that both did, and a mesh of others."""
    laptop, server = tmp_path / "laptop", tmp_path / "server"
    write_run(laptop, "scan24", "neus", 0, train=TRAIN | {"budget": "laptop", "commit": "abc"})
    write_run(server, "scan65", "neus", 0, train=TRAIN | {"budget": "laptop", "commit": "abd"})
    write_run(server, "scan24", "neus", 0, mesh=MESH | {"chamfer": 0.4})
    shutil.copytree(laptop / "scan24" / "neus", laptop / "scan24" / "also")
    write_given(server, "scan24", 0.3)
    write_given(server, "scan65", 0.2)
    return [laptop, server]


def test_scans_add_up_and_budgets_stand_apart(machines: list[Path]) -> None:
    rows = collect_rows(found_runs(machines))
    assert len(rows) == 6
    means = summaries(rows)
    of_laptop = means[(means["method"] == "neus") & (means["budget"] == "laptop")]
    assert of_laptop["chamfer"].tolist() == [0.7], "of both machines"
    given = means[means["origin"] == "given"]
    assert given["chamfer"].tolist() == [0.25]


def test_each_row_says_where_it_comes_from(machines: list[Path]) -> None:
    rows = collect_rows(found_runs(machines))
    row = rows[(rows["scan"] == "scan65") & (rows["method"] == "neus")].iloc[0]
    assert (row["commit"], row["device"]) == ("abd", "RTX_3090")
    for name in ("views", "train"):
        content = (machines[1] / "scan65" / "neus" / "seed0" / f"{name}.json").read_bytes()
        assert row[f"{name}_json"] == hashlib.sha256(content).hexdigest()[:12]
    given = rows[rows["origin"] == "given"].iloc[0]
    assert given["mesh_sha256"] == 12 * "a"
    assert pd.isna(given["seed"])
    table = results_table(rows, FILES)
    assert {"commit", "device", "mesh.json", "train.json"} <= set(table.headings)


def test_a_copied_run_counts_once_and_another_one_is_refused(machines: list[Path]) -> None:
    shutil.copytree(machines[0] / "scan24" / "neus", machines[1] / "copy" / "neus")
    (machines[1] / "copy").rename(machines[1] / "scan24-moved")
    third = machines[0].with_name("third")
    shutil.copytree(machines[1], third)
    assert len(found_runs([*machines, third])) == len(found_runs(machines))
    file = third / "scan65" / "neus" / "seed0" / "mesh-none.json"
    file.write_text(json.dumps(MESH | {"chamfer": 9.0}))
    with pytest.raises(InputError, match="scan scan65, method neus, seed 0") as caught:
        collect_rows(found_runs([*machines, third]))
    assert str(file) in str(caught.value)


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished run"):
        found_runs([tmp_path])


def test_given_meshes_and_budgets_stand_apart_in_the_papers_layout(machines: list[Path]) -> None:
    rows = collect_rows(found_runs(machines))
    sections = {s.title: s.table for s in papers_sections(rows, load_published(PUBLISHED))}
    table = sections["Chamfer distance, mm"]
    methods = [row[0].text for row in table.rows]
    assert {"PGSR (no ICP)", "PGSR, its mesh (given)"} <= set(methods)
    assert {"neus laptop (ours)", "neus card (ours)"} <= set(methods)
    assert any(note.startswith("Given: ") for note in table.notes)


def test_the_program_merges_folders(
    machines: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markdown = tmp_path / "table.md"
    words = [*map(str, machines), "--markdown", str(markdown), "--csv", str(tmp_path / "t.csv")]
    assert program("results_table")(words) == 0
    assert "## Where the figures come from" in markdown.read_text()
    assert len(pd.read_csv(tmp_path / "t.csv").query("scan != 'mean'")) == 6
    printed = capsys.readouterr().out
    assert "laptop" in printed
    assert "card" in printed
