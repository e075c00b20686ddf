"""Methods: defaults, overlays and refusals; schedules as functions of the step."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.config import MethodConfig, load_method, method_as_yaml
from neus.errors import InputError
from neus.models.schedule import stage_at
from tests.helpers.places import ROOT

METHODS = sorted((ROOT / "config" / "methods").glob("*.yaml"))


def test_no_file_and_no_overrides_are_the_defaults():
    assert load_method() == MethodConfig()


@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
def test_every_method_file_loads(path: Path):
    assert isinstance(load_method(path), MethodConfig)


def test_overrides_win_over_the_file(tmp_path: Path):
    path = tmp_path / "method.yaml"
    path.write_text("training: {steps: 100, samples: 4096}")
    method = load_method(path, {"training": {"steps": 7}})
    assert (method.training.steps, method.training.samples) == (7, 4096)


def test_resolved_method_reads_back_as_itself(tmp_path: Path):
    method = load_method(None, {"training": {"losses": {"mask": 0.25}}})
    (tmp_path / "config.yaml").write_text(method_as_yaml(method))
    assert load_method(tmp_path / "config.yaml") == method


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"trainig": {"steps": 5}}, "trainig"),
        ({"training": {"stepz": 5}}, "training.stepz"),
        ({"training": {"steps": "many"}}, "training.steps"),
        ({"training": {"losses": {"mask": [1]}}}, "training.losses.mask"),
        ({"training": {"steps": 0}}, "training.steps"),
        ({"model": {"background": "green"}}, "model.background"),
        ({"model": {"hash_grid": {"initial_levels": 17}}}, "initial_levels"),
        ({"model": {"hash_grid": {"features": 0}}}, "features"),
        ({"model": {"hash_grid": {"levels_from": 0.5}}}, "levels_from"),
        ({"model": {"sdf": {"encoding": "wavelets"}}}, "model.sdf.encoding"),
        ({"model": {"sdf": {"activation": "tanh"}}}, "model.sdf.activation"),
        ({"model": {"sdf": {"gradient": {"taps": 5}}}}, "model.sdf.gradient.taps"),
        ({"model": {"sdf": {"max_inv_s": 0.5}}}, "model.sdf.max_inv_s"),
        ({"training": {"losses": {"curvature": 1.0}}}, "gradient.kind"),
        ({"model": {"radiance": {"direction_degree": 9}}}, "direction_degree"),
        ({"model": {"outside": {"hash_grid": {"features": 0}}}}, "outside.hash_grid.features"),
        ({"model": {"marching": {"last_step": 0.0}}}, "last_step"),
        ({"model": {"density": {"activation": "softplu"}}}, "model.density.activation"),
        ({"model": {"outside": {"radiance": {"output": "scale"}}}}, "outside.radiance.output"),
        ({"model": {"cos_anneal_end": 1.5}}, "cos_anneal_end"),
        ({"training": {"samples": 600}}, "training.samples"),
        ({"training": {"patch_points": "ball"}}, "training.patch_points"),
    ],
)
def test_a_wrong_key_or_value_is_named_in_one_sentence(overrides: dict, named: str):
    with pytest.raises(InputError) as refused:
        load_method(None, overrides)
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_method_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"absent\.yaml does not exist"):
        load_method(tmp_path / "absent.yaml")


def test_stages_are_fractions_of_the_budget():
    model = MethodConfig().model
    first, last = stage_at(model, 0, 1000), stage_at(model, 1000, 1000)
    assert first.active_levels == model.hash_grid.initial_levels
    assert first.step_length == model.marching.first_step
    assert first.cos_anneal == 0
    assert last.active_levels == model.hash_grid.levels
    assert last.step_length == pytest.approx(model.marching.last_step)
    assert last.cos_anneal == 1
    assert stage_at(model, 250, 1000) == stage_at(model, 500, 2000)
    half = stage_at(model, 500, 1000)
    assert half.active_levels == model.hash_grid.levels
    levels = [stage_at(model, step, 1000).active_levels for step in range(1000)]
    assert levels == sorted(levels)
    assert set(levels) == set(range(model.hash_grid.initial_levels, model.hash_grid.levels + 1))
