"""What is seen of a model from anywhere, and that a training never notices who looks."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.errors import InputError
from neus.models import TrainedModel, save_model
from neus.scene.cameras import Cameras, look_at
from neus.training.run import run_training
from neus.training.trainer import Trainer
from neus.viewer import Camera, Latest, live_run, occupied_cells, rendered
from tests.helpers.places import ROOT
from tests.helpers.trainings import (
    CPU,
    folder,
    new_trainer,
    no_validation,
    small_method,
    weights_after,
)

LOOKING = """
import sys, time, torch
from pathlib import Path
from tests.viewer.test_viewer import look_once
from neus.viewer import Latest
torch.set_num_threads(1)
latest = Latest(Path(sys.argv[1]), torch.device("cpu"))
print("awake", flush=True)
while True:
    trained = latest.model()
    if trained is not None:
        look_once(trained)
        print("looked at", latest.age(trained), flush=True)
    time.sleep(0.01)
"""
METHOD = small_method(120, checkpoint_seconds=0.0, validations=4)


def somewhere(angle: float = 0.3) -> Camera:
    place = 2.2 * np.array([math.cos(angle), math.sin(angle), 0.5])
    return Camera(look_at(place, np.zeros(3), np.array([0.0, 0, 1])), math.radians(50), 1.5)


def look_once(trained: TrainedModel) -> None:
    for shown in ("colour", "normals", "depth"):
        assert rendered(trained, somewhere().pinhole(64), shown) is not None
    occupied_cells(trained)


@pytest.fixture(scope="module")
def trained_alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.Tensor]:
    """A run of which the model and a checkpoint are there, and the model's weights."""
    run = tmp_path_factory.mktemp("results") / "ball" / "neus" / "seed0"
    trainer, checkpoints = new_trainer(METHOD), folder(run / "run")
    run_training(trainer, checkpoints, run / "run", no_validation)
    save_model(run / "model.pt", trainer.model, METHOD, trainer.step, 0)
    return run, weights_after(trainer)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], str]]]:
    """A run that another process looks at, and what waits for the next line that it says."""
    run = tmp_path / "ball" / "neus" / "seed0"
    words = [sys.executable, "-c", LOOKING, str(run)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    stream = process.stdout
    assert stream is not None

    def next_line() -> str:
        line = stream.readline()
        assert line, "who looks has died"
        return line

    yield run, next_line
    process.kill()
    process.wait()
    stream.close()


@pytest.mark.long
def test_a_training_that_is_watched_ends_with_the_same_bits(
    trained_alone: tuple[Path, torch.Tensor], watched: tuple[Path, Callable[[], str]]
):
    run, next_line = watched
    assert next_line() == "awake\n"
    seen = []

    def meet(trainer: Trainer) -> None:
        """Training waits until a checkpoint was looked at; then it is looked at as it goes on."""
        if trainer.step in (30, 60):
            seen.append(next_line())

    trainer = new_trainer(METHOD)
    run_training(trainer, folder(run / "run"), run / "run", meet)
    save_model(run / "model.pt", trainer.model, METHOD, trainer.step, 0)
    while "trained, 120 steps" not in (line := next_line()):
        seen.append(line)
    assert all(line.startswith("looked at step ") for line in seen)
    assert len(seen) >= 2
    assert torch.equal(weights_after(trainer), trained_alone[1])


def test_a_ball_is_seen_from_anywhere_at_its_depth(trained_alone: tuple[Path, torch.Tensor]):
    trained = Latest(trained_alone[0], CPU).model()
    assert trained is not None
    camera = somewhere()
    cameras = camera.pinhole(90)
    assert (cameras.widths[0], cameras.heights[0]) == (90, 60)
    found = rendered(trained, cameras, "colour")
    assert found is not None
    picture, depth = found
    assert picture.shape == (60, 90, 3)
    away = float(np.linalg.norm(camera.camera_to_world[:, 3]))
    assert depth[30, 45] == pytest.approx(away - 0.6, abs=0.12)  # the ball's radius is 0.6
    assert depth[2, 2] == 0
    view = trained.view(cameras, 0)
    np.testing.assert_allclose(depth, view.depth, atol=1e-4)  # stripes change nothing
    normals, _ = rendered(trained, cameras, "normals") or (picture, depth)
    assert not np.array_equal(normals, picture)


def test_nobody_waits_for_a_picture_that_is_not_wanted_any_more(
    trained_alone: tuple[Path, torch.Tensor],
):
    trained = Latest(trained_alone[0], CPU).model()
    assert trained is not None
    answers = iter([True, False])
    assert rendered(trained, somewhere().pinhole(300), "depth", lambda: next(answers)) is None


def test_cells_that_may_hold_the_ball_lie_about_its_surface(
    trained_alone: tuple[Path, torch.Tensor],
):
    trained = Latest(trained_alone[0], CPU).model()
    assert trained is not None
    centres, side = occupied_cells(trained)
    assert side == 2 / 32
    assert len(centres) > 500
    assert abs(np.median(np.linalg.norm(centres, axis=1)) - 0.6) < 0.1


def test_the_newest_file_is_read_once_and_what_is_torn_or_gone_is_passed_over(
    trained_alone: tuple[Path, torch.Tensor], tmp_path: Path
):
    run = tmp_path / "seed0"
    checkpoints = run / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    latest = Latest(run, CPU)
    assert latest.model() is None
    step = checkpoints / "step-00000040.pt"
    shutil.copy(trained_alone[0] / "model.pt", step)
    trained = latest.model()
    assert trained is not None
    assert latest.age(trained) == "step 40 of 120"
    assert latest.model() is None
    torn = checkpoints / "step-00000050.pt"
    torn.write_bytes(b"half a file")
    os.utime(torn, (2e9, 2e9))
    assert latest.model() is None
    torn.unlink()
    shutil.copy(trained_alone[0] / "model.pt", run / "model.pt")
    trained = latest.model()
    assert trained is not None
    assert latest.age(trained) == "trained, 120 steps"


def test_the_run_that_was_written_to_last_is_the_one_to_look_at(tmp_path: Path):
    results = tmp_path / "results"
    for name, changed in (("a/neus/seed0", 1e9), ("b/neus/seed0", 1.1e9), ("b/neus/seed1", 1e8)):
        metrics = results / name / "run" / "metrics.csv"
        metrics.parent.mkdir(parents=True)
        metrics.touch()
        os.utime(metrics, (changed, changed))
    assert live_run(results) == results / "b/neus/seed0"
    assert live_run(results / "a") == results / "a/neus/seed0"
    assert live_run(results / "b/neus/seed1") == results / "b/neus/seed1"
    (results / "b/neus/seed1/model.pt").touch()
    assert live_run(results) == results / "b/neus/seed1"
    with pytest.raises(InputError, match="holds no run whose training has begun"):
        live_run(tmp_path / "nothing")


def test_a_tall_window_has_its_longer_side_upright():
    cameras = Camera(somewhere().camera_to_world, 1.0, 0.5).pinhole(100)
    assert isinstance(cameras, Cameras)
    assert (cameras.widths[0], cameras.heights[0]) == (50, 100)
    assert cameras.intrinsics[0, 1, 1] == pytest.approx(50 / math.tan(0.5))
