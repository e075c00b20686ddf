"""Budgets: what they lay over a method, what they leave, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from neus.config import identity_as_yaml, load_budget, load_method
from neus.config.budgets import RECORD, recorded_budget
from neus.errors import InputError
from tests.config.test_identity import OF_289DC8F
from tests.helpers.places import ROOT

BUDGETS = ROOT / "config" / "budgets"
METHODS = sorted((ROOT / "config" / "methods").glob("*.yaml"))
OF_289DC8FS = ("neus-colour", "neus-mask-colour", "neus-blender", "nerf-blender")
MILLIMETRES = {"scan24": 231.0682, "scan65": 164.60439}
"""Radii of DTU's spheres, from scale_mat_0 of NeuS's cameras."""


@pytest.mark.parametrize("name", OF_289DC8FS)
def test_the_laptops_budget_is_what_finished_runs_had(name: str) -> None:
    method = load_method(
        ROOT / "config" / "methods" / f"{name}.yaml",
        budget=load_budget(BUDGETS / "laptop.yaml", name),
    )
    digest = hashlib.sha256(identity_as_yaml(method).encode()).hexdigest()
    assert digest[:16] == OF_289DC8F[name]


def test_the_laptops_budget_leaves_the_default_method_as_it_is() -> None:
    path = ROOT / "config" / "methods" / "neus-mask.yaml"
    assert load_method(path, budget=load_budget(BUDGETS / "laptop.yaml", path.stem)) == load_method(
        path
    )


@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
@pytest.mark.parametrize("budget", ["laptop", "card"])
def test_every_method_takes_a_devices_budget(path: Path, budget: str) -> None:
    load_method(path, budget=load_budget(BUDGETS / f"{budget}.yaml", path.stem))


def test_a_card_trains_as_finely_as_papers_measure() -> None:
    for name in ("neus", "neus-mask"):
        budget = load_budget(BUDGETS / "card.yaml", name)
        method = load_method(ROOT / "config" / "methods" / f"{name}.yaml", budget=budget)
        assert 19 <= method.model.hash_grid.log2_entries <= 21
        assert max(method.model.marching.last_step * mm for mm in MILLIMETRES.values()) <= 0.55
        assert method.training.samples >= 30 * 8192
        assert budget.resolution == 1024


def test_the_papers_figures_are_those_of_neus_and_neuralangelo() -> None:
    paper = BUDGETS / "paper.yaml"
    neus = load_budget(paper, "neus-mask").keys["training"]
    assert (neus["steps"], neus["samples"]) == (300_000, 512 * (64 + 64))
    neuralangelo = load_budget(paper, "neuralangelo-dtu-wmask").keys
    assert neuralangelo["training"]["samples"] == 512 * (64 + 4 * 16)
    assert neuralangelo["model"]["hash_grid"]["log2_entries"] == 22
    for name in yaml.safe_load(paper.read_text())["methods"]:
        load_method(ROOT / "config" / "methods" / f"{name}.yaml", budget=load_budget(paper, name))


def test_instant_nsr_pls_methods_hold_the_figures_of_their_program() -> None:
    path = ROOT / "config" / "methods" / "neus-dtu.yaml"
    budget = load_budget(BUDGETS / "paper.yaml", "neus-dtu")
    assert load_method(path, budget=budget) == load_method(path)


def test_overrides_count_more_than_a_budget_and_a_budget_more_than_a_method(tmp_path: Path) -> None:
    (tmp_path / "method.yaml").write_text("training: {steps: 1, samples: 4096, validations: 2}")
    (tmp_path / "mine.yaml").write_text("training: {steps: 2, samples: 5000}")
    budget = load_budget(tmp_path / "mine.yaml", "method")
    training = load_method(tmp_path / "method.yaml", {"training": {"steps": 3}}, budget).training
    assert (training.steps, training.samples, training.validations) == (3, 5000, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no readable YAML"),
        ("[1]", "holds no keys"),
        ("trainig: {steps: 5}", "trainig"),
        ("mesh: {cells: 5}", "mesh"),
        ("mesh: {resolution: 5}", r"mesh\.resolution"),
        ("methods: {other: {training: {steps: 5}}}", "nothing for the method neus, expected one"),
    ],
)
def test_a_budget_that_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_budget(path, "neus")
    assert "mine.yaml" in str(caught.value)


def test_keys_that_no_method_has_are_named_with_the_budget(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("training: {stepz: 5}")
    with pytest.raises(InputError, match=r"mine\.yaml: key training\.stepz"):
        load_method(budget=load_budget(path, "neus"))
    with pytest.raises(InputError, match="the budgets are mine"):
        load_budget(tmp_path / "absent.yaml", "neus")


def test_a_run_remembers_its_budget_while_it_trains_and_after(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert recorded_budget(run) is None
    (tmp_path / "train.json").write_text('{"budget": "card"}')
    assert recorded_budget(run) == "card"
    run.mkdir()
    (run / RECORD).write_text("laptop\n")
    assert recorded_budget(run) == "laptop"
    (run / RECORD).unlink()
    (tmp_path / "train.json").write_text("[]")
    assert recorded_budget(run) is None
