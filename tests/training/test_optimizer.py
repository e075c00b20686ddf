"""Rates and weight decay of the groups, and batches from one image."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

from neus.errors import InputError
from neus.ops import reference
from neus.training.adam import FusedAdam, Group
from neus.training.rays import PixelPool
from neus.training.trainer import Trainer
from tests.helpers.outside_trainings import new_trainer as background_trainer
from tests.helpers.outside_trainings import small_method as background_method
from tests.helpers.places import ROOT
from tests.helpers.trainings import CPU, small_method, sphere_capture, surface_of


def moved(**rates: float) -> dict[str, float]:
    """The largest change of each group's parameters in one step at the peak of all rates."""
    schedules = [[{}]]
    method = small_method(10, learning_rates={"schedules": schedules, **rates})
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    model = surface_of(trainer)
    groups = {"sdf": model.sdf.layers, "radiance": model.radiance}
    before = {name: [p.detach().clone() for p in g.parameters()] for name, g in groups.items()}
    table, variance = model.sdf.table.detach().clone(), model.variance.detach().clone()
    trainer.train_step()
    changes = {
        name: max(
            float((new.detach() - old).abs().max())
            for new, old in zip(groups[name].parameters(), before[name], strict=True)
        )
        for name in groups
    }
    changes["table"] = float((model.sdf.table.detach() - table).abs().max())
    changes["inv_s"] = float((model.variance.detach() - variance).abs())
    return changes


def test_each_group_moves_at_its_own_rate():
    """The first step of Adam is as long as the rate."""
    rates = {"table": 0.03, "sdf": 0.001, "radiance": 0.02, "inv_s": 0.004}
    found = moved(**rates)
    for name, rate in rates.items():
        assert abs(found[name] / rate - 1) < 1e-3, name
    together = moved(networks=0.007)
    assert abs(together["sdf"] / 0.007 - 1) < 1e-3
    assert abs(together["radiance"] / 0.007 - 1) < 1e-3


def test_weight_decay_is_that_of_adamw():
    """One step without and with decay differ by rate * decay * weight, in table and networks."""
    weights = []
    for decay in (0.0, 0.1):
        method = small_method(
            10, learning_rates={"schedules": [[{}]], "weight_decay": decay, "table": 0.01}
        )
        trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
        model = surface_of(trainer)
        start = [p.detach().clone() for p in model.parameters()]
        trainer.train_step()
        now = [p.detach() for p in model.parameters()]
        weights.append(now)
    model = surface_of(trainer)
    rates = {id(p): 5e-3 for p in model.parameters()}
    rates[id(model.sdf.table)], rates[id(model.variance)] = 0.01, 0.0
    for parameter, old, plain, decayed in zip(model.parameters(), start, *weights, strict=True):
        expected = -rates[id(parameter)] * 0.1 * old
        torch.testing.assert_close(decayed - plain, expected, atol=2e-7, rtol=1e-2)


def check_first_step(trainer: Trainer, groups: dict[str, Any], rates: dict[str, Any]) -> None:
    """Adam's first step is as long as the rate of each group of parameters."""
    before = {name: [p.detach().clone() for p in group] for name, group in groups.items()}
    trainer.train_step()
    for name, group in groups.items():
        moved = [
            float((new.detach() - old).abs().max())
            for new, old in zip(group, before[name], strict=True)
        ]
        assert abs(max(moved) / rates[name] - 1) < 1e-3, name


def test_the_networks_of_the_surroundings_move_at_the_same_rates():
    rates = {"table": 0.03, "sdf": 0.001, "radiance": 0.02, "schedules": [[{}]]}
    trainer = background_trainer(background_method(10, learning_rates=rates))
    outside = trainer.model.outside
    assert outside is not None
    groups = {"table": [outside.field.table], "sdf": outside.field.layers.weights}
    groups["radiance"] = outside.radiance.layers.weights
    check_first_step(trainer, groups, rates)


def test_the_networks_of_the_surroundings_may_have_rates_of_their_own():
    within = {"table": 0.03, "sdf": 0.001, "radiance": 0.02}
    beyond = {"outside_table": 0.011, "outside_density": 0.004, "outside_radiance": 0.007}
    rates = {**within, **beyond, "schedules": [[{}]]}
    trainer = background_trainer(background_method(10, learning_rates=rates))
    model, outside = surface_of(trainer), trainer.model.outside
    assert outside is not None
    groups = {
        "table": [model.sdf.table], "sdf": model.sdf.layers.weights,
        "radiance": model.radiance.layers.weights, "outside_table": [outside.field.table],
        "outside_density": outside.field.layers.weights,
        "outside_radiance": outside.radiance.layers.weights,
    }  # fmt: skip
    check_first_step(trainer, groups, rates)


def test_table_networks_and_sharpness_have_the_betas_and_the_epsilon_that_are_asked_for():
    """torch's Adam is the oracle; most gradients are far below so large an epsilon."""
    constants = {"betas": [0.5, 0.75], "eps": 1e-2}
    rates = {"schedules": [[{}]], "table": 5e-3, "inv_s": 5e-3, **constants}
    trainer = Trainer(
        small_method(10, learning_rates=rates), PixelPool(*sphere_capture(), CPU), CPU, 0,
        backend=reference,
    )  # fmt: skip
    model = surface_of(trainer)
    learnt = dict(model.named_parameters())
    copies = {name: p.detach().clone().requires_grad_() for name, p in learnt.items()}
    adam = torch.optim.Adam(copies.values(), lr=5e-3, betas=(0.5, 0.75), eps=1e-2)
    step = trainer.optimizer.step

    def both(factor: float) -> None:
        for name, parameter in learnt.items():
            found = model.sdf.table_gradient.dense if name == "sdf.table" else parameter.grad
            assert found is not None
            copies[name].grad = found.clone()
        adam.step()
        step(factor)

    trainer.optimizer.step = both  # pyright: ignore
    for _ in range(3):
        trainer.train_step()
    for name, parameter in learnt.items():
        torch.testing.assert_close(parameter.detach(), copies[name].detach(), msg=name)


@pytest.mark.parametrize(
    "wrong", [{"betas": [0.9]}, {"betas": [0.9, 1.0]}, {"betas": [-0.1, 0.9]}, {"eps": 0.0}]
)
def test_constants_that_adam_cannot_have_are_refused(wrong: dict):
    with pytest.raises(InputError, match=f"training.learning_rates.{next(iter(wrong))}"):
        small_method(10, learning_rates=wrong)


def test_a_method_may_train_on_one_image_at_a_time():
    method = small_method(10, one_image_batches=True)
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    assert all(torch.isfinite(trainer.train_step().loss) for _ in range(5))


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_is_bit_for_bit_that_of_torch_and_each_goes_on_from_the_others_state(decay: float):
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((4, 3), (5,), ())]
    ours, theirs = ([p.clone().requires_grad_() for p in start] for _ in range(2))

    def new() -> tuple[FusedAdam, torch.optim.AdamW]:
        groups = [Group(ours[:2], 0.02, decay), Group(ours[2:], 0.1)]
        rates = [{"params": theirs[:2], "weight_decay": decay}, {"params": theirs[2:]}]
        of_torch = torch.optim.AdamW(rates, betas=(0.8, 0.95), weight_decay=0.0, fused=True)
        return FusedAdam(groups, (0.8, 0.95), 1e-8), of_torch

    def step(factor: float | torch.Tensor, adam: FusedAdam, of_torch: torch.optim.AdamW) -> None:
        for parameter, other in zip(ours[1:], theirs[1:], strict=True):  # the first has none
            parameter.grad = torch.randn(parameter.shape, generator=generator)
            other.grad = parameter.grad.clone()
        of_torch.param_groups[0]["lr"] = factor * 0.02
        of_torch.param_groups[1]["lr"] = factor * 0.1
        adam.step(factor)
        of_torch.step()

    first = new()
    for factor in (1.0, torch.tensor(0.5)):
        step(factor, *first)
    second = new()
    second[0].load_state_dict(first[1].state_dict())
    saved = first[0].state_dict()
    assert saved["state"].keys() == first[1].state_dict()["state"].keys() == {1, 2}
    second[1].load_state_dict(first[1].state_dict() | {"state": saved["state"]})
    step(0.25, *second)
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    second[0].zero_grad()
    assert all(parameter.grad is None for parameter in ours)
    with pytest.raises(ValueError, match=r"\[3\].*\[2, 1\]"):
        second[0].load_state_dict({"state": {}, "param_groups": [{"params": [0, 1, 2]}]})


def test_a_training_does_not_load_the_compiler_of_torch():
    """Two seconds of its start; in a new process, since other tests make torch's optimizers."""
    code = "import sys; from tests.helpers.trainings import new_trainer, small_method;"
    code += "new_trainer(small_method(10)).train_step(); print('torch._dynamo' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.split() == ["False"], ran.stderr
