"""Rates and weight decay of the groups, and batches from one image."""

from __future__ import annotations

import torch

from neus.training.rays import PixelPool
from neus.training.trainer import Trainer
from tests.helpers.outside_trainings import new_trainer as background_trainer
from tests.helpers.outside_trainings import small_method as background_method
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


def test_the_networks_of_the_surroundings_move_at_the_same_rates():
    rates = {"table": 0.03, "sdf": 0.001, "radiance": 0.02, "schedules": [[{}]]}
    trainer = background_trainer(background_method(10, learning_rates=rates))
    outside = trainer.model.outside
    assert outside is not None
    groups = {"table": [outside.field.table], "sdf": outside.field.layers.weights}
    groups["radiance"] = outside.radiance.layers.weights
    before = {name: [p.detach().clone() for p in group] for name, group in groups.items()}
    trainer.train_step()
    for name, group in groups.items():
        moved = [
            float((new.detach() - old).abs().max())
            for new, old in zip(group, before[name], strict=True)
        ]
        assert abs(max(moved) / rates[name] - 1) < 1e-3, name


def test_a_method_may_train_on_one_image_at_a_time():
    method = small_method(10, one_image_batches=True)
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    assert all(torch.isfinite(trainer.train_step().loss) for _ in range(5))
