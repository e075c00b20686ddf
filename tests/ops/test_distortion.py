"""The linear-time distortion against the double sum, and its gradient against differences."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from neus.ops.reference import ray_distortion

COUNTS = torch.tensor([3, 0, 1, 7, 0])
RAY_INDEX = torch.repeat_interleave(torch.arange(5), COUNTS)
OFFSETS = torch.cat([COUNTS.new_zeros(1), COUNTS.cumsum(0)])


def samples(padding: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights, sorted distances, lengths and rays; the padding belongs to ray 0, as it does."""
    generator = torch.Generator().manual_seed(0)
    weights, lengths = torch.rand(2, 11, generator=generator, dtype=torch.float64)
    t = torch.cat([torch.rand(int(n), generator=generator).sort().values for n in COUNTS])
    padded = [torch.nn.functional.pad(a, (0, padding)) for a in (weights, t.double(), lengths)]
    return padded[0], padded[1], padded[2], torch.nn.functional.pad(RAY_INDEX, (0, padding))


def double_sum(weights: Tensor, t: Tensor, lengths: Tensor) -> Tensor:
    """Barron et al. 2022, eq. 15, as it stands there."""
    between = (weights[:, None] * weights * (t[:, None] - t).abs()).sum()
    return between + (weights**2 * lengths).sum() / 3


@pytest.mark.parametrize("padding", [0, 4])
def test_equals_the_double_sum_of_every_ray(padding: int):
    weights, t, lengths, rays = samples(padding)
    found = ray_distortion(weights, t, lengths, rays, OFFSETS)
    for ray, (start, end) in enumerate(pairwise(OFFSETS)):
        expected = double_sum(*(a[start:end] for a in (weights, t, lengths)))
        torch.testing.assert_close(found[ray], expected)


@pytest.mark.parametrize("padding", [0, 4])
def test_gradient_is_that_of_differences(padding: int):
    weights, t, lengths, rays = samples(padding)
    assert torch.autograd.gradcheck(
        lambda w: ray_distortion(w, t, lengths, rays, OFFSETS), weights.requires_grad_()
    )


def test_no_samples_at_all():
    empty, rays = torch.zeros(0), torch.zeros(0, dtype=torch.long)
    none = ray_distortion(empty, empty, empty, rays, torch.zeros(3, dtype=torch.long))
    assert (none == 0).all()


def test_keeps_its_precision_behind_many_rays_and_far_from_the_camera():
    rays, per_ray = 5000, 40
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(rays * per_ray, generator=generator) / per_ray
    t = 500 + torch.rand(rays, per_ray, generator=generator).sort(dim=1).values.flatten()
    ray_index = torch.arange(rays).repeat_interleave(per_ray)
    offsets = torch.arange(rays + 1) * per_ray
    found = ray_distortion(weights, t, torch.full_like(t, 0.01), ray_index, offsets)
    last = slice(-per_ray, None)
    exact = double_sum(weights[last].double(), t[last].double(), torch.full((per_ray,), 0.01))
    assert float(found[-1]) == pytest.approx(float(exact), rel=1e-5)
