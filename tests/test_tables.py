"""Results table: rows from files, means, formats, and the papers' layout."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from neus.errors import InputError
from neus.tables import (
    Cell,
    Run,
    Table,
    benchmark_table,
    collect_rows,
    load_published,
    results_table,
    to_latex,
    to_markdown,
    to_text,
    write_csv,
)
from neus.tables.formats import significant
from neus.tables.rows import COLUMNS

PUBLISHED = Path(__file__).parents[1] / "config" / "published" / "dtu.csv"

VIEWS = {
    "psnr": 30.25,
    "psnr_masked": 27.0,
    "ssim": 0.91,
    "mask_iou": 0.98,
    "background": "white",
    "views": [{"name": "000000", "psnr": 30.25}],
    "images_train": 42,
    "images_test": 7,
}
MESH = {
    "accuracy": 0.6,
    "completeness": 0.8,
    "chamfer": 0.7,
    "fscore": None,
    "fscore_threshold": None,
    "normal_consistency": None,
    "unit": "mm",
    "diameter": 500.0,
    "protocol": "dtu",
    "reason": None,
}
TRAIN = {
    "steps": 20000,
    "train_seconds": 600.0,
    "samples_per_second": 1.5e6,
    "rays_per_second": 2e5,
    "peak_memory_gib": 3.25,
    "device": "RTX_3090",
    "seed": 0,
}


def write_run(
    root: Path,
    scan: str,
    method: str,
    seed: int,
    views: dict[str, Any] | None = VIEWS,
    mesh: dict[str, Any] | None = MESH,
    train: dict[str, Any] | None = TRAIN,
) -> Path:
    folder = root / scan / method / f"seed{seed}"
    folder.mkdir(parents=True)
    for name, content in (("views", views), ("mesh", mesh), ("train", train)):
        if content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def of_scan(rows: pd.DataFrame, scan: str) -> dict[str, Any]:
    (found,) = [row for row in rows.to_dict("records") if row["scan"] == scan]
    return {str(name): value for name, value in found.items()}


def test_rows_hold_the_figures_of_all_three_files(tmp_path: Path) -> None:
    rows = collect_rows([write_run(tmp_path, "scan24", "neus_hash", 3)])
    assert list(rows.columns) == list(COLUMNS)
    assert list(rows["scan"]) == ["scan24", "mean"]
    row = of_scan(rows, "scan24")
    assert (row["method"], row["seed"]) == ("neus_hash", 3)
    for content, absent in ((VIEWS, {"background", "views"}), (TRAIN, {"rays_per_second", "seed"})):
        for name in content.keys() - absent:
            assert row[name] == content[name]
    assert [row[name] for name in ("accuracy", "chamfer", "unit")] == [0.6, 0.7, "mm"]
    assert math.isnan(row["fscore"])


def test_files_may_be_named_instead_of_a_folder(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a", "b", 0)
    run = Run("lego", "nerf", 5, views=folder / "views.json")
    row = of_scan(collect_rows([run]), "lego")
    assert (row["method"], row["seed"], row["psnr"]) == ("nerf", 5, 30.25)
    assert pd.isna(row["chamfer"])
    assert pd.isna(row["steps"])


def test_means_per_method_over_scans_and_seeds(tmp_path: Path) -> None:
    rows = collect_rows(
        [
            write_run(tmp_path, "scan24", "a", 0, mesh=MESH | {"chamfer": 0.5}),
            write_run(tmp_path, "scan24", "a", 1, mesh=MESH | {"chamfer": 0.7}),
            write_run(tmp_path, "scan37", "a", 0, mesh=MESH | {"chamfer": 1.5}),
            write_run(tmp_path, "scan24", "b", 0, views=VIEWS | {"psnr": 20.0}),
        ]
    )
    means = rows[rows["scan"] == "mean"].set_index("method")
    assert list(means.index) == ["a", "b"]
    assert means["chamfer"].tolist() == pytest.approx([0.9, 0.7])
    assert means["psnr"].tolist() == pytest.approx([30.25, 20.0])
    assert means["unit"].tolist() == ["mm", "mm"]
    assert means["device"].tolist() == ["RTX_3090", "RTX_3090"]
    assert bool(means["seed"].isna().all())


@pytest.mark.parametrize("other", [MESH | {"unit": "m"}, MESH | {"protocol": "mesh"}, None])
def test_distances_of_unlike_runs_are_not_averaged(
    tmp_path: Path, other: dict[str, Any] | None
) -> None:
    runs = [write_run(tmp_path, "scan24", "a", 0), write_run(tmp_path, "b", "a", 0, mesh=other)]
    mean = of_scan(collect_rows(runs), "mean")
    for name in ("accuracy", "completeness", "chamfer", "unit", "protocol"):
        assert pd.isna(mean[name])
    assert mean["psnr"] == 30.25


def test_a_mean_needs_the_figure_of_every_run(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, "a", "m", 0),
        write_run(tmp_path, "b", "m", 0, views=VIEWS | {"psnr_masked": None, "ssim": math.nan}),
    ]
    mean = of_scan(collect_rows(runs), "mean")
    assert pd.isna(mean["psnr_masked"])
    assert pd.isna(mean["ssim"])
    assert mean["mask_iou"] == 0.98


def test_csv_has_empty_cells_and_whole_numbers(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "a", "m", 0, mesh=None), write_run(tmp_path, "b", "m", 0)]
    write_csv(collect_rows(runs), tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        first, second, mean = csv.DictReader(file)
    assert (first["chamfer"], second["chamfer"], mean["chamfer"]) == ("", "0.7", "")
    assert (first["steps"], first["seed"], first["images_train"]) == ("20000", "0", "42")
    assert (mean["scan"], mean["seed"], mean["steps"]) == ("mean", "", "20000")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["table.csv"]


def test_results_table_shows_sensible_digits_and_no_empty_columns(tmp_path: Path) -> None:
    table = results_table(collect_rows([write_run(tmp_path, "scan24", "a", 0)]))
    first = dict(zip(table.headings, (cell.text for cell in table.rows[0]), strict=True))
    assert first == {
        "scan": "scan24",
        "method": "a",
        "seed": "0",
        "PSNR": "30.25",
        "PSNR in mask": "27.00",
        "SSIM": "0.910",
        "mask IoU": "0.980",
        "accuracy": "0.600",
        "completeness": "0.800",
        "Chamfer": "0.700",
        "unit": "mm",
        "protocol": "dtu",
        "seconds": "600",
        "steps": "20000",
        "samples/s": "1,500,000",
        "GiB": "3.25",
        "device": "RTX_3090",
        "trained on": "42",
        "held out": "7",
    }
    assert len(table.alignments) == len(table.headings)


def test_significant_digits() -> None:
    assert significant(0.71249, 3) == "0.712"
    assert significant(0.7, 3) == "0.700"
    assert significant(9.999, 3) == "10.0"
    assert significant(0.00012345, 3) == "0.000123"
    assert significant(12345.6, 3) == "12346"
    assert significant(0.0, 3) == "0.00"
    assert significant(-1.5, 2) == "-1.5"


SMALL = Table(
    headings=("a_b", "x|y"),
    alignments="lr",
    rows=((Cell("n±1†"), Cell("0.5", "best")), (Cell("50 %"), Cell("12.25", "second"))),
    notes=("A note_1.",),
)


def test_markdown() -> None:
    assert to_markdown(SMALL) == (
        "| a_b | x\\|y |\n| :-- | --: |\n| n±1† | **0.5** |\n| 50 % | <u>12.25</u> |\n\nA note_1.\n"
    )


def test_latex_escapes_and_uses_booktabs() -> None:
    assert to_latex(SMALL).splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"a\_b & x|y \\",
        r"\midrule",
        r"n$\pm$1$^\dagger$ & \textbf{0.5} \\",
        r"50 \% & \underline{12.25} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par{\footnotesize A note\_1.}",
    ]


def test_text_is_aligned() -> None:
    assert to_text(SMALL).splitlines() == [
        "a_b       x|y",
        "-------------",
        "n±1†     0.5*",
        "50 %   12.25+",
        "A note_1.",
    ]


def test_published_means_follow_from_the_scans() -> None:
    """A slip of the pen in the committed file shows up here; papers round to 0.01."""
    published = load_published(PUBLISHED)
    assert len(published.scans) == 15
    for row in published.rows:
        mean = sum(row.values[scan] for scan in published.scans) / 15
        assert row.values["mean"] == pytest.approx(mean, abs=0.0125), row.method
        assert row.source


def dtu_rows(tmp_path: Path, chamfer: dict[tuple[str, int], float]) -> pd.DataFrame:
    return collect_rows(
        [
            write_run(tmp_path, scan, "neus_hash", seed, mesh=MESH | {"chamfer": value})
            for (scan, seed), value in chamfer.items()
        ]
    )


def by_heading(table: Table, row: int) -> dict[str, Cell]:
    return dict(zip(table.headings, table.rows[row], strict=True))


def test_papers_layout_with_one_scan_and_two_seeds(tmp_path: Path) -> None:
    published = load_published(PUBLISHED)
    rows = dtu_rows(tmp_path, {("scan65", 0): 0.40, ("scan65", 1): 0.44})
    table = benchmark_table(rows, published, {"neus_hash": True})
    assert table is not None
    assert table.headings[:4] == ("method", "masks", "24", "37")
    assert table.headings[-3:] == ("mean", "minutes", "GPU")
    assert len(table.rows) == len(published.rows) + 1
    ours = by_heading(table, -1)
    assert ours["method"].text == "neus_hash (ours)"
    assert ours["masks"].text == "yes"
    assert ours["65"] == Cell("0.42 ± 0.03", "best")
    assert (ours["24"].text, ours["mean"].text) == ("", "")
    assert (ours["minutes"].text, ours["GPU"].text) == ("10", "RTX_3090")
    marked = [row for row in range(len(table.rows)) if by_heading(table, row)["65"].rank]
    assert {by_heading(table, row)["method"].text for row in marked} == {
        "neus_hash (ours)",
        "GeoSVR",
    }
    assert by_heading(table, marked[0])["65"] == Cell("0.48", "second")
    minutes = {by_heading(table, row)["minutes"].text for row in range(len(published.rows))}
    assert minutes == {"", "960", "840", "5", "10.9", "8.3", "30", "49"}
    assert any("standard deviation" in note for note in table.notes)


def test_ties_as_shown_share_their_rank(tmp_path: Path) -> None:
    table = benchmark_table(
        dtu_rows(tmp_path, {("scan24", 0): 0.324}), load_published(PUBLISHED), {}
    )
    assert table is not None
    column = {
        by_heading(table, row)["method"].text: by_heading(table, row)["24"]
        for row in range(len(table.rows))
    }
    assert column["GeoSVR"] == Cell("0.32", "best")
    assert column["neus_hash (ours)"] == Cell("0.32", "best")
    assert column["PGSR (no ICP)"] == Cell("0.36", "second")
    assert [cell.rank for cell in column.values()].count("second") == 1


def test_our_mean_stands_when_every_scan_was_run(tmp_path: Path) -> None:
    published = load_published(PUBLISHED)
    figures = {(scan, 0): 0.5 + i / 100 for i, scan in enumerate(published.scans)}
    table = benchmark_table(dtu_rows(tmp_path, figures), published, {})
    assert table is not None
    ours = by_heading(table, -1)
    assert ours["mean"].text == "0.57"
    assert ours["masks"].text == ""
    assert not any("standard deviation" in note for note in table.notes)


def test_rows_from_memory_carry_a_dagger(tmp_path: Path) -> None:
    table = benchmark_table(dtu_rows(tmp_path, {("scan24", 0): 1.0}), load_published(PUBLISHED), {})
    assert table is not None
    daggers = [row[0].text for row in table.rows if row[0].text.endswith("†")]
    assert daggers == ["NeuS2†"]
    assert any(note.startswith("†") for note in table.notes)


@pytest.mark.parametrize(
    ("scan", "mesh"),
    [
        ("lego", MESH),
        ("scan24", MESH | {"unit": "m"}),
        ("scan24", MESH | {"protocol": "mesh"}),
        ("scan24", MESH | {"chamfer": None}),
        ("scan24", None),
    ],
)
def test_no_papers_layout_without_dtu_figures(
    tmp_path: Path, scan: str, mesh: dict[str, Any] | None
) -> None:
    rows = collect_rows([write_run(tmp_path, scan, "a", 0, mesh=mesh)])
    assert benchmark_table(rows, load_published(PUBLISHED), {}) is None


def test_bad_runs_are_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a", "m", 0)
    with pytest.raises(InputError, match="at least one"):
        collect_rows([])
    with pytest.raises(InputError, match="given twice"):
        collect_rows([folder, folder])
    with pytest.raises(InputError, match="seedN"):
        collect_rows([folder.parent])
    with pytest.raises(InputError, match="may be called 'mean'"):
        collect_rows([Run("mean", "m", 0)])
    with pytest.raises(InputError, match=r"absent\.json"):
        collect_rows([Run("a", "m", 0, mesh=tmp_path / "absent.json")])


@pytest.mark.parametrize("content", ["{", "[1]", '{"psnr": "high"}', '{"psnr": true}'])
def test_bad_files_are_named(tmp_path: Path, content: str) -> None:
    folder = write_run(tmp_path, "a", "m", 0)
    (folder / "views.json").write_text(content)
    with pytest.raises(InputError, match=r"views\.json"):
        collect_rows([folder])


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
