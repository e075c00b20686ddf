"""Which training each figure is of, below the table and in its columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neus.tables import (
    MAIN,
    collect_rows,
    load_published,
    papers_sections,
    results_table,
    summaries,
)
from tests.helpers.measured_runs import VIEWS, write_run
from tests.helpers.places import ROOT

APART = VIEWS | {"images_train": 49, "images_train_views": 42}


def all_rows(root: Path, *views: dict) -> pd.DataFrame:
    runs = [write_run(root, f"scan{24 + i}", "m", 0, views=v) for i, v in enumerate(views)]
    rows = collect_rows(runs)
    return pd.concat([rows, summaries(rows)], ignore_index=True)


def test_one_training_is_one_sentence_and_no_column_more(tmp_path: Path) -> None:
    table = results_table(all_rows(tmp_path, VIEWS, VIEWS))
    assert "budget" in table.headings
    assert table.notes == ("All figures are of one training, on 42 of 49 images.",)
    assert "trained on for views" not in table.headings


def test_a_budget_that_all_have_is_a_sentence_in_a_terminal(tmp_path: Path) -> None:
    rows = all_rows(tmp_path, VIEWS, VIEWS)
    table = results_table(rows, MAIN)
    assert "budget" not in table.headings
    assert "Budget: card." in table.notes
    rows.loc[0, "budget"] = "laptop"
    table = results_table(rows, MAIN)
    assert [row[table.headings.index("budget")].text for row in table.rows] == [
        *("laptop", "card", "card")
    ]


def test_two_trainings_stand_apart(tmp_path: Path) -> None:
    table = results_table(all_rows(tmp_path, APART))
    shown = dict(zip(table.headings, (cell.text for cell in table.rows[0]), strict=True))
    counts = [shown[name] for name in ("trained on", "trained on for views", "held out")]
    assert counts == ["49", "42", "7"]
    notes = " ".join(table.notes)
    assert "Surface, seconds and PSNR train are of a training on all 49 images" in notes
    assert "of a second one, on 42 of them" in notes


def test_scans_of_both_kinds_are_told_apart(tmp_path: Path) -> None:
    notes = results_table(all_rows(tmp_path, VIEWS, APART)).notes
    assert notes[0] == "scan24: all figures are of one training, on 42 of 49 images."
    assert "all 49 images" in notes[1]


def test_the_papers_tables_say_it_too(tmp_path: Path) -> None:
    rows = collect_rows([write_run(tmp_path, "scan24", "m", 0, views=APART)])
    published = load_published(ROOT / "config" / "published" / "dtu.csv")
    of = {s.title: s.table.notes for s in papers_sections(rows, published)}
    assert "Ours learnt from 49 of 49 images." in of["Chamfer distance, mm"]
    assert "Ours learnt from 42 of 49 images." in of["PSNR of held-out views, dB"]
    assert "Ours learnt from 49 of 49 images." in of["PSNR of training views, dB"]


def test_results_made_before_say_what_they_did_then(tmp_path: Path) -> None:
    """Version 0.1 counted images once, and had one training."""
    rows = collect_rows([write_run(tmp_path, "scan24", "m", 0)])
    assert rows["images_train_views"].tolist() == rows["images_train"].tolist() == [42]
