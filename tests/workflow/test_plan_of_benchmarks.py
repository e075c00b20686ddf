"""What a benchmark asks for: meshes of others, budgets, held-out views from a training apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.stand_in_programs import (
    AFTER_TRAINING,
    PHOTOS,
    planned,
    snakemake,
    write_config,
)


def test_meshes_that_exist_are_placed_measured_and_shown(finished: Path) -> None:
    """And nothing of what was trained is made again."""
    for name in ("statue", "sculpture"):
        (finished / "others").mkdir(exist_ok=True)
        (finished / "others" / f"{name}.ply").write_text("ply")
    meshes = [{"name": "theirs", "path": "others/{scan}.ply", "method": "Their method"}]
    config = write_config(finished / "others.yaml", meshes=meshes)
    counts = {"place_mesh": 1, "evaluate_given_mesh": 1, "results_table": 1, "page": 1, "all": 1}
    assert planned(finished, "--configfile", config) == counts
    words = ["--configfile", config, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words).stdout
    assert "--mesh others/statue.ply" in printed
    files = [f"results/statue/meshes/theirs/{name}.json" for name in ("mesh-none", "placed")]
    named = "--meshes 'statue,Their method," + ",".join(files)
    assert printed.count(named) == 2  # in the table, and on the page


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"path": "others/absent.ply"}, "scan statue, mesh theirs: others/absent.ply does not"),
        ({"method": "neus"}, "the name of a method that is run here, neus"),
        ({"scans": ["bust"]}, "meshes, theirs: there is no scan bust, but statue"),
        ({"frame": "sphere"}, "expected a source that states one"),
        ({"frame": {"similarity": [[1], [2], [3], [4]]}}, "four rows of four numbers"),
        ({"frame": "object"}, "frame"),
        ({"colour": "red"}, "unknown key colour"),
    ],
)
def test_a_mesh_that_cannot_be_placed_is_named_before_any_job(
    finished: Path, changed: dict, message: str
) -> None:
    mesh = {"name": "theirs", "path": "mine.yaml"} | changed
    config = write_config(finished / "others.yaml", meshes=[mesh])
    done = snakemake(finished, "--configfile", config, "--dry-run")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_budget_is_laid_over_the_method_and_its_mesh(finished: Path) -> None:
    """The laptop's is what the method has anyhow; a resolution that is given counts more."""
    laptop = write_config(finished / "laptop.yaml", budget="laptop")
    assert planned(finished, "--configfile", laptop) == {}
    card = write_config(finished / "card.yaml", budget="card")
    assert planned(finished, "--configfile", card) == {"train": 1} | AFTER_TRAINING
    words = ["--configfile", card, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words).stdout
    assert "config/budgets/card.yaml" in printed
    assert "--resolution 1024" in printed
    card = write_config(finished / "card.yaml", budget="card", mesh={"resolution": 64})
    assert "--resolution 64" in snakemake(finished, *words).stdout
    wrong = write_config(finished / "wrong.yaml", budget="desktop")
    done = snakemake(finished, "--configfile", wrong, "--dry-run")
    assert done.returncode == 1
    assert "desktop.yaml does not exist: the budgets are card, laptop, paper" in done.stderr


def test_a_run_begun_on_a_card_goes_on_with_its_budget_without_one(finished: Path) -> None:
    record = finished / "results" / "statue" / "neus" / "seed0" / "run" / "budget"
    record.write_text("card\n")
    auto = write_config(finished / "auto.yaml", budget="auto", device="cpu")
    words = ["--configfile", auto, "--dry-run", "--printshellcmds"]
    assert "config/budgets/card.yaml" in snakemake(finished, *words).stdout
    record.unlink()
    assert planned(finished, "--configfile", auto) == {}, "the laptop's is what it was made with"


def test_views_that_are_held_out_apart_have_a_training_of_their_own(finished: Path) -> None:
    """And the surface another one, as it learns from more images."""
    config = write_config(finished / "apart.yaml", evaluation={"held_out": "apart"})
    plan = planned(finished, "--configfile", config)
    trainings = {"dense_stereo": 1, "train": 1, "dense_stereo_held_out": 1, "train_held_out": 1}
    assert plan == trainings | AFTER_TRAINING
    nothing = [PHOTOS | {"holdout": 0}]
    config = write_config(finished / "all.yaml", evaluation={"held_out": "apart"}, scans=nothing)
    assert "train_held_out" not in planned(finished, "--configfile", config)
