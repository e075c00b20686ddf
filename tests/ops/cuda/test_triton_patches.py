"""Patches in Triton against the oracle in float64."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neus.ops import cuda, reference
from tests.helpers.patch_cases import PatchCase, random_case
from tests.helpers.triton_cases import DEVICE, large_blocks


def on_device(case: PatchCase) -> PatchCase:
    tensors = {k: part.to(DEVICE) for k, part in vars(case).items() if hasattr(part, "to")}
    return replace(case, **tensors)


@pytest.mark.parametrize("radius", [1, 2])
def test_triton_equals_the_oracle(radius: int):
    case = random_case(radius, radius=radius)
    with large_blocks():
        fast = [part.cpu() for part in on_device(case).compare(cuda)]
    slow = case.compare(reference, torch.float64)
    assert (fast[2] == slow[2]).double().mean() > 0.995  # a tie may fall to either side
    both = fast[2] & slow[2]
    close = both & ((fast[0] - slow[0]).abs() < 1e-3)
    assert close.sum() > 0.995 * both.sum()
    error = (fast[1] - slow[1])[close].abs() / (1 + slow[1][close].abs())
    assert (error < 0.02).double().mean() > 0.98
    assert not fast[1][~fast[2]].any()
    assert (fast[3] - slow[3]).abs().median() < 1e-6


def test_sight_is_that_of_the_oracle():
    generator = torch.Generator().manual_seed(0)
    free = torch.rand(16, 16, 16, generator=generator) > 0.06
    case = random_case(1)
    given = on_device(case)
    with large_blocks():
        fast = cuda.in_sight(given.points, given.views, given.pictures, free.to(DEVICE)).cpu()
    slow = reference.in_sight(case.points, case.views, case.pictures, free)
    assert (fast == slow).double().mean() > 0.99
