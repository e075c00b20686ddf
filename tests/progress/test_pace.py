"""How slow a machine is: closed forms of one and of many measurements, outliers, invariances."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.progress import Measured, Pace
from neus.progress.pace import MOMENT, OF_JOBS, OF_KINDS, OF_MACHINES

MACHINES = st.floats(0.1, 10.0)


def test_of_nothing_every_pace_is_as_expected():
    assert Pace().of("train") == 1.0
    assert Pace([Measured("train", 0.0, 5.0), Measured("train", 2.0, 0.0)]).of("train") == 1.0


@given(st.lists(st.tuples(MACHINES, st.floats(0.5, 500)), min_size=1, max_size=6))
def test_equal_kinds_have_the_weighted_mean_of_their_logarithms(jobs: list[tuple[float, float]]):
    """Of one kind nothing is an outlier but against the prior, whose width is known."""
    pace = Pace([Measured("train", ratio, seconds) for ratio, seconds in jobs])
    weights = [1 / (OF_JOBS**2 + (MOMENT / seconds) ** 2) for _, seconds in jobs]
    logarithms = [math.log(ratio) for ratio, _ in jobs]
    mean = sum(w * y for w, y in zip(weights, logarithms, strict=True)) / sum(weights)
    variance = OF_KINDS**2 + 1 / sum(weights)
    # A single kind is told apart from the machine by the prior alone: both lie between it and 1.
    for kind in ("train", "page"):
        ratio = math.log(pace.of(kind)) / mean if abs(mean) > 1e-6 else 1.0
        least = OF_MACHINES**2 / (OF_MACHINES**2 + 4 * variance)
        assert least - 1e-9 <= ratio <= 1 + 1e-9


@given(machine=MACHINES)
def test_a_machine_is_known_by_a_few_jobs_of_any_kinds(machine: float):
    jobs = [Measured(kind, machine, 20.0) for kind in ("make_demo", "estimate_poses", "stereo")]
    tolerance = 1 - math.exp(-0.03 * abs(math.log(machine)))
    assert Pace(jobs).of("train") == pytest.approx(machine, rel=tolerance + 1e-9)
    assert Pace(jobs[:1]).of("train") == pytest.approx(machine, rel=0.2)


def test_a_kind_far_off_the_others_is_itself_and_hardly_moves_them():
    calm = [Measured(kind, 1.0, 30.0) for kind in ("a", "b", "c", "d")]
    pace = Pace([*calm, Measured("poses", 30.0, 30.0)])
    assert pace.of("page") == pytest.approx(1.0, rel=0.12)
    assert pace.of("poses") == pytest.approx(30.0, rel=0.1)
    least_squares = math.exp(math.log(30) / 5)
    assert pace.of("page") < 1 + (least_squares - 1) / 4


def test_moments_say_little_beside_minutes():
    pace = Pace([Measured("normalize", 4.0, 0.8), Measured("train", 1.0, 160.0)])
    assert pace.of("page") == pytest.approx(1.0, rel=0.15)
    assert 1.0 < pace.of("normalize") < 2.0


def test_many_jobs_of_a_kind_outweigh_what_others_say_of_it():
    others = [Measured(kind, 1.0, 50.0) for kind in ("a", "b", "c")]
    one, many = (Pace(others + [Measured("train", 1.5, 3.0)] * n).of("train") for n in (1, 40))
    assert 1.0 < one < many < 1.5
    assert many == pytest.approx(1.5, rel=0.05)
