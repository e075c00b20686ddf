"""PatchMatch: numba against the oracle in float64, and what every backend has to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neus.ops import cpu, reference
from neus.ops.cpu import stereo_kernels
from neus.ops.reference.stereo_planes import uniform
from neus.ops.stereo import Matching, depth_and_normal, key_of, mixed, planes_of
from tests.helpers.stereo_views import StereoView, stereo_view
from tests.helpers.textured_scenes import textured_scene

MATCHING = Matching(iterations=2, counted=2)


@pytest.fixture(scope="module", params=["plane", "ball"])
def view(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StereoView:
    folder = tmp_path_factory.mktemp(request.param)
    scene, truths = textured_scene(folder, request.param, views=5, width=64, height=48, focal=80)
    return stereo_view(scene, truths)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "changed", [{}, {"radius": 1, "spacing": 2}, {"counted": 4}, {"noise": 0.1}]
)
def test_the_cpu_equals_the_oracle(view: StereoView, changed: dict):
    matching = replace(MATCHING, **changed)
    fast, slow = view.match(cpu, matching), view.match(reference, matching, torch.float64)
    same = (fast[0] - slow[0]).abs() < 1e-4
    assert same[view.active].double().mean() > 0.995  # a tie may fall to either side
    assert (fast[1] - slow[1]).abs()[same].max() < 1e-2
    assert (fast[2] - slow[2]).abs()[same].max() < 1e-3


def test_the_score_alone_equals_the_oracle_everywhere(view: StereoView):
    scoring = replace(MATCHING, iterations=0)
    fast, slow = view.match(cpu, scoring), view.match(reference, scoring, torch.float64)
    assert (fast[2] - slow[2]).abs().max() < 1e-3


@pytest.mark.parametrize("backend", [cpu, reference])
def test_the_truth_costs_little_and_is_kept(view: StereoView, backend):
    depth, normal, cost = view.match(backend, replace(MATCHING, iterations=0), start=view.truth)
    inner = view.inner
    assert cost[inner].median() < 0.02
    torch.testing.assert_close(
        depth[inner], view.truth[0][inner].to(depth.dtype), rtol=0, atol=1e-5
    )
    assert ((normal * view.truth[1]).sum(dim=-1)[inner] > 0.9999).all()


def test_planes_are_found(view: StereoView):
    depth, normal, _ = view.match(cpu, replace(MATCHING, iterations=8))
    error = (depth - view.truth[0]).abs()[view.inner] / view.footprint
    assert error.median() < 0.3
    cosine = (normal * view.truth[1]).sum(dim=-1)[view.inner]
    assert torch.rad2deg(torch.arccos(cosine.clamp(max=1))).median() < 9


def test_any_number_of_threads_gives_the_same_bits(view: StereoView):
    results = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        results.append(view.match(cpu, MATCHING))
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))


def test_another_key_draws_other_planes(view: StereoView):
    one, two = view.match(cpu, replace(MATCHING, iterations=0)), replace(view, key=8)
    assert not torch.equal(one[0], two.match(cpu, replace(MATCHING, iterations=0))[0])


def test_off_the_mask_there_is_nothing(view: StereoView):
    depth, normal, cost = view.match(cpu, MATCHING)
    outside = ~view.active
    assert not depth[outside].any()
    assert not normal[outside].any()
    assert (cost[outside] == 2).all()


def test_points_off_a_sources_mask_cost_more(view: StereoView):
    scoring = replace(MATCHING, iterations=0)
    plain = view.match(cpu, scoring, start=view.truth)[2]
    blind = replace(view.sources, inside=torch.zeros_like(view.sources.inside))
    refused = replace(view, sources=blind).match(cpu, scoring, start=view.truth)[2]
    expected = 1 + scoring.off_mask * len(blind.grey)
    assert refused[view.inner].median() == pytest.approx(expected, abs=1e-5)
    assert plain[view.inner].median() < 0.1


def test_planes_seen_from_behind_match_nothing(view: StereoView):
    """The sources moved to the far side: no plane shows them its front."""
    behind = replace(view.sources, centres=view.sources.centres + torch.tensor([0.0, 0, 6]))
    moved = replace(view, sources=behind)
    for backend in (cpu, reference):
        cost = moved.match(backend, replace(MATCHING, iterations=0), start=view.truth)[2]
        assert (cost[view.inner] >= 1).all()


def test_without_texture_nothing_is_certain(tmp_path: Path):
    scene, truths = textured_scene(tmp_path, "ball", views=5, contrast=0, noise=0.002)
    flat = stereo_view(scene, truths)
    cost = flat.match(cpu, replace(MATCHING, iterations=4))[2]
    assert cost[flat.inner].median() > 0.6


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_planes_and_normals_are_two_ways_to_say_the_same(view: StereoView, seed: int):
    generator = torch.Generator().manual_seed(seed)
    shape = view.active.shape
    depth = 1 + torch.rand(shape, generator=generator, dtype=torch.float64)
    normal = torch.randn(*shape, 3, generator=generator, dtype=torch.float64)
    normal[..., 2] = -normal[..., 2].abs() - 5  # towards the camera, for every ray
    normal = normal / normal.norm(dim=-1, keepdim=True)
    again = depth_and_normal(planes_of(depth, normal, view.lens), view.lens)
    torch.testing.assert_close(again[0], depth)
    torch.testing.assert_close(again[1], normal)


def test_a_plane_gives_the_depths_of_its_neighbours(view: StereoView):
    """On a plane, the inverse depth is linear over the image."""
    if not np.allclose(np.ptp(view.truth[1].numpy()[view.inner.numpy()], axis=0), 0, atol=1e-9):
        pytest.skip("the ball is no plane")
    planes = planes_of(*view.truth, view.lens)
    pairs = view.inner[:, 1:] & view.inner[:, :-1]
    moved = planes[:, :-1, 0] + planes[:, :-1, 1]
    assert (moved - planes[:, 1:, 0]).abs()[pairs].max() < 1e-6


def test_random_numbers_are_the_same_in_every_backend():
    pixels = torch.arange(1000)
    numbers = uniform(12345, pixels, 7)
    kernel = [stereo_kernels.uniform(12345, int(p), 7) for p in pixels]
    assert numbers.tolist() == [float(k) for k in kernel]
    assert abs(float(numbers.mean()) - 0.5) < 0.03
    assert len(set(numbers.tolist())) == 1000


def test_keys_differ_and_fit_31_bits():
    keys = [
        key_of(seed, view, level) for seed in range(3) for view in range(50) for level in range(4)
    ]
    assert len(set(keys)) == len(keys)
    assert max(keys) < 2**31
    assert int(mixed(np.array(0, np.uint32))) == 0
