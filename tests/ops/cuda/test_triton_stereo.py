"""PatchMatch in Triton against the oracle in float64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neus.ops import cuda, reference
from neus.ops.stereo import Matching
from tests.helpers.stereo_views import StereoView, stereo_view
from tests.helpers.textured_scenes import textured_scene
from tests.helpers.triton_cases import DEVICE, large_blocks


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> StereoView:
    folder: Path = tmp_path_factory.mktemp("ball")
    scene, truths = textured_scene(folder, "ball", views=3, width=24, height=18, focal=30)
    return stereo_view(scene, truths)


@pytest.mark.parametrize(
    "matching",
    [
        Matching(radius=1, counted=2, iterations=0),
        pytest.param(Matching(radius=1, counted=1, iterations=2), marks=pytest.mark.long),
        Matching(radius=1, spacing=2, counted=4, noise=0.02, iterations=1),
    ],
    ids=["score", "near and far", "wide windows, more counted than there are"],
)
def test_triton_equals_the_oracle(view: StereoView, matching: Matching):
    with large_blocks():
        fast = view.match(cuda, matching, device=DEVICE)
    slow = view.match(reference, matching, torch.float64)
    same = (fast[0] - slow[0]).abs() < 1e-4
    assert same.double().mean() > 0.995  # a tie may fall to either side
    for one, other in zip(fast[1:], slow[1:], strict=True):
        assert (one - other).abs()[same].max() < 1e-2


def test_the_truth_is_a_start_that_stays(view: StereoView):
    matching = Matching(radius=1, counted=2, iterations=0)
    with large_blocks():
        depth, _, cost = view.match(cuda, matching, start=view.truth, device=DEVICE)
    assert (depth - view.truth[0])[view.inner].abs().max() < 1e-5
    assert cost[view.inner].median() < 0.02
    blind = replace(view.sources, inside=torch.zeros_like(view.sources.inside))
    with large_blocks():
        refused = replace(view, sources=blind).match(
            cuda, matching, start=view.truth, device=DEVICE
        )[2]
    assert (refused[view.inner] >= 1).all()
