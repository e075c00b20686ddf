"""Every option of a method trains, is drawn, and comes back from its model file."""

from __future__ import annotations

import copy
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from test_training import CPU, small_method, sphere_capture, surface_of

from neus.config import MethodConfig, load_method
from neus.models.schedule import stage_at
from neus.models.trained import load_model, ready, save_model
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.trainer import Trainer

DIFFERENCES = {"model": {"sdf": {"gradient": {"kind": "differences"}}}}
OPTIONS = {
    "curvature from 6 taps": {
        **DIFFERENCES,
        "training": {"losses": {"curvature": [0.0, 0.0, 1e-4, 0.5]}},
    },
    "4 taps of fixed reach": {
        "model": {"sdf": {"gradient": {"kind": "differences", "taps": 4, "eps": 0.01}}}
    },
    "sines": {"model": {"sdf": {"encoding": "frequency", "all_bands_at": 0.5, "hidden_layers": 2}}},
    "relu and four features": {
        "model": {"sdf": {"activation": "relu"}, "hash_grid": {"features": 4}}
    },
    "inside out, normalised": {
        "model": {
            "sdf": {"inside_out": True, "initial_radius": 0.9, "weight_norm": True},
            "radiance": {"weight_norm": True},
        }
    },
    "directions as sines": {
        "model": {"radiance": {"direction_encoding": "frequency", "all_bands_at": 0.5}}
    },
    "another colour": {
        "model": {"radiance": {"activation": "softplus100", "output": "scale1", "normals": False}}
    },
    "all losses": {
        "training": {
            "losses": {
                "colour": [0.0, 1.0, 0.0, 0.5],
                "colour_squared": 10.0,
                "opaque": 0.1,
                "sparsity": 0.01,
                "sparsity_scale": 10.0,
                "distortion": 0.1,
            }
        }
    },
    "surroundings": {
        "model": {
            "background": "learned",
            "outside": {
                "hash_grid": {"levels": 5, "log2_entries": 10, "finest_resolution": 64},
                "radiance": {"direction_encoding": "frequency", "weight_norm": True},
                "occupancy_resolution": 24,
            },
        },
        "training": {
            "outside_samples": 2048,
            "affine_colours": True,
            "losses": {"opaque": 0.1, "sparsity": 0.01, "distortion": 0.1},
        },
    },
    "surroundings of a field in plain torch": {
        "model": {
            "background": "learned",
            "sdf": {"activation": "relu"},
            "outside": {
                "hash_grid": {"levels": 5, "log2_entries": 10, "finest_resolution": 64},
                "occupancy_resolution": 24,
            },
        },
        "training": {"outside_samples": 2048},
    },
    "density": {
        "model": {
            "kind": "nerf",
            "sdf": {"activation": "relu"},
            "radiance": {"direction_encoding": "frequency", "weight_norm": True},
        },
        "training": {
            "losses": {
                "mask": [0.0, 0.0, 0.1, 0.5],
                "colour_squared": 1.0,
                "opaque": 0.1,
                "sparsity": 0.01,
                "distortion": 0.1,
            }
        },
    },
    "bounded sharpness": {"model": {"sdf": {"max_inv_s": [0.0, 20.0, 100.0, 1.0]}}},
}


def merged(base: dict, overlay: dict) -> dict:
    base = copy.deepcopy(base)
    for key, value in overlay.items():
        base[key] = merged(base.get(key, {}), value) if isinstance(value, dict) else value
    return base


def method_with(option: dict, steps: int = 10) -> MethodConfig:
    from dataclasses import asdict

    return load_method(None, merged(asdict(small_method(steps)), option))


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_option_trains_and_comes_back(option: dict, tmp_path: Path):
    method = method_with(option)
    cameras, images, masks = sphere_capture()
    trainer = Trainer(method, PixelPool(cameras, images, masks, CPU), CPU, 0)
    before = [parameter.detach().clone() for parameter in trainer.model.parameters()]
    losses = [float(trainer.train_step().loss) for _ in range(10)]
    assert all(math.isfinite(loss) for loss in losses)
    for (name, parameter), old in zip(trainer.model.named_parameters(), before, strict=True):
        assert not len(old.shape) or not old.numel() or not torch.equal(parameter, old), name
    save_model(tmp_path / "model.pt", trainer.model, method, 10, 0)
    loaded = load_model(tmp_path / "model.pt", CPU)
    shown = ready(trainer.model, method, 10, CPU).view(cameras, 0)
    np.testing.assert_array_equal(loaded.view(cameras, 0).rgb, shown.rgb)


def test_every_term_of_the_loss_is_in_the_journal(tmp_path: Path):
    from test_training import folder, no_validation

    method = method_with(merged(OPTIONS["all losses"], OPTIONS["curvature from 6 taps"]))
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    run_training(trainer, folder(tmp_path), tmp_path, no_validation)
    header, first, *_ = (tmp_path / "metrics.csv").read_text().splitlines()
    record = dict(zip(header.split(","), first.split(","), strict=True))
    terms = ("colour", "colour_squared", "opaque", "sparsity", "curvature", "distortion")
    assert all(math.isfinite(float(record[term])) for term in terms)


def test_sharpness_is_held_below_its_bound():
    method = method_with(OPTIONS["bounded sharpness"], 100)
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    model = surface_of(trainer)
    with torch.no_grad():
        model.variance.fill_(math.log(80.0) / 10)
    for step, expected in [(0, 20.0), (50, 60.0), (100, 80.0)]:
        stage = stage_at(method.model, step, 100)
        assert float(model.bounded_inv_s(stage).detach()) == pytest.approx(expected, rel=1e-5)


def test_levels_begin_when_they_are_told_to():
    grid = {"levels": 6, "initial_levels": 2, "levels_from": 0.25, "all_levels_at": 0.75}
    model = method_with({"model": {"hash_grid": grid}}).model
    found = [stage_at(model, step, 100).active_levels for step in (0, 25, 34, 36, 64, 66, 100)]
    assert found == [2, 2, 2, 3, 5, 6, 6]
