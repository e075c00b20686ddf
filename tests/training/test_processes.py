"""What several processes tell each other, with threads in their place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from neus.errors import InputError
from neus.training.distributed import ALONE, Processes, joined_processes

CPU = torch.device("cpu")


class Threads:
    """Collective operations of ``torch.distributed`` among threads, each of which has a rank."""

    def __init__(self, count: int) -> None:
        self.count, self._barrier = count, Barrier(count, timeout=60)
        self._ranks: dict[int, int] = {}
        self._given: dict[int, Tensor] = {}

    def run(self, work: Callable[[Processes], Any]) -> list[Any]:
        """What ``work`` returns in each of them."""

        def one(rank: int) -> Any:
            self._ranks[get_ident()] = rank
            return work(Processes(rank, self.count, CPU))

        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(one, range(self.count)))

    def _all(self, tensor: Tensor) -> list[Tensor]:
        self._given[self._ranks[get_ident()]] = tensor.clone()
        self._barrier.wait()
        given = [self._given[rank] for rank in range(self.count)]
        self._barrier.wait()
        return given

    def all_reduce(self, tensor: Tensor, op: Any = dist.ReduceOp.SUM) -> None:
        given = torch.stack(self._all(tensor))
        tensor.copy_(given.sum(dim=0) if op == dist.ReduceOp.SUM else given.amax(dim=0))

    def broadcast(self, tensor: Tensor, src: int) -> None:
        tensor.copy_(self._all(tensor)[src])

    def all_gather(self, out: list[Tensor], tensor: Tensor) -> None:
        for place, other in zip(out, self._all(tensor), strict=True):
            place.copy_(other)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Threads:
    """Three of them."""
    three = Threads(3)
    for name in ("all_reduce", "broadcast", "all_gather"):
        monkeypatch.setattr(dist, name, getattr(three, name))
    return three


def test_sums_keep_types_and_shapes(threads: Threads):
    def work(processes: Processes) -> list[Tensor]:
        rank = processes.rank
        tensors = [torch.full((2, 3), rank + 0.5), torch.tensor([rank]), torch.ones(4)]
        processes.add_up(tensors)
        return tensors

    for real, whole, ones in threads.run(work):
        assert torch.equal(real, torch.full((2, 3), 4.5))
        assert torch.equal(whole, torch.tensor([3]))
        assert torch.equal(ones, torch.full((4,), 3.0))


def test_gradients_of_parameters_and_of_both_kinds_of_tables_are_added_up(threads: Threads):
    """A dense table like a parameter; operands of a scatter one after the other, in one order."""

    def work(processes: Processes) -> tuple[Any, ...]:
        rank = processes.rank
        net, dense, scattered = nn.Linear(2, 1), nn.Module(), nn.Module()
        net.weight.grad = torch.full((1, 2), float(rank))
        dense.table_gradient = SimpleNamespace(dense=torch.full((5,), 10.0**rank))  # pyright: ignore
        rows = np.full((2, 3), rank, np.float32)
        scattered.table_gradient = SimpleNamespace(operands=(rows, rows[:1]))  # pyright: ignore
        processes.add_up_gradients(nn.Sequential(net, dense), scattered)
        gradients = dense.table_gradient.dense, scattered.table_gradient.operands
        return net.weight.grad, net.bias.grad, *gradients

    for weight, bias, dense, (rows, first_rows) in threads.run(work):
        assert torch.equal(weight, torch.full((1, 2), 3.0))
        assert bias is None
        assert torch.equal(dense, torch.full((5,), 111.0))
        assert rows[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
        assert first_rows[:, 0].tolist() == [0, 1, 2]


def test_all_follow_the_first_hear_of_a_flag_and_know_each_state(threads: Threads):
    def work(processes: Processes) -> tuple[Any, ...]:
        grid = torch.full((2,), float(processes.rank))
        processes.follow_first([grid])
        flags = processes.any(processes.rank == 2, False, processes.first)
        states = processes.gathered(torch.tensor([processes.rank], dtype=torch.uint8))
        return grid.tolist(), flags, torch.cat(states).tolist(), processes.share

    assert threads.run(work) == [([0, 0], [True, False, True], [0, 1, 2], 1 / 3)] * 3


def test_one_process_exchanges_nothing():
    total, net = torch.tensor([3.0]), nn.Linear(2, 1)
    ALONE.add_up([total])
    ALONE.follow_first([total])
    ALONE.add_up_gradients(net)
    assert float(total) == 3
    assert ALONE.any(True, False) == [True, False]
    assert torch.equal(ALONE.gathered(total)[0], total)
    assert ALONE.share == 1


@pytest.mark.parametrize(("kind", "backend"), [("cpu", "gloo"), ("cuda", "nccl")])
def test_the_group_fits_the_device_and_is_left_after_an_error(
    kind: str, backend: str, monkeypatch: pytest.MonkeyPatch
):
    device, said = torch.device(kind, 0) if kind == "cuda" else CPU, []
    monkeypatch.setattr(dist, "init_process_group", lambda name, **more: said.append((name, more)))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: said.append("destroyed"))
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setenv("WORLD_SIZE", "2")

    def fail() -> None:
        with joined_processes(device) as processes:
            assert processes == Processes(1, 2, device)
            raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        fail()
    settings = {"device_id": device} if kind == "cuda" else {}
    assert said == [(backend, settings), "destroyed"]
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined_processes(device) as processes:
        assert processes is ALONE
