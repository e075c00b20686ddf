"""config/tanks.yaml: what is planned for a scene, with its reference and without."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from neus.exports import export_scene
from neus.scene import load_scene
from tests.helpers import tanks_loops
from tests.helpers.places import ROOT
from tests.helpers.small_scenes import small_scene
from tests.metrics.test_tanks import clouds, volume_along
from tests.workflow.test_dtu import snakemake

CONFIG = ROOT / "config" / "tanks.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stand-in of Barn: a COLMAP model, and a reference."""
    scene = load_scene(small_scene(tmp_path / "scene"))
    export_scene(
        scene, tmp_path / "data/tanks/Barn", "colmap-text", frame="source", report=lambda line: None
    )
    of = clouds(0, 100)
    tanks_loops.write_scene(
        tmp_path / "data/tanks_reference", "Barn", of["truth"], of["log"], np.eye(4),
        volume_along("Z"),
    )  # fmt: skip
    return tmp_path


def test_a_scene_is_measured_by_its_protocol(folder: Path) -> None:
    config = ["--configfile", str(CONFIG), "--config", "only=Barn", "downscale=1"]
    words = ["--dry-run", "--printshellcmds", *config[:-1]]
    overlay = yaml.safe_load(CONFIG.read_text())
    for scan in overlay["scans"]:
        scan["downscale"] = 1
    (folder / "small.yaml").write_text(yaml.safe_dump(overlay))
    words[words.index(str(CONFIG))] = str(folder / "small.yaml")
    done = snakemake(folder, *words)
    assert done.returncode == 0, done.stderr
    assert "--reference-root data/tanks_reference" in done.stdout
    assert "--tanks Barn" in done.stdout
    assert "data/tanks_reference/Barn/Barn_trans.txt" in done.stdout
    shutil.rmtree(folder / "data" / "tanks_reference" / "Barn")
    done = snakemake(folder, *words)
    assert done.returncode == 1
    assert "Barn_COLMAP_SfM.log does not exist: correct the key reference" in done.stderr


def test_the_six_scenes_that_papers_report_are_there() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    published = (ROOT / "config" / "published" / "tanks.csv").read_text().splitlines()[0]
    names = [scan["name"] for scan in config["scans"]]
    assert names == published.split(",")[2:8]
    assert names == [scan["reference"]["scene"] for scan in config["scans"]]
    assert config["evaluation"]["held_out"] == "apart"
