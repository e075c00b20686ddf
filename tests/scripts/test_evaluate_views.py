"""Figures of renderings: held-out views over the method's background, and training views apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from neus.config import load_method, method_as_yaml
from neus.errors import InputError
from neus.images.files import write_image
from tests.helpers.small_scenes import program, small_scene


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return small_scene(tmp_path / "scene")


def write_rendering(folder: Path, name: str, grey: int) -> None:
    """Grey on the left, white on the right."""
    image = np.full((24, 32, 3), 255, np.uint8)
    image[:, :16] = grey
    write_image(folder / f"{name}.png", image)
    (folder / "depth").mkdir(parents=True, exist_ok=True)
    opacity = np.zeros((24, 32), np.float32)
    opacity[:, :16] = 1
    np.savez(folder / "depth" / f"{name}.npz", depth=opacity, opacity=opacity)


def test_views_are_measured_over_the_background_of_the_method(scene: Path, tmp_path: Path) -> None:
    write_rendering(tmp_path / "views", "000", 110)
    write_rendering(tmp_path / "views", "004", 101)
    config, output = tmp_path / "config.yaml", tmp_path / "views.json"
    words = ["--views", tmp_path / "views", "--scene", scene, "--config", config]
    words = [*map(str, words), "--output", str(output)]

    config.write_text(method_as_yaml(load_method()))
    assert program("evaluate_views")(words) == 0
    report = json.loads(output.read_text())
    errors = np.array([10, 1]) / 255
    assert report["psnr_masked"] == pytest.approx(np.mean(-20 * np.log10(errors)))
    assert report["psnr"] == pytest.approx(np.mean(-20 * np.log10(errors / np.sqrt(2))))
    assert report["mask_iou"] == 1
    assert (report["images_train"], report["images_test"]) == (6, 2)
    assert list(report["views"]) == ["000", "004"]
    assert (report["background"], report["trained_with_masks"]) == ("white", True)
    assert report["psnr_train"] is None

    without_masks = {"training": {"losses": {"mask": 0.0}}}
    config.write_text(method_as_yaml(load_method(overrides=without_masks)))
    assert program("evaluate_views")(words) == 0
    report = json.loads(output.read_text())
    assert report["psnr"] < 8, "the photo's own right half is not white"
    assert (report["background"], report["trained_with_masks"]) == ("as photographed", False)


def test_training_views_are_measured_apart(scene: Path, tmp_path: Path) -> None:
    for name in ("000", "004"):
        write_rendering(tmp_path / "views", name, 110)
    write_rendering(tmp_path / "views" / "train", "005", 101)
    write_rendering(tmp_path / "views" / "train", "007", 110)
    config, output = tmp_path / "config.yaml", tmp_path / "views.json"
    config.write_text(method_as_yaml(load_method()))
    words = ["--views", tmp_path / "views", "--scene", scene, "--config", config]
    assert program("evaluate_views")([*map(str, words), "--output", str(output)]) == 0
    report = json.loads(output.read_text())
    expected = {"005": -20 * np.log10(1 / 255 / np.sqrt(2)), "007": report["psnr"]}
    assert report["views_train"] == pytest.approx(expected)
    assert report["psnr_train"] == pytest.approx(np.mean(list(expected.values())))
    assert list(report["views"]) == ["000", "004"]


@pytest.mark.parametrize(
    ("count", "indices"), [(0, []), (1, [3]), (2, [3, 5]), (4, [3, 4, 5, 6]), (9, [3, 4, 5, 6])]
)
def test_training_views_are_evenly_spaced(count: int, indices: list[int]) -> None:
    evenly_spaced = program("render_views").__globals__["evenly_spaced"]
    assert evenly_spaced([3, 4, 5, 6], count) == indices


def test_views_that_are_missing_are_named(scene: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(method_as_yaml(load_method()))
    words = ["--views", tmp_path, "--scene", scene, "--config", config, "--output", tmp_path / "o"]
    with pytest.raises(InputError, match=r"depth/000\.npz does not exist: run render_views"):
        program("evaluate_views")([str(word) for word in words])
    assert not (tmp_path / "o").exists()
