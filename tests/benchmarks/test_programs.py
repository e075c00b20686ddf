"""The benchmarks: both sides compute the same, the floor counts right, and the programs run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.places import ROOT

CHECKLIST = ROOT / "benchmarks" / "gpu_checklist.sh"
SCAN = ROOT / "benchmarks" / "gpu_scan.sh"
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any], str]:
    """What ``--quick`` prints, and the two files that it writes."""
    output = tmp_path_factory.mktemp("benchmark") / "quick.json"
    words = ["--device", "cpu", "--threads", "2", "--quick", "--output", str(output)]
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_step", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout, json.loads(output.read_text()), output.with_suffix(".md").read_text()


def test_the_last_line_sums_up(quick: tuple[str, dict, str]):
    printed, result, _ = quick
    pattern = r"training step: ([\d.]+) ms, ([\d.]+) times eager torch, (\d+) % of the floor"
    line = re.fullmatch(pattern, printed.splitlines()[-1])
    assert line
    step = result["training_step"]
    found = [float(figure) for figure in line.groups()]
    assert found == pytest.approx(
        [step["fast_ms"], step["speedup"], 100 * step["floor_fraction"]], rel=0.05, abs=0.5
    )
    assert step["speedup"] == pytest.approx(step["eager_ms"] / step["fast_ms"])


def test_every_figure_is_there_and_positive(quick: tuple[str, dict, str]):
    _, result, document = quick
    assert set(result["scaling"]) == {"samples", "levels", "log2_entries", "threads"}
    groups = [*result["scaling"].values(), result["ceilings"]]
    for operator in result["operators"].values():
        groups.append({k: v for k, v in operator.items() if v is not None})
    for group in groups:
        assert group
        assert all(value > 0 for value in group.values())
    terms = result["floor"].values()
    assert sum(t["ms"] for t in terms) == pytest.approx(result["training_step"]["floor_ms"])
    assert {"date", "commit", "device", "torch"} <= set(result["circumstances"])
    for name in [*result["operators"], *result["floor"], *result["ceilings"]]:
        assert f"| {name} |" in document


@pytest.mark.parametrize("samples", [1, 97, 4096])
def test_the_work_unit_has_as_many_samples_as_asked_for(samples: int):
    from benchmarks.work_unit import work_unit

    unit = work_unit(samples, CPU)
    counts = unit.samples.offsets.diff()
    assert len(unit.points) == len(unit.samples.t) == counts.sum() == samples
    assert counts.min() > 0
    ray = unit.samples.ray_index
    on_ray = unit.origins[ray] + unit.samples.t[:, None] * unit.directions[ray]
    assert torch.allclose(on_ray, unit.points, atol=1e-5)
    assert unit.points.abs().max() < 1


def test_both_sides_have_the_same_loss_and_gradients():
    """Features are made large, so that second-order terms count."""
    from benchmarks.eager import EagerStep
    from benchmarks.fast import FastStep
    from benchmarks.work_unit import method, work_unit

    fast = FastStep(method(levels=8, log2_entries=12), work_unit(1000, CPU))
    field, radiance = fast.model.sdf, fast.model.radiance
    with torch.no_grad():
        field.table.mul_(300)
    field.table_gradient = None
    eager = EagerStep(fast.model, fast.unit, rate=0.0)
    ours = [field.table, *field.layers.weights, *field.layers.biases]
    ours += [*radiance.layers.weights, *radiance.layers.biases, fast.model.variance]
    theirs = [eager.table, *eager.networks, eager.variance]
    one, other = fast.loss(), eager.loss()
    assert one.item() == pytest.approx(other.item(), rel=1e-5)
    gradients = zip(torch.autograd.grad(one, ours), torch.autograd.grad(other, theirs), strict=True)
    for found, expected in gradients:
        assert (found - expected).norm() <= 1e-3 * expected.norm()


def test_the_floor_counts_the_products_of_the_default_networks():
    """By hand: 35-64-13 for the distance, 35-64-64-3 for the colour, 16 columns with gradient."""
    from benchmarks.floor import terms_of_step
    from benchmarks.work_unit import method
    from neus.models.neus import NeuS

    model = NeuS(method(16, 12).model, torch.Generator())
    terms = terms_of_step(model, 10, CPU)
    products = [t.amount for name, t in terms.items() if "network" in name]
    by_hand = 6 * 35 * 64 + 3 * 64 * 13 + 64 * (2 * 35 + 16) + 3 * 64 * 64 + 3 * 64 * 3
    assert sum(products) == 2 * 10 * by_hand
    assert terms["gathers"].amount == 10 * 16 * 8
    gathers = terms["gathers"]
    assert gathers.milliseconds({gathers.ceiling: 2.0}) == pytest.approx(1280 / 2e6 * 1e3)


def test_rounds_take_turns_and_preparations_are_not_timed():
    from benchmarks.timing import Case, interleaved

    calls: list[str] = []
    cases = {
        name: Case(lambda prepared, name=name: calls.append(name + prepared), lambda: "!")
        for name in "ab"
    }
    timings = interleaved(cases, 2, CPU)
    assert calls == ["a!", "a!", "b!", "b!"] * 3
    assert all(0 <= t.best_ms <= t.median_ms for t in timings.values())


def test_the_scan_is_a_solid_in_the_unit_sphere():
    from benchmarks.gpu.scan import wavy_ball

    scan = wavy_ball(9, 40, 30, CPU)
    assert scan.test == (0, 8)
    assert scan.train == list(range(1, 8))
    for image, mask in zip(scan.images, scan.masks, strict=True):
        assert image.shape == (30, 40, 3)
        assert 0.2 < (mask > 0).mean() < 0.5
        assert not mask[[0, -1]].any()
        assert not image[mask == 0].any()
        assert image[mask > 0].std() > 20


ABSENT = ["cv2", "scipy", "pandas", "omegaconf", "trimesh", "mcubes", "pycolmap", "av", "snakemake"]
"""What a machine with a card may lack; numba and jaxtyping are missing on some, too."""


def without(modules: list[str], code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A program that cannot import these modules."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({modules})); "
    command = [sys.executable, "-c", blocked + code, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_checklist_is_sound_and_its_parts_import_without_a_gpu():
    subprocess.run(["bash", "-n", str(CHECKLIST)], check=True)
    assert os.access(CHECKLIST, os.X_OK)
    script = CHECKLIST.read_text()
    limits = [
        int(limit) for limit in re.findall(r"^ *part (?!train_scan_plain)\w+ (\d+) ", script, re.M)
    ]
    assert len(limits) == 8
    assert sum(limits) <= 400
    modules = set(re.findall(r"-m (benchmarks[.\w]+)", script))
    assert len(modules) == 8
    code = "; ".join(f"import {module}" for module in sorted(modules))
    imported = without([*ABSENT, "numba", "jaxtyping"], code)
    assert imported.returncode == 0, imported.stderr


def test_every_path_that_the_checklist_names_exists():
    named = set(re.findall(r"(?:tests|benchmarks)/[\w/*.]+", CHECKLIST.read_text()))
    assert len(named) == 3
    for pattern in named:
        assert list(ROOT.glob(pattern)), pattern


def test_the_scan_on_a_card_names_programs_and_options_that_exist():
    subprocess.run(["bash", "-n", str(SCAN)], check=True)
    assert os.access(SCAN, os.X_OK)
    calls = re.sub(r"\\\n", " ", SCAN.read_text())
    stages = re.findall(r"^stage (\w+) (.*)$", calls, re.M)
    assert len(stages) == 5
    for program, words in stages:
        told = (ROOT / "scripts" / f"{program}.py").read_text()
        options = {"--scene", *re.findall(r"--[\w-]+", words)}
        options |= {"--device", "--threads"} if "${on[@]}" in words else set()
        assert all(f'"{option}"' in told for option in options), program


def test_the_tests_of_the_kernels_run_on_a_machine_that_lacks_most_packages():
    patterns = re.findall(r"tests/[\w/*.]+", CHECKLIST.read_text())
    files = [str(file) for pattern in patterns for file in sorted(ROOT.glob(pattern))]
    words = ["-q", "-p", "no:cacheprovider", "-k", "strides or adam", *files]
    done = without(ABSENT, "import pytest; sys.exit(pytest.main(sys.argv[1:]))", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^[3-9] passed, \d+ deselected", done.stdout, re.M), done.stdout


def test_the_summary_shows_what_is_there(tmp_path: Path):
    from benchmarks.gpu.summary import document

    (tmp_path / "parts.tsv").write_text("step_rate\tpassed\t12\ntrain_scan\tfailed (1)\t3\n")
    rate = {"plain": {"steps_per_second": 250.0}, "graph": {"steps_per_second": 512.0}}
    (tmp_path / "step_rate.json").write_text(json.dumps(rate))
    text = document(tmp_path)
    assert "| train_scan | failed (1) | 3 |" in text
    assert "| steps/s, plain | 250 | >= 400 | no |" in text
    assert "| steps/s, graph | 512 | >= 400 | yes |" in text
    assert "PSNR" not in text
