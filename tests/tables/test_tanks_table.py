"""F-scores on Tanks and Temples beside the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.tables import collect_rows, load_published, papers_sections
from tests.helpers.measured_runs import MESH, write_run
from tests.helpers.places import ROOT

FOLDER = ROOT / "config" / "published"
PUBLISHED = load_published(FOLDER / "dtu.csv"), load_published(FOLDER / "tanks.csv")
OF_TANKS = MESH | {"protocol": "tanks", "unit": "m", "fscore_threshold": 0.01}


def test_published_means_follow_from_the_scenes() -> None:
    tanks = PUBLISHED[1]
    assert len(tanks.scans) == 6
    for row in tanks.rows:
        mean = sum(row.values[scene] for scene in tanks.scans) / 6
        assert row.values["mean"] == pytest.approx(mean, abs=0.0125), row.method
        assert row.source


def test_more_is_better_and_stands_beside_the_papers(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, scene, "neus", 0, mesh=OF_TANKS | {"fscore": fscore})
        for scene, fscore in (("Barn", 0.71), ("Truck", 0.2))
    ]
    sections = {s.title: s.table for s in papers_sections(collect_rows(runs), *PUBLISHED)}
    assert not any(title.startswith("Chamfer") for title in sections)
    table = sections["F-score, Tanks and Temples"]
    assert table.headings[4:10] == ("Barn", "Caterpillar", *PUBLISHED[1].scans[2:6])
    ours = dict(zip(table.headings, table.rows[-1], strict=True))
    assert (ours["Barn"].text, ours["Barn"].rank) == ("0.71", "best")
    assert (ours["Truck"].text, ours["Truck"].rank) == ("0.20", "")
    assert any("ICP" in note for note in table.notes)
    assert any(note.startswith("†") for note in table.notes)


def test_other_scans_stand_alone(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "shed", "neus", 0, mesh=OF_TANKS | {"fscore": 0.5})]
    sections = {s.title: s.table for s in papers_sections(collect_rows(runs), *PUBLISHED)}
    assert len(sections["F-score, Tanks and Temples"].rows) == 1
