"""NeRF: weights by hand, its mesh, and what it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.config import MethodConfig, load_method
from neus.errors import InputError
from neus.mesh.isosurface import EmptySurface
from neus.models.kinds import new_model
from neus.models.nerf import NeRF
from neus.models.neus import NeuS
from neus.models.schedule import Stage
from neus.models.trained import ready
from neus.ops import cpu
from neus.ops.types import Samples
from neus.training.rays import PixelPool
from neus.training.trainer import Trainer
from tests.helpers.outside_trainings import SMALL_GRID
from tests.helpers.trainings import CPU, sphere_capture


def method(steps: int = 120) -> MethodConfig:
    overrides = {
        "model": {
            "kind": "nerf",
            "background": "black",
            "hash_grid": SMALL_GRID,
            "density": {"surface_density": 3.0},
            "marching": {"occupancy_resolution": 32, "first_step": 0.06, "last_step": 0.04},
        },
        "training": {"steps": steps, "samples": 8192},
    }
    return load_method(None, overrides)


def uniform_fog(sigma: float) -> NeRF:
    """The same density and colour everywhere."""
    model = NeRF(method().model, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layers in (model.field.layers, model.radiance.layers):
            layers.weights[-1].zero_()
        model.field.layers.biases[-1][0] = math.log(sigma)
    return model


def test_weights_of_two_sections_are_those_computed_by_hand():
    model, step = uniform_fog(3.0), 0.1
    points, directions = torch.tensor([[0.0, 0, 0.1], [0.0, 0, 0.2]]), torch.tensor([[0.0, 0, 1]])
    samples = Samples(
        torch.zeros(2, dtype=torch.int64), points[:, 2], torch.tensor([0, 2]), torch.ones(1) > 0
    )
    with torch.no_grad():
        rendering = model.render(points, samples, directions, Stage(6, step, 1.0), cpu)
    alpha = 1 - math.exp(-0.3)
    expected = [alpha, alpha * math.exp(-0.3)]
    assert rendering.weights.tolist() == pytest.approx(expected, rel=1e-5)
    assert float(rendering.transmittance) == pytest.approx(math.exp(-0.6), rel=1e-5)
    assert rendering.rgb[0].tolist() == pytest.approx([0.5 * sum(expected)] * 3, rel=1e-5)


def test_it_learns_a_sphere_whose_mesh_has_about_its_size():
    cameras, images, masks = sphere_capture()
    steps = 200
    trainer = Trainer(method(steps), PixelPool(cameras, images, masks, CPU), CPU, 0)
    for _ in range(steps):
        trainer.train_step()
    trained = ready(trainer.model, trainer.method, steps, CPU)
    view = trained.view(cameras, 0)
    error, black = (((rgb - images[0] / 255) ** 2).mean() for rgb in (view.rgb, 0))
    assert error < 0.4 * black
    assert view.opacity[masks[0] > 0].mean() > 2 * view.opacity[masks[0] == 0].mean()
    assert not view.normals.any()
    vertices = trained.surface(32).vertices
    assert 0.3 < np.linalg.norm(vertices, axis=1).mean() < 0.8
    colours = trained.colours(vertices[:5].astype(np.float32), np.tile([0.0, 0, 1], (5, 1)))
    assert colours.shape == (5, 3)


def test_a_field_thinner_than_the_threshold_has_no_mesh_and_says_what_to_try():
    trained = ready(uniform_fog(0.5), method(), 120, CPU)
    remedies = r"lower it.*--surface-density.*more steps.*masks"
    with pytest.raises(EmptySurface, match=rf"reaches 0\.5 .* above 3 .*{remedies}"):
        trained.surface(16)
    trained.set_surface_density(0.4)
    radii = np.linalg.norm(trained.surface(16).vertices, axis=1)
    np.testing.assert_allclose(radii, 1, atol=0.01)  # fog up to the sphere, which closes it
    with pytest.raises(InputError, match="not positive"):
        trained.set_surface_density(0.0)


def test_a_distance_has_no_surface_density():
    config = load_method(None, {"model": {"hash_grid": SMALL_GRID}})
    trained = ready(new_model(config.model, torch.Generator().manual_seed(0)), config, 0, CPU)
    with pytest.raises(InputError, match=r"model\.kind: nerf"):
        trained.set_surface_density(5.0)
    with torch.no_grad():
        assert isinstance(trained.model, NeuS)
        trained.model.sdf.layers.biases[-1][0] += 3
    with pytest.raises(EmptySurface, match="SDF is positive everywhere"):
        trained.surface(16)


def test_an_unknown_kind_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"model\.kind must be one of neus, nerf"):
        load_method(None, {"model": {"kind": "gaussians"}})
