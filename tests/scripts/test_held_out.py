"""Surfaces from all images and held-out views from a training of their own, by the programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.images import read_image, write_image
from neus.models import load_model
from neus.scene import load_scene
from neus.training.checkpoint import fingerprint
from tests.helpers.small_scenes import program, small_scene
from tests.helpers.textured_scenes import textured_scene
from tests.helpers.trainings import small_method

EVERY_EIGHTH = tuple(range(0, 49, 8))
SMALL = {
    "model": {"hash_grid": {"levels": 4, "log2_entries": 10, "finest_resolution": 64}},
    "training": {"steps": 3, "samples": 2048, "uniform_samples": 128, "validations": 1},
}


def run(name: str, *flags: str, **options: object) -> None:
    words = [[f"--{key.replace('_', '-')}", str(value)] for key, value in options.items()]
    threads = torch.get_num_threads()
    assert program(name)([*(word for pair in words for word in pair), *flags]) == 0
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """49 photos as DTU's, seven held out; a training on all, one on the rest, and their views."""
    folder = tmp_path_factory.mktemp("held-out")
    small_scene(folder / "scene", 49, EVERY_EIGHTH)
    (folder / "method.yaml").write_text(json.dumps(SMALL | {"training": {"steps": 7}}))
    (folder / "small.yaml").write_text(json.dumps({"training": SMALL["training"]}))
    where = {"scene": folder / "scene", "device": "cpu"}
    for name, images in (("", "all"), ("held-out", "split")):
        to = folder / name
        files = {"config": to / "config.yaml", "metrics": to / "train.json"}
        files |= {
            "output": to / "model.pt",
            "run_dir": to / "run",
            "method": folder / "method.yaml",
        }
        files |= {"budget": folder / "small.yaml"}
        run("train", **where, **files, learn_from=images, seed=len(name))
    models = {"model": folder / "model.pt", "held_out_model": folder / "held-out" / "model.pt"}
    run("render_views", **where, **models, train_views=64, output=folder / "views")
    config = {"config": folder / "config.yaml", "scene": folder / "scene"}
    run("evaluate_views", "--apart", **config, views=folder / "views", output=folder / "views.json")
    return folder


def test_the_surface_learns_from_49_of_49(runs: Path) -> None:
    learnt = [json.loads((runs / name / "train.json").read_text()) for name in ("", "held-out")]
    assert [(figures["images"], figures["images_of_scene"]) for figures in learnt] == [
        (49, 49),
        (42, 49),
    ]


def test_the_budget_counts_and_is_remembered(runs: Path) -> None:
    figures = json.loads((runs / "train.json").read_text())
    assert (figures["steps"], figures["budget"]) == (3, "small")
    assert (runs / "run" / "budget").read_text() == "small\n"


def test_figures_say_which_training_they_are_of(runs: Path) -> None:
    report = json.loads((runs / "views.json").read_text())
    counts = [report[f"images_{name}"] for name in ("train", "train_views", "test")]
    assert counts == [49, 42, 7]
    assert list(report["views"]) == [f"{i:03}" for i in EVERY_EIGHTH]
    assert len(report["views_train"]) == 49, "the training of the surface saw all"


def test_each_view_is_rendered_by_its_own_training(runs: Path) -> None:
    scene = load_scene(runs / "scene")
    for model, view in (("held-out/model.pt", "008.png"), ("model.pt", "train/008.png")):
        trained = load_model(runs / model, torch.device("cpu"))
        wanted = (trained.view(scene.cameras, 8).rgb * 255).round().astype(int)
        assert abs(read_image(runs / "views" / view).astype(int) - wanted).max() <= 1, model
    apart = [read_image(runs / "views" / name) for name in ("008.png", "train/008.png")]
    assert (apart[0] != apart[1]).any()


def test_a_training_on_all_images_takes_up_no_checkpoint_of_the_other(tmp_path: Path) -> None:
    scene = small_scene(tmp_path / "scene")
    marks = {fingerprint(small_method(), scene, 0, whole=whole) for whole in (False, True)}
    assert len(marks) == 2
    assert fingerprint(small_method(), scene, 0) in marks


def test_photos_that_are_held_out_take_part_in_no_patch(tmp_path: Path) -> None:
    """A training whose held-out photos are black instead ends with the same bits."""
    method = SMALL | {"training": SMALL["training"] | {"losses": {"patch": 5.0}}}
    (tmp_path / "method.yaml").write_text(json.dumps(method))
    tables, metrics = [], []
    for blackened in ((), (0, 4)):
        folder = tmp_path / f"black-{len(tables)}"
        textured_scene(
            folder / "scene", "ball", views=7, width=64, height=48, focal=80, test=(0, 4)
        )
        for frame in blackened:
            image = load_scene(folder / "scene").frames[frame].image
            write_image(image, np.zeros_like(read_image(image)))
        files = {"config": folder / "config.yaml", "metrics": folder / "train.json"}
        files |= {"output": folder / "model.pt", "run_dir": folder / "run"}
        files |= {"scene": folder / "scene", "method": tmp_path / "method.yaml"}
        run("train", **files, device="cpu", seed=0)
        model = load_model(folder / "model.pt", torch.device("cpu")).model
        tables.append(torch.cat([part.detach().flatten() for part in model.parameters()]))
        rows = csv.DictReader((folder / "run" / "metrics.csv").read_text().splitlines())
        metrics.append([float(row["patch"]) for row in rows])
    assert metrics[0] == metrics[1]
    assert min(metrics[0]) > 0
    assert torch.equal(tables[0], tables[1])
