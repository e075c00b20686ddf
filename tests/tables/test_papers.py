"""The papers' layout: published figures beside ours, ranks, means and deviations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neus.errors import InputError
from neus.tables import Cell, Run, Section, Table, collect_rows, load_published, papers_sections
from tests.helpers.measured_runs import MESH, TRAIN, VIEWS, write_run
from tests.helpers.places import ROOT

PUBLISHED = ROOT / "config" / "published" / "dtu.csv"


def test_published_means_follow_from_the_scans() -> None:
    """A slip of the pen in the committed file shows up here; papers round to 0.01."""
    published = load_published(PUBLISHED)
    assert len(published.scans) == 15
    for row in published.rows:
        mean = sum(row.values[scan] for scan in published.scans) / 15
        assert row.values["mean"] == pytest.approx(mean, abs=0.0125), row.method
        assert row.source


def dtu_runs(tmp_path: Path, chamfer: dict[tuple[str, int], float], **mesh: str) -> list[Run]:
    return [
        write_run(tmp_path, scan, "neus_hash", seed, mesh=MESH | {"chamfer": value} | mesh)
        for (scan, seed), value in chamfer.items()
    ]


def sections_of(runs: list[Run]) -> dict[str, Section]:
    found = papers_sections(collect_rows(runs), load_published(PUBLISHED))
    return {section.title: section for section in found}


def chamfer_table(runs: list[Run]) -> Table:
    return sections_of(runs)["Chamfer distance, mm"].table


def by_heading(table: Table, row: int) -> dict[str, Cell]:
    return dict(zip(table.headings, table.rows[row], strict=True))


def column(table: Table, heading: str) -> dict[str, Cell]:
    rows = [by_heading(table, row) for row in range(len(table.rows))]
    return {f"{row['method'].text} {row['culling'].text}".rstrip(): row[heading] for row in rows}


def test_papers_layout_with_one_scan_and_two_seeds(tmp_path: Path) -> None:
    published = load_published(PUBLISHED)
    table = chamfer_table(dtu_runs(tmp_path, {("scan65", 0): 0.40, ("scan65", 1): 0.44}))
    assert table.headings[:6] == ("method", "figures", "masks", "culling", "24", "37")
    assert table.headings[-3:] == ("mean", "minutes", "GPU")
    assert len(table.rows) == len(published.rows) + 1
    ours = by_heading(table, -1)
    assert [ours[name].text for name in ("method", "masks", "culling")] == [
        "neus_hash (ours)",
        "yes",
        "none",
    ]
    assert ours["65"] == Cell("0.42 ± 0.03", "best")
    assert (ours["24"].text, ours["mean"].text) == ("", "")
    assert (ours["minutes"].text, ours["GPU"].text) == ("10", "RTX_3090")
    marked = {name: cell for name, cell in column(table, "65").items() if cell.rank}
    assert marked.keys() == {"neus_hash (ours) none", "GeoSVR"}
    assert marked["GeoSVR"] == Cell("0.48", "second")
    minutes = {cell.text for cell in column(table, "minutes").values()}
    assert minutes == {"", "960", "840", "5", "10.9", "8.3", "30", "49", "10"}
    assert any("standard deviation" in note for note in table.notes)


def test_two_cullings_stand_side_by_side(tmp_path: Path) -> None:
    runs = dtu_runs(tmp_path, {("scan24", 0): 0.9}) + dtu_runs(
        tmp_path, {("scan24", 0): 0.8}, culling="neus"
    )
    found = column(chamfer_table(runs), "24")
    assert found["neus_hash (ours) none"].text == "0.90"
    assert found["neus_hash (ours) neus"].text == "0.80"
    psnr = sections_of(runs)["PSNR of held-out views, dB"].table
    assert len(psnr.rows) == 1
    assert "culling" not in psnr.headings


def test_what_is_published_what_was_run_here_and_what_was_measured_here_stand_apart(
    tmp_path: Path,
) -> None:
    """A program of others under the name of a published row is another row."""
    of_others = TRAIN | {"origin": "run here", "budget": None}
    runs = [
        *dtu_runs(tmp_path, {("scan24", 0): 0.9}),
        write_run(tmp_path, "scan24", "PGSR (no ICP)", 0, train=of_others),
    ]
    mesh = write_run(tmp_path, "scan24", "given", 0).mesh
    runs.append(Run("scan24", "Theirs", None, mesh=mesh, placed=tmp_path / "placed.json"))
    table = chamfer_table(runs)
    rows = [by_heading(table, row) for row in range(len(table.rows))]
    figures = {row["method"].text: row["figures"].text for row in rows}
    assert figures["PGSR (no ICP)"] == "published"
    assert figures["PGSR (no ICP) (run here)"] == "run here"
    assert figures["neus_hash (ours)"] == "run here"
    assert figures["Theirs (given)"] == "measured here"
    assert any(note.startswith("Run here: a program of others") for note in table.notes)
    assert any(note.startswith("Ours, and what was run here, learnt") for note in table.notes)


def test_ties_as_shown_share_their_rank(tmp_path: Path) -> None:
    found = column(chamfer_table(dtu_runs(tmp_path, {("scan24", 0): 0.324})), "24")
    assert found["GeoSVR"] == Cell("0.32", "best")
    assert found["neus_hash (ours) none"] == Cell("0.32", "best")
    assert found["PGSR (no ICP)"] == Cell("0.36", "second")
    assert [cell.rank for cell in found.values()].count("second") == 1


def test_our_mean_stands_when_every_scan_was_run(tmp_path: Path) -> None:
    scans = load_published(PUBLISHED).scans
    figures = {(scan, 0): 0.5 + i / 100 for i, scan in enumerate(scans)}
    table = chamfer_table(dtu_runs(tmp_path, figures))
    assert by_heading(table, -1)["mean"].text == "0.57"
    assert not any("standard deviation" in note for note in table.notes)


def test_rows_from_memory_carry_a_dagger(tmp_path: Path) -> None:
    table = chamfer_table(dtu_runs(tmp_path, {("scan24", 0): 1.0}))
    daggers = [row[0].text for row in table.rows if row[0].text.endswith("†")]
    assert daggers == ["NeuS2†"]
    assert any(note.startswith("†") for note in table.notes)
    assert any(note.startswith("Sources.") for note in table.notes)


@pytest.mark.parametrize(
    ("scan", "mesh", "title"),
    [
        ("lego", MESH, "Chamfer distance, mm"),
        ("scan24", MESH | {"unit": "m"}, "Chamfer distance, m"),
        ("scan24", MESH | {"protocol": "mesh"}, "Chamfer distance, mm"),
    ],
)
def test_published_figures_stand_beside_their_like_alone(
    tmp_path: Path, scan: str, mesh: dict[str, Any], title: str
) -> None:
    table = sections_of([write_run(tmp_path, scan, "a", 0, mesh=mesh)])[title].table
    assert len(table.rows) == 1
    assert "mean" not in table.headings
    assert table.rows[0][3] == Cell("0.70"), "nothing to rank against"
    assert not any(note.startswith("Sources") for note in table.notes)


@pytest.mark.parametrize("mesh", [MESH | {"chamfer": None}, None])
def test_psnr_stands_without_chamfer(tmp_path: Path, mesh: dict[str, Any] | None) -> None:
    runs = [
        write_run(tmp_path, scan, method, 0, mesh=mesh, views=VIEWS | {"psnr": psnr} | background)
        for scan, method, psnr, background in [
            ("a", "x", 30.0, {}),
            ("b", "x", 20.0, {}),
            ("a", "y", 31.0, {"background": "as photographed", "psnr_train": None}),
        ]
    ]
    found = sections_of(runs)
    assert list(found) == ["PSNR of held-out views, dB", "PSNR of training views, dB"]
    held_out = found["PSNR of held-out views, dB"].table
    assert held_out.headings == ("method", "masks", "a", "b", "mean", "minutes", "GPU")
    assert [cell.text for cell in held_out.rows[0][2:5]] == ["30.00", "20.00", "25.00"]
    assert held_out.rows[1][2] == Cell("31.00", "best")
    assert held_out.rows[1][4] == Cell("")
    assert any("x: white; y: as photographed" in note for note in held_out.notes)
    train = found["PSNR of training views, dB"].table
    assert [row[0].text for row in train.rows] == ["x (ours)"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("method,masks", "name,masks", "lacks the columns method"),
        (",yes\n", ",maybe\n", "read of COLMAP"),
        ("2.05", "two", "COLMAP .* no number"),
    ],
)
def test_bad_published_files_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "published.csv"
    path.write_text(PUBLISHED.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=message) as caught:
        load_published(path)
    assert "published.csv" in str(caught.value)
