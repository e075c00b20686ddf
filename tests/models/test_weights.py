"""A training that starts from the weights of another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neus.config import MethodConfig
from neus.errors import InputError
from neus.models import save_model, start_from
from neus.training import PixelPool, Trainer, fingerprint
from tests.helpers.method_options import OPTIONS, merged, method_with
from tests.helpers.small_scenes import small_scene
from tests.helpers.trainings import CPU, folder, sphere_capture

KINDS = {
    "surface": {},
    "surface, surroundings": {"model": OPTIONS["surroundings"]["model"]},
    "density": {"model": {"kind": "nerf"}},
}


def trainer_of(method: MethodConfig, seed: int) -> Trainer:
    return Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_starts_where_another_ended_with_schedules_of_its_own(kind: str, tmp_path: Path):
    method = method_with(merged(KINDS[kind], {"training": {"outside_samples": 2048}}), 20)
    first = trainer_of(method, 0)
    for _ in range(20):
        first.train_step()
    save_model(tmp_path / "model.pt", first.model, method, 20, 0)
    folder(tmp_path).save(20, {"trainer": first.state_dict()}, method)
    learnt = first.model.state_dict()
    for file in ("model.pt", "checkpoints/step-00000020.pt"):
        second = trainer_of(method_with(KINDS[kind], 7), 1)
        random = [t.clone() for t in second.model.state_dict().values()]
        start_from(second.model, tmp_path / file)
        own = second.model.state_dict()
        assert all(torch.equal(own[name], tensor) for name, tensor in learnt.items())
        assert not all(map(torch.equal, own.values(), random))
        assert (second.step, second.stage) == (0, trainer_of(method_with(KINDS[kind], 7), 1).stage)
    before = [parameter.detach().clone() for parameter in second.model.parameters()]
    second.train_step()
    for (name, parameter), old in zip(second.model.named_parameters(), before, strict=True):
        assert not torch.equal(parameter, old), name


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"model": {"sdf": {"width": 16}}}, "sdf.layers.weights.0 is 16x15 there and 32x15"),
        ({"model": {"kind": "nerf"}}, "variance is missing there and a number in this method"),
        (KINDS["surface, surroundings"], "outside.field.table is 4608x2 there and missing"),
    ],
)
def test_another_architecture_is_refused_by_the_first_name(other: dict, named: str, tmp_path: Path):
    method = method_with(other)
    save_model(tmp_path / "model.pt", trainer_of(method, 0).model, method, 0, 0)
    with pytest.raises(InputError, match="of another architecture") as raised:
        start_from(trainer_of(method_with({}), 0).model, tmp_path / "model.pt")
    assert named in str(raised.value)


def test_no_model_at_all_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        start_from(trainer_of(method_with({}), 0).model, tmp_path / "model.pt")


def test_checkpoints_are_told_apart_by_the_weights_that_they_began_with(tmp_path: Path):
    scene, file = small_scene(tmp_path / "scene"), tmp_path / "model.pt"
    marks = {fingerprint(method_with({}), scene, 0)}
    for content in (b"one", b"other"):
        file.write_bytes(content)
        marks.add(fingerprint(method_with({}), scene, 0, 1, file))
    assert len(marks) == 3
