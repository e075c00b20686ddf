"""A program of others on the page: beside ours, marked, with its reason where it left nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from neus.page import write_page
from tests.helpers.shown_results import change, write_results

NOT_THERE = "theirs was not run: bash: /opt/theirs: No such file or directory"
NO_VIEWS = "theirs renders no views"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("shown") / "results")


def with_theirs(ours: Path, folder: Path, **record: object) -> Path:
    """The results with a run of a program, which has neither a method's file nor a journal."""
    shutil.copytree(ours, folder / "results")
    run = folder / "results" / "ball" / "theirs" / "seed0"
    shutil.copytree(folder / "results" / "ball" / "neus-mask" / "seed0", run)
    (run / "config.yaml").unlink()
    shutil.rmtree(run / "run")
    change(run / "train.json", origin="run here")
    taken = {"mesh_reason": None, "views_reason": None, "background": "white", "masks": True}
    (run / "taken.json").write_text(json.dumps(taken | record))
    return run


def part(run: Path) -> str:
    results = run.parents[2]
    write_page(results)
    return (results / "page" / "ball" / "theirs.js").read_text()


def test_its_surface_and_views_are_shown_like_ours(ours: Path, tmp_path: Path) -> None:
    text = part(with_theirs(ours, tmp_path))
    assert '"surface":{' in text.replace(" ", "")
    assert '"rendering":"data:image' in text.replace(" ", "")
    page = (tmp_path / "results" / "index.html").read_text()
    assert "theirs (run here)" in page
    assert "neus-mask (run here)" not in page
    assert "of a program of others, run here" in page


def test_one_that_renders_no_views_says_so(ours: Path, tmp_path: Path) -> None:
    run = with_theirs(ours, tmp_path, views_reason=NO_VIEWS)
    shutil.rmtree(run / "views")
    assert '"views":[]' in part(run).replace(" ", "")
    assert f"{NO_VIEWS}." in (tmp_path / "results" / "index.html").read_text()


def test_one_that_left_nothing_has_its_reason_in_its_place(ours: Path, tmp_path: Path) -> None:
    run = with_theirs(ours, tmp_path, mesh_reason=NOT_THERE, views_reason=NOT_THERE)
    for name in ("mesh.ply", "views.json"):
        (run / name).unlink()
    shutil.rmtree(run / "views")
    part(run)
    page = (tmp_path / "results" / "index.html").read_text()
    assert NOT_THERE in page
    assert "1 of 1 did not come through." in page


def test_a_mesh_that_existed_already_is_shown_beside_them(ours: Path, tmp_path: Path) -> None:
    """Called as its makers call it; it has no views and no training."""
    shutil.copytree(ours, tmp_path / "results")
    scan = tmp_path / "results" / "ball"
    run, given = scan / "neus-mask" / "seed0", scan / "meshes" / "theirs"
    given.mkdir(parents=True)
    (figures,) = run.glob("mesh-*.json")
    for name in ("mesh.ply", figures.name):
        shutil.copy(run / name, given)
    errors = "errors-" + figures.stem.removeprefix("mesh-")
    shutil.copytree(run / errors, given / errors)
    (given / "placed.json").write_text(json.dumps({"method": "Theirs / long ago"}))
    page = write_page(tmp_path / "results").read_text()
    assert "Theirs / long ago (given)" in page
    assert "of a mesh that existed already, measured here" in page
    assert "The best of" not in page, "ours is the only method that ran"
    part = (tmp_path / "results" / "page" / "ball" / "meshes" / "theirs.js").read_text()
    assert '"surface":{' in part.replace(" ", "")
    assert '"views":[]' in part.replace(" ", "")
