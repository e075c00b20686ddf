"""Programs of others in the plan: what they are given, what runs once, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.stand_in_programs import PHOTOS, planned, snakemake, write_config

THEIRS: dict[str, Any] = {
    "external": "theirs",
    "command": "/opt/theirs/bin/train {input} --out {output} --x ${HOME} --seed {seed}",
    "input": "colmap",
}
ONE_RUN = {
    "run_external": 1, "take_external": 1, "evaluate_external_mesh": 1,
    "evaluate_external_views": 1, "results_table": 1, "page": 1, "all": 1,
}  # fmt: skip


def config(folder: Path, *methods: dict[str, Any], **keys: Any) -> list[str]:
    name = write_config(folder / "theirs.yaml", methods=["neus", *methods], **keys)
    return ["--configfile", name]


def commands(folder: Path, *words: str) -> str:
    return snakemake(folder, *words, "--dry-run", "--printshellcmds").stdout


def test_a_program_is_run_and_measured_beside_what_was_trained(finished: Path) -> None:
    """Of which nothing is made again; and it sees no image that is held out."""
    words = config(finished, THEIRS)
    assert planned(finished, *words) == {"export_scan": 1} | ONE_RUN
    printed = commands(finished, *words)
    assert re.search(
        r"export_scene\.py .*--format colmap-binary --frame scene --images train", printed
    )
    run = re.search(r"run_external\.py .*", printed)
    assert run is not None
    assert f"--command '{THEIRS['command']}'" in run[0]
    assert "--seed 0 --device auto --threads 2 --minutes 480" in run[0]
    place = "results/statue/theirs/seed0"
    files = [f"{place}/{name}.json" for name in ("views", "mesh-none", "train")]
    assert "statue,theirs,0," + ",".join(files) in printed

    assert snakemake(finished, *words).returncode == 0
    assert planned(finished, *words) == {}
    slower = config(finished, THEIRS | {"command": "/opt/theirs/bin/train --slow"})
    assert planned(finished, *slower) == ONE_RUN
    other = config(finished, THEIRS | {"mesh": "late/*.ply"})
    plan = dict(ONE_RUN)
    del plan["run_external"]
    assert planned(finished, *other) == plan, "where its mesh lies is no reason to run it again"


def test_one_that_renders_views_is_run_twice_where_ours_trains_twice(finished: Path) -> None:
    theirs = THEIRS | {"external": "views", "views": "test/*/renders"}
    printed = commands(finished, *config(finished, theirs))
    assert re.findall(r"--images (\w+)", printed) == ["split"]
    assert "run_external_held_out" not in printed
    words = config(finished, theirs, evaluation={"held_out": "apart"})
    plan = planned(finished, *words)
    assert (plan["export_scan"], plan["run_external"], plan["run_external_held_out"]) == (2, 1, 1)
    printed = commands(finished, *words)
    assert sorted(re.findall(r"--images (\w+)", printed)) == ["all", "split"]
    taken = re.search(r"take_external\.py .*", printed)
    assert taken is not None
    for word in ("--views 'test/*/renders'", "/held-out/left", "colmap-binary-scene-split-masks"):
        assert word in taken[0]


def test_a_scan_may_be_left_out_and_our_own_methods_too(finished: Path) -> None:
    scans = [PHOTOS, PHOTOS | {"name": "bust"}]
    name = write_config(
        finished / "only.yaml", scans=scans, methods=[THEIRS | {"external": "o", "scans": ["bust"]}]
    )
    plan = planned(finished, "--configfile", name)
    assert "train" not in plan
    assert (plan["run_external"], plan["normalize_scene"]) == (1, 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"external": "neus"}, "methods, neus: two methods have this name"),
        ({"external": "stereo"}, "found the name of a folder of every scan"),
        ({"scans": ["bust"]}, "methods, theirs: there is no scan bust, but statue"),
        ({"input": "ply"}, "key methods.1.input, 'ply' is not one of ['colmap'"),
        ({"images": 3}, "key methods.1, unknown key images"),
        ({"command": 3}, "key methods.1.command, 3 is not of type 'string'"),
    ],
)
def test_what_cannot_be_run_is_named_before_any_job(
    finished: Path, changed: dict[str, Any], message: str
) -> None:
    done = snakemake(finished, *config(finished, THEIRS | changed), "--dry-run")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_no_mesh_may_be_called_as_a_program(finished: Path) -> None:
    mesh = {"name": "theirs", "path": "mine.yaml"}
    done = snakemake(finished, *config(finished, THEIRS, meshes=[mesh]), "--dry-run")
    assert done.returncode == 1
    assert "the name of a method that is run here, theirs" in done.stderr
