"""Two processes equal one process that takes both batches before each step."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
import torch.multiprocessing as mp

from neus.config import MethodConfig, load_method
from neus.devices import set_threads
from neus.training.distributed import ALONE, Processes, joined_processes
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.trainer import SEEDS_APART, Trainer
from tests.helpers.method_options import merged
from tests.helpers.trainings import CPU, folder, no_validation, small_method, sphere_capture

pytestmark = pytest.mark.long
STEPS = 20
SURROUNDINGS = {
    "background": "learned",
    "outside": {
        "hash_grid": {"levels": 4, "log2_entries": 10, "finest_resolution": 64},
        "occupancy_resolution": 16,
    },
}
METHODS = {
    "fused": {},
    "plain torch": {"model": {"sdf": {"activation": "relu"}}},
    "surroundings": {
        "model": SURROUNDINGS,
        "training": {"outside_samples": 1280, "affine_colours": True},
    },
    "density": {"model": {"kind": "nerf"}},
    "density in surroundings": {
        "model": {"kind": "nerf", **SURROUNDINGS},
        "training": {
            "outside_samples": 1280,
            "one_image_batches": True,
            "masked_rays": 0.0,
            "losses": {"mask": 0.0},
        },
    },
}


def method(name: str) -> MethodConfig:
    small = {
        "model": {
            "hash_grid": {"levels": 4, "log2_entries": 10, "finest_resolution": 64},
            "sdf": {"width": 16},
            "radiance": {"width": 16},
            "marching": {"occupancy_resolution": 16, "last_step": 0.02},
        },
        "training": {"steps": STEPS, "samples": 1280, "uniform_samples": 128, "validations": 0},
    }
    return load_method(None, merged(small, METHODS[name]))


def new_trainer(name: str, processes: Processes = ALONE) -> Trainer:
    return Trainer(method(name), PixelPool(*sphere_capture(), CPU), CPU, 0, processes)


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    colours = trainer.affine_colours
    maps = {} if colours is None else {"maps": colours.maps}
    parameters = dict(trainer.model.named_parameters()) | maps
    return {name: p.detach().clone() for name, p in parameters.items()}


def one_of_two(rank: int, port: int, results: str) -> None:
    """What each process does: train, then leave its weights and number of rays."""
    torchrun = {"RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in torchrun.items()}
    set_threads(1)
    with joined_processes(CPU) as processes:
        for name in METHODS:
            trainer = new_trainer(name, processes)
            for _ in range(STEPS):
                trainer.train_step()
            torch.save((weights(trainer), trainer.rays), f"{results}/{name}-{rank}.pt")
        where = Path(results)
        half = Trainer(small_method(24, validations=0), PixelPool(*sphere_capture(), CPU), CPU, 0,
                       processes)  # fmt: skip
        with patch.object(sys.modules[run_training.__module__], "AGREE_EVERY", 4):
            run_training(half, folder(where), where, no_validation)
        torch.save(weights(half), f"{results}/whole-{rank}.pt")
        resumed = new_trainer("density in surroundings", processes)
        for _ in range(STEPS // 2):
            resumed.train_step()
        state = resumed.state_dict()
        resumed = new_trainer("density in surroundings", processes)
        resumed.load_state_dict(state)
        for _ in range(STEPS // 2):
            resumed.train_step()
        torch.save(weights(resumed), f"{results}/resumed-{rank}.pt")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(one_of_two, (port, str(made)), nprocs=2)  # pyright: ignore[reportPrivateImportUsage]
    return made


@contextmanager
def on_one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    set_threads(1)
    try:
        yield
    finally:
        set_threads(before)


def steps_of_both_batches(name: str) -> Trainer:
    """One process: the gradients of two batches are collected, then one step is taken.

    On one thread, as each of the two has: other sums round otherwise, and Adam makes much of that.
    """
    trainer = new_trainer(name, Processes(0, 1))
    first = torch.Generator().manual_seed(0)
    second = torch.Generator().manual_seed(SEEDS_APART)
    with patch.object(Processes, "share", 0.5):
        for _ in range(STEPS):
            trainer.generator = first
            with patch.object(trainer.optimizer, "step"):
                trainer.train_step()
            trainer.step -= 1
            trainer.generator = second
            with patch.object(trainer, "_update_scene_state"):
                trainer.train_step()
    return trainer


@pytest.mark.parametrize("name", METHODS)
def test_two_processes_equal_one_with_the_total_batch(name: str, results: Path):
    (first, rays), (second, other_rays) = (
        torch.load(results / f"{name}-{rank}.pt") for rank in (0, 1)
    )
    with on_one_thread():
        expected = steps_of_both_batches(name)
    assert rays == other_rays == expected.rays
    for key, value in weights(expected).items():
        assert torch.equal(first[key], second[key]), key
        assert float((first[key] - value).norm() / value.norm().clamp(min=1e-9)) < 2e-3, key
    alone = new_trainer(name)
    for _ in range(STEPS):
        alone.train_step()
    moved = torch.cat([(first[k] - v).flatten() for k, v in weights(alone).items()])
    assert float(moved.norm()) > 0.05  # another batch is another run


def test_a_run_of_two_processes_is_written_by_the_first(results: Path):
    first, second = (torch.load(results / f"whole-{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert len((results / "metrics.csv").read_text().splitlines()) == 25


def test_resumed_processes_equal_uninterrupted_ones_bitwise(results: Path):
    """Each draws its own random numbers again."""
    for rank in (0, 1):
        whole, _ = torch.load(results / f"density in surroundings-{rank}.pt")
        resumed = torch.load(results / f"resumed-{rank}.pt")
        assert all(torch.equal(whole[key], resumed[key]) for key in whole)
