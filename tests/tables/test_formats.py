"""Tables as Markdown, LaTeX and text, and all figures in rows."""

from __future__ import annotations

from pathlib import Path

from neus.tables import (
    MAIN,
    Cell,
    Table,
    collect_rows,
    results_table,
    to_latex,
    to_markdown,
    to_text,
)
from neus.tables.formats import significant
from tests.helpers.measured_runs import MESH, VIEWS, write_run


def test_results_table_shows_sensible_digits_and_no_empty_columns(tmp_path: Path) -> None:
    table = results_table(collect_rows([write_run(tmp_path, "scan24", "a", 0)]))
    first = dict(zip(table.headings, (cell.text for cell in table.rows[0]), strict=True))
    assert first == {
        "scan": "scan24",
        "method": "a",
        "seed": "0",
        "PSNR": "30.25",
        "PSNR train": "33.00",
        "PSNR in mask": "27.00",
        "SSIM": "0.910",
        "mask IoU": "0.980",
        "background": "white",
        "accuracy": "0.600",
        "completeness": "0.800",
        "Chamfer": "0.700",
        "unit": "mm",
        "protocol": "dtu",
        "seconds": "600",
        "steps": "20000",
        "samples/s": "1,500,000",
        "GiB": "3.25",
        "budget": "card",
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


def test_the_printed_table_fits_a_terminal(tmp_path: Path) -> None:
    mesh = MESH | {"unit": "BlendedMVS units", "fscore": 0.5, "culling": "neuralwarp"}
    runs = [write_run(tmp_path, "sculpture-photos", "neus-mask", 0, mesh=mesh)]
    table = results_table(collect_rows(runs), MAIN)
    assert "culling" in table.headings
    assert max(map(len, to_text(table).splitlines())) <= 120


def test_culling_is_a_column_only_where_something_was_culled(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "a", "m", 0)]
    assert "culling" not in results_table(collect_rows(runs)).headings
    runs.append(write_run(tmp_path, "b", "m", 0, views=VIEWS, mesh=MESH | {"culling": "neus"}))
    assert "culling" in results_table(collect_rows(runs)).headings
