"""Figures of a run: views over the method's background, and frames aligned by known cameras."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neus.config import load_method
from neus.errors import InputError
from neus.metrics.evaluation import (
    Surroundings,
    align_by_cameras,
    mesh_report,
    view_figures,
    views_report,
)
from neus.scene.cameras import Cameras, look_at
from neus.scene.reading import Frame, Scene
from neus.scene.similarity import Similarity

WHITE, AS_IT_IS = (
    Surroundings(1.0, "white", True),
    Surroundings(None, "as photographed", False),
)


def test_a_method_that_learns_from_masks_sees_photos_over_its_background() -> None:
    assert Surroundings.of(load_method()) == WHITE
    without = {"training": {"losses": {"mask": 0.0}}}
    assert Surroundings.of(load_method(overrides=without)) == AS_IT_IS


def scene_of(names: list[str], centres: np.ndarray, to_source: Similarity | None = None) -> Scene:
    """Cameras at the given centres, all of which look at the origin."""
    up = np.array([0.1, 0.2, 1.0])
    poses = np.stack([look_at(centre, np.zeros(3), up) for centre in centres])
    intrinsics = np.tile(np.array([[40.0, 0, 16], [0, 40, 12], [0, 0, 1]]), (len(names), 1, 1))
    sizes = np.full(len(names), 32), np.full(len(names), 24)
    return Scene(
        frames=tuple(Frame(name, Path(f"{name}.png"), None) for name in names),
        cameras=Cameras(intrinsics, poses, *sizes),
        to_source=to_source or Similarity.identity(),
        unit="mm",
        test=(0,),
        points=np.zeros((0, 3)),
        points_rgb=np.zeros((0, 3), np.uint8),
    )


def random_similarity(rng: np.random.Generator) -> Similarity:
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return Similarity(3.0, rotation * np.linalg.det(rotation), rng.normal(size=3))


def test_a_photo_is_shown_over_the_background_by_its_mask() -> None:
    rng = np.random.default_rng(0)
    photo = rng.random((24, 32, 3))
    coverage = np.zeros((24, 32))
    coverage[4:20, 8:24] = 1
    coverage[4:20, 8] = 0.25
    on_white = photo * coverage[..., None] + 1 - coverage[..., None]
    figures = view_figures(on_white, coverage, photo, coverage, WHITE)
    assert min(figures.psnr, figures.psnr_masked) > 200
    assert figures.ssim == pytest.approx(1)
    assert figures.mask_iou == 1

    as_it_is = view_figures(on_white, coverage, photo, coverage, AS_IT_IS)
    assert as_it_is.psnr < 12
    assert as_it_is.psnr_masked > 200


def test_an_error_outside_the_mask_counts_in_the_whole_image_alone() -> None:
    photo = np.full((24, 32, 3), 0.5)
    coverage = np.zeros((24, 32))
    coverage[:12] = 1
    rendering = np.where(coverage[..., None] > 0, np.full(3, 0.6), 1.0)
    figures = view_figures(rendering, coverage, photo, coverage, Surroundings(0.8, "grey", True))
    assert figures.psnr_masked == pytest.approx(-10 * math.log10(0.01))
    assert figures.psnr == pytest.approx(-10 * math.log10((0.01 + 0.04) / 2))


def test_without_a_mask_only_whole_images_are_measured() -> None:
    photo = np.full((24, 32, 3), 0.5)
    figures = view_figures(photo + 0.1, np.ones((24, 32)), photo, None, WHITE)
    assert figures.psnr == pytest.approx(20)
    assert math.isnan(figures.psnr_masked)
    assert math.isnan(figures.mask_iou)


def test_means_leave_out_views_without_a_value() -> None:
    scene = scene_of(["a", "b", "c"], np.eye(3))
    photo = np.full((24, 32, 3), 0.5)
    views = {
        "a": view_figures(photo + 0.1, np.ones((24, 32)), photo, None, AS_IT_IS),
        "b": view_figures(photo + 0.01, np.ones((24, 32)), photo, np.ones((24, 32)), AS_IT_IS),
    }
    train = {"d": 10.0, "e": math.inf, "f": 20.0}
    report = views_report(scene, views, train, WHITE)
    assert report["psnr"] == pytest.approx(30)
    assert report["psnr_masked"] == pytest.approx(40)
    assert report["views"]["a"]["psnr_masked"] is None
    assert (report["psnr_train"], report["views_train"]["e"]) == (15.0, None)
    assert (report["images_train"], report["images_test"], report["reason"]) == (2, 1, None)

    nothing = views_report(replace(scene, test=()), {}, {}, AS_IT_IS)
    assert nothing["psnr"] is nothing["mask_iou"] is nothing["psnr_train"] is None
    assert nothing["reason"] == "no view is held out: holdout is 0"


def test_known_cameras_give_the_similarity_between_the_frames() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(6, 3)) * 5
    truth, to_source = random_similarity(rng), random_similarity(rng)
    names = ["000003", "000007", "000001", "000004", "000005", "000002"]
    known = scene_of(names, truth.apply(to_source.apply(centres)))
    # The scene has lost two photos, and its files are numbered in another way.
    kept = [4, 0, 1, 3]
    scene = scene_of([str(int(names[i])) for i in kept], centres[kept], to_source)
    alignment = align_by_cameras(scene, known)
    np.testing.assert_allclose(alignment.similarity.matrix, truth.matrix, atol=1e-9)
    assert alignment.cameras == 4
    assert alignment.residual < 1e-9

    # Two centres that move apart by 0.1 each leave a residual of 0.1 sqrt(2/4) at most.
    moved = known.cameras.camera_to_world.copy()
    moved[[4, 0], 0, 3] += [0.1, -0.1]
    worse = replace(known, cameras=replace(known.cameras, camera_to_world=moved))
    assert 1e-3 < align_by_cameras(scene, worse).residual <= 0.1 * math.sqrt(0.5)


def test_a_name_counts_before_a_number() -> None:
    centres = np.random.default_rng(2).normal(size=(8, 3)) * 5
    left, right = [f"left_{i}" for i in range(4)], [f"right_{i}" for i in range(4)]
    known = scene_of(left + right, centres)
    assert align_by_cameras(scene_of(right, centres[4:]), known).residual < 1e-9


@pytest.mark.parametrize(
    ("names", "sentence"),
    [(["1", "2"], "share 2 images"), (["1", "2", "3"], "share 3 images .* do not lie on one line")],
)
def test_too_few_known_cameras(names: list[str], sentence: str) -> None:
    centres = np.outer(np.arange(1, len(names) + 1), [1.0, 2.0, 3.0])
    scene = scene_of(names, centres)
    with pytest.raises(InputError, match=sentence):
        align_by_cameras(scene, scene)


def test_a_mesh_without_a_reference_has_no_figures_and_a_reason() -> None:
    report = mesh_report(None, "neus", None, "the scan has no reference")
    assert report.pop("reason") == "the scan has no reference"
    assert report.pop("culling") == "neus"
    assert {"accuracy", "completeness", "chamfer", "fscore", "unit"} <= set(report)
    assert set(report.values()) == {None}
