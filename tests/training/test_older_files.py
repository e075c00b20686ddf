"""Files that commit 289dc8f wrote: a model, and a checkpoint of its training at step 40 of 60.

``of_289dc8f`` holds them, and the sphere's first view as that commit rendered it: ``rgb``,
``opacity`` and ``normals`` of the model, and ``half``, the colours of the checkpoint.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from neus.models import load_model, ready
from neus.training import CheckpointFolder, PixelPool, Trainer, run_training
from tests.helpers.trainings import CPU, no_validation, sphere_capture

FOLDER = Path(__file__).parent / "of_289dc8f"
ROUNDING = 2e-3
"""Between one kind of processor and another."""


@pytest.fixture(scope="module")
def seen() -> dict[str, np.ndarray]:
    with np.load(FOLDER / "seen.npz") as arrays:
        return dict(arrays)


def test_the_model_shows_what_it_showed(seen: dict[str, np.ndarray]):
    cameras, _, _ = sphere_capture()
    view = load_model(FOLDER / "model.pt", CPU).view(cameras, 0)
    np.testing.assert_allclose(view.rgb, seen["rgb"], atol=ROUNDING)
    np.testing.assert_allclose(view.opacity, seen["opacity"], atol=ROUNDING)
    np.testing.assert_allclose(view.normals, seen["normals"], atol=ROUNDING)
    assert np.abs(seen["rgb"] - seen["half"]).max() > 20 * ROUNDING


def test_the_checkpoint_shows_what_it_showed(seen: dict[str, np.ndarray]):
    cameras, _, _ = sphere_capture()
    view = load_model(FOLDER / "step-00000040.pt", CPU).view(cameras, 0)
    np.testing.assert_allclose(view.rgb, seen["half"], atol=ROUNDING)


def test_the_training_goes_on_to_the_same_model(seen: dict[str, np.ndarray], tmp_path: Path):
    shutil.copy(FOLDER / "step-00000040.pt", tmp_path)
    method = load_model(FOLDER / "step-00000040.pt", CPU).method
    cameras, images, masks = sphere_capture()
    trainer = Trainer(method, PixelPool(cameras, images, masks, CPU), CPU, seed=0)
    run_training(trainer, CheckpointFolder(tmp_path, "289dc8f"), tmp_path, no_validation)
    assert int((tmp_path / "metrics.csv").read_text().splitlines()[1].split(",")[0]) > 40
    view = ready(trainer.model, method, 60, CPU).view(cameras, 0)
    np.testing.assert_allclose(view.rgb, seen["rgb"], atol=10 * ROUNDING)
