"""Threads of the operators beside those of torch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from neus.devices import set_threads
from neus.ops import cpu, reference, threads_of_steps
from neus.ops.cpu.threads import on_all_threads, workers


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    set_threads(2)
    yield
    set_threads(before)


def test_every_worker_is_called_once():
    calls: list[tuple[int, int, str]] = []
    on_all_threads(lambda *arguments: calls.append(arguments), "argument")
    assert sorted(calls) == [(0, 2, "argument"), (1, 2, "argument")]


def test_an_error_of_any_worker_comes_back():
    def fail(worker: int, workers: int) -> None:
        if worker == 1:
            raise ValueError("worker 1")

    with pytest.raises(ValueError, match="worker 1"):
        on_all_threads(fail)


def test_steps_on_the_cpu_leave_torch_one_thread_and_the_operators_all():
    with threads_of_steps(cpu):
        assert torch.get_num_threads() == 1
        with threads_of_steps(cpu):
            assert (workers(), torch.get_num_threads()) == (2, 1)
        assert (workers(), torch.get_num_threads()) == (2, 1)
    assert (workers(), torch.get_num_threads()) == (2, 2)


def test_torch_gets_its_threads_back_after_an_error():
    with pytest.raises(KeyError), threads_of_steps(cpu):
        raise KeyError
    assert (workers(), torch.get_num_threads()) == (2, 2)


def test_steps_of_plain_torch_keep_all_threads():
    with threads_of_steps(reference):
        assert torch.get_num_threads() == 2
