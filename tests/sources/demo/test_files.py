"""The demo's files: read back, made again from the same seed, replaced, refused."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neus.errors import InputError
from neus.sources.demo import _forget_stale_kernels, make_demo
from neus.sources.dtu import read_dtu
from tests.helpers.demo_scan import HEIGHT, SMALL, VIEWS, WIDTH, coarse_reference, files
from tests.helpers.places import ROOT


@pytest.fixture(scope="module")
def coarse() -> Iterator[None]:
    with coarse_reference():
        yield


@pytest.fixture(scope="module")
def demo(coarse: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "scan"
    make_demo(folder, **SMALL)
    return folder


def test_compiled_code_older_than_any_module_is_dropped(tmp_path: Path) -> None:
    module, index = tmp_path / "module.py", tmp_path / "__pycache__" / "kernel.nbi"
    index.parent.mkdir()
    module.touch()
    index.touch()
    os.utime(module, (1000, 1000))
    _forget_stale_kernels(tmp_path)
    assert index.exists()
    os.utime(index, (999, 999))
    _forget_stale_kernels(tmp_path)
    assert not index.exists()


def test_the_reader_of_the_layout_finds_centred_cameras_and_the_unit_sphere(demo: Path) -> None:
    capture = read_dtu(demo, masks=True)
    cameras = capture.scene.cameras
    assert len(cameras) == VIEWS
    np.testing.assert_allclose(cameras.intrinsics[:, :2, 2], [[WIDTH / 2, HEIGHT / 2]] * VIEWS)
    assert capture.sphere is not None
    axes = capture.sphere.inverse().apply(cameras.centres)
    assert (np.abs(np.linalg.norm(axes, axis=1) - 3.1) < 0.2).all()


def test_a_seed_says_all(demo: Path, coarse: None, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    make_demo(tmp_path / "again", **SMALL, advance=lambda *done: told.append(done))
    assert told == [("surface", 0), *(("photos", i / VIEWS) for i in range(VIEWS + 1))]
    make_demo(tmp_path / "other", **SMALL, seed=1)
    first, again, other = (files(f) for f in (demo, tmp_path / "again", tmp_path / "other"))
    dated = {name for name in first if name.endswith(".mat")}  # MATLAB files say when
    assert first.keys() == again.keys() == other.keys()
    assert {name for name in first if first[name] != again[name]} <= dated
    same = {name for name in first.keys() - dated if first[name] == other[name]}
    assert same == {"reference/mesh.ply"}


def test_a_demo_is_replaced_and_nothing_else_is(demo: Path, coarse: None, tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    (folder / "image").mkdir(parents=True)  # as a workflow may prepare it
    make_demo(folder, **SMALL)
    (folder / "image" / "stray.png").touch()
    make_demo(folder, **SMALL)
    assert files(folder).keys() == files(demo).keys()
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]
    real = tmp_path / "real"
    (real / "image").mkdir(parents=True)
    (real / "image" / "000000.png").touch()
    with pytest.raises(InputError, match="real exists and is not a demo scan"):
        make_demo(real, **SMALL)
    assert files(real) == {"image/000000.png": b""}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"views": 3}, "views is 3: a demo scan needs 4 or more"),
        ({"width": 8}, "width is 8: a demo scan needs 16 or more pixels"),
        ({"height": 15}, "height is 15: a demo scan needs 16 or more pixels"),
        ({"seed": -1}, "seed is -1: use 0 or a positive number"),
    ],
)
def test_arguments_out_of_range_are_refused_before_anything_is_written(
    arguments: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=sentence):
        make_demo(tmp_path / "scan", **arguments)
    assert not list(tmp_path.iterdir())


def test_the_program_writes_where_it_is_told(coarse: None, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_demo.py"
    options = ["--views", "4", "--width", "32", "--height", "24", "--seed", "2"]
    main = runpy.run_path(str(script))["main"]
    assert main([*options, "--output", str(tmp_path / "scan")]) == 0
    record = json.loads((tmp_path / "scan/scan.json").read_text())
    assert record["unit"] == "mm"
    assert [record[key] for key in ("views", "width", "height", "seed")] == [4, 32, 24, 2]
