"""Training: it learns a sphere, resumes bit for bit, stops when asked, and refuses to diverge."""

from __future__ import annotations

import csv
import math
import os
import signal
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.errors import InputError
from neus.files.whole import held_alone
from neus.models.trained import load_model, ready, save_model
from neus.training.board import curves_of
from neus.training.checkpoint import fingerprint
from neus.training.journal import Journal, duration
from neus.training.rays import PixelPool
from neus.training.run import STOPPED, TrainingDivergedError, run_training
from neus.training.trainer import Trainer
from tests.helpers.trainings import (
    CPU,
    folder,
    new_trainer,
    no_validation,
    small_method,
    sphere_capture,
    surface_of,
    weights_after,
)


def test_training_learns_a_sphere():
    trainer = new_trainer(small_method(200))
    for _ in range(200):
        trainer.train_step()
    trained = ready(trainer.model, trainer.method, 200, CPU)
    directions = np.random.default_rng(0).normal(size=(400, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    on_surface = trained.distance(0.6 * directions)
    assert np.abs(on_surface).mean() < 0.04
    top = np.array([[0.3, 0.3, 0.42]])
    colour = trained.colours(top, top / np.linalg.norm(top))[0]
    assert colour[0] > 2 * colour[2]


def test_views_without_a_mask_are_used_without_the_mask_loss():
    """The photo stands as it is before the method's background, and the ray says so."""
    cameras, images, masks = sphere_capture()
    some = [mask if index < 4 else None for index, mask in enumerate(masks)]
    pool = PixelPool(cameras, images, some, CPU)
    batch = pool.draw(2000, 0.9, torch.Generator().manual_seed(0))
    whole = PixelPool(cameras, images, masks, CPU).draw(100, 0.9, torch.Generator().manual_seed(0))
    assert whole.masked.all()
    assert 0.3 < float(batch.masked.float().mean()) < 0.7
    assert (batch.coverage[~batch.masked] == 1).all()
    assert (batch.coverage[batch.masked] < 1).any()
    trainer = Trainer(small_method(), pool, CPU, 0)
    trainer.rays = 2000
    background = trainer._renderer.background(batch, trainer.generator)
    assert (background[~batch.masked] == 1).all()
    assert float(background[batch.masked].std()) > 0.2
    assert math.isfinite(float(trainer.train_step().loss))


def test_same_seed_same_weights_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        trainer = new_trainer(small_method(), seed)
        for _ in range(20):
            trainer.train_step()
        runs.append(weights_after(trainer))
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


def test_interrupted_and_resumed_equals_uninterrupted_bitwise(tmp_path: Path):
    method = small_method(60, validations=2)
    whole = new_trainer(method)
    run_training(whole, folder(tmp_path / "a"), tmp_path / "a", no_validation)

    def ask_to_stop(trainer: Trainer) -> None:
        if trainer.step == 30:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as stopped:
        run_training(new_trainer(method), folder(tmp_path / "b"), tmp_path / "b", ask_to_stop)
    assert stopped.value.code == STOPPED
    resumed = new_trainer(method, seed=5)  # its weights and random state must all be replaced
    figures = run_training(resumed, folder(tmp_path / "b"), tmp_path / "b", no_validation)
    assert torch.equal(weights_after(whole), weights_after(resumed))
    assert figures.steps == 60
    for name in "ab":
        with (tmp_path / name / "metrics.csv").open() as stream:
            steps = [int(row["step"]) for row in csv.DictReader(stream)]
        assert steps == list(range(1, 61))


def test_checkpoints_keep_two_and_ignore_other_runs_and_torn_files(tmp_path: Path):
    checkpoints = folder(tmp_path)
    for step in (10, 20, 30):
        checkpoints.save(step, {"step": step}, small_method())
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-00000020.pt", "step-00000030.pt"]
    torn = tmp_path / "checkpoints" / "step-00000040.pt"
    torn.write_bytes((tmp_path / "checkpoints" / names[1]).read_bytes()[:100])
    assert checkpoints.load_latest(CPU) == {"step": 30}
    assert folder(tmp_path, "another run").load_latest(CPU) is None
    aside = tmp_path / "checkpoints" / "of-same"
    assert sorted(path.name for path in aside.iterdir()) == names
    folder(tmp_path, "another run").save(5, {"step": 5}, small_method())
    assert checkpoints.load_latest(CPU) == {"step": 30}  # what was set aside is taken back
    assert folder(tmp_path, "another run").load_latest(CPU) == {"step": 5}


def test_fingerprint_follows_method_scene_and_seed(tmp_path: Path):
    (tmp_path / "transforms.json").write_text("{}")
    method = small_method()
    first = fingerprint(method, tmp_path, 0)
    assert first == fingerprint(small_method(), tmp_path, 0)
    others = [fingerprint(method, tmp_path, 1), fingerprint(small_method(61), tmp_path, 0)]
    (tmp_path / "transforms.json").write_text("{ }")
    others.append(fingerprint(method, tmp_path, 0))
    points = tmp_path / "points.npz"
    for content in (b"some", b"others"):
        points.write_bytes(content)
        others.append(fingerprint(method, tmp_path, 0, 1, points))
    assert len({first, *others}) == 6


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(tmp_path: Path):
    trainer = new_trainer(small_method(60, validations=60, checkpoint_seconds=0.0))

    def poison(trainer: Trainer) -> None:
        if trainer.step == 10:
            with torch.no_grad():
                trainer.model.radiance.layers.weights[0].fill_(math.nan)

    with pytest.raises(TrainingDivergedError, match="not a number at step 11"):
        run_training(trainer, folder(tmp_path), tmp_path, poison)
    state = folder(tmp_path).load_latest(CPU)
    assert state is not None
    assert state["trainer"]["step"] == 9 or state["trainer"]["step"] == 10


def test_a_falling_inv_s_stops_the_run(tmp_path: Path):
    trainer = new_trainer(small_method(60, validations=60))

    def dissolve(trainer: Trainer) -> None:
        with torch.no_grad():
            surface_of(trainer).variance.fill_(math.log(5) / 10)

    with pytest.raises(TrainingDivergedError, match="inv_s has fallen to"):
        run_training(trainer, folder(tmp_path), tmp_path, dissolve)


def test_training_survives_a_step_in_which_no_ray_meets_a_sample():
    trainer = new_trainer(small_method())
    trainer.occupancy.state.zero_()
    trainer.step = 1  # no update of the grid in this step
    report = trainer.train_step()
    assert math.isfinite(float(report.loss))
    assert report.rays > 0


def test_model_file_gives_back_the_same_views(tmp_path: Path):
    trainer = new_trainer(small_method())
    for _ in range(20):
        trainer.train_step()
    save_model(tmp_path / "model.pt", trainer.model, trainer.method, 20, 0)
    cameras, _, _ = sphere_capture()
    loaded = load_model(tmp_path / "model.pt", CPU)
    assert loaded.stage == trainer.stage  # the model at step 20, not at the end of its budget
    before = ready(trainer.model, trainer.method, 20, CPU).view(cameras, 0)
    np.testing.assert_array_equal(loaded.view(cameras, 0).rgb, before.rgb)


def test_a_running_checkpoint_is_read_as_the_model_of_its_step(tmp_path: Path):
    """With its own stage, from the middle of the budget; and it still resumes."""
    trainer = new_trainer(small_method())
    for _ in range(20):
        trainer.train_step()
    folder(tmp_path).save(20, {"trainer": trainer.state_dict()}, trainer.method)
    loaded = load_model(tmp_path / "checkpoints" / "step-00000020.pt", CPU)
    assert loaded.stage == trainer.stage
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (50, 3))
    expected = ready(trainer.model, trainer.method, 20, CPU).distance(x)
    np.testing.assert_array_equal(loaded.distance(x), expected)
    state = folder(tmp_path).load_latest(CPU)
    assert state is not None
    new_trainer(small_method()).load_state_dict(state["trainer"])


def test_what_is_no_model_file_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"model\.pt does not exist: train"):
        load_model(tmp_path / "model.pt", CPU)
    (tmp_path / "model.pt").write_text("nonsense")
    with pytest.raises(InputError, match="is not a model file"):
        load_model(tmp_path / "model.pt", CPU)


def test_durations_read_well():
    assert duration(5) == "0m05s"
    assert duration(3700) == "1h01m"
    assert duration(math.inf) == "?"


def test_a_run_folder_is_held_by_one_process(tmp_path: Path):
    with (
        held_alone(tmp_path / "run"),
        pytest.raises(InputError, match="another process is at work"),
        held_alone(tmp_path / "run"),
    ):
        pass
    with held_alone(tmp_path / "run"):
        pass


def test_curves_have_the_names_that_are_asked_for():
    record = {"step": 3.0, "colour": 0.5, "psnr": 20.0, "rays": 64.0, "mask": 0.1, "loss": 1.0}
    assert curves_of(record, "own") == {key: record[key] for key in record if key != "step"}
    assert curves_of(record, "instant-nsr-pl") == {
        "train/loss_rgb_mse": pytest.approx(0.01),
        "train/loss_rgb": 0.5,
        "train/num_rays": 64.0,
        "train/loss_mask": 0.1,
        "train/loss": 1.0,
    }
    with pytest.raises(InputError, match=r"training\.curves must be one of own, instant"):
        small_method(10, curves="theirs")


def test_figures_of_validations_stand_once_after_a_resumption(tmp_path: Path):
    for first_step, steps in ((0, (5, 10)), (5, (10, 15))):
        with closing(Journal(tmp_path, first_step, 20)) as journal:
            for step in steps:
                journal.figures(step, {"psnr": 20.0 + step + first_step})
                journal.figures(step, {})
    rows = (tmp_path / "validation.csv").read_text().split()
    assert rows == ["step,psnr", "5,25", "10,35", "15,40"]
