"""One run over several processes, each with its own rays, as ``torchrun`` starts them.

Every process holds the whole model, draws its own batch and renders it; the gradients are then
added up, so that all take the same step and stay equal. A loss is multiplied by
:attr:`Processes.share` before its backward pass, so that the sum is that of the mean.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """The processes of a run, as one of them sees them.

    Attributes:
        rank: number of this process; the first, 0, writes all files.
        count: how many there are; where it is 1, every method does nothing.
        device: where numbers that are exchanged have to lie.
    """

    rank: int = 0
    count: int = 1
    device: torch.device | None = None

    @property
    def first(self) -> bool:
        return self.rank == 0

    @property
    def share(self) -> float:
        return 1 / self.count

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by their sums over all processes, in one exchange for each type."""
        if self.count == 1:
            return
        by_type: dict[torch.dtype, list[Tensor]] = {}
        for tensor in tensors:
            by_type.setdefault(tensor.dtype, []).append(tensor)
        for group in by_type.values():
            flat = torch.cat([tensor.flatten() for tensor in group])
            dist.all_reduce(flat)
            for tensor, part in zip(group, flat.split([t.numel() for t in group]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def add_up_gradients(self, *modules: nn.Module) -> None:
        """Of the parameters, and of hash tables, which have theirs outside of autograd."""
        if self.count == 1:
            return
        parameters = [parameter for module in modules for parameter in module.parameters()]
        bars = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for part in (part for module in modules for part in module.modules()):
            gradient: Any = getattr(part, "table_gradient", None)
            if hasattr(gradient, "dense"):
                bars.append(gradient.dense)
            elif gradient is not None:
                gradient.operands = self._joined(gradient.operands)
        self.add_up(bars)

    def follow_first(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors by those of the first process."""
        if self.count > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def any(self, *flags: bool) -> list[bool]:
        """Whether each of some flags is raised in any process."""
        if self.count == 1:
            return list(flags)
        raised = torch.tensor(flags, dtype=torch.int32, device=self.device)
        dist.all_reduce(raised, op=dist.ReduceOp.MAX)
        return [bool(flag) for flag in raised.tolist()]

    def gathered(self, state: Tensor) -> list[Tensor]:
        """A tensor on the CPU, of one shape everywhere, from each process."""
        if self.count == 1:
            return [state]
        own = state.to(self.device)
        states = [torch.empty_like(own) for _ in range(self.count)]
        dist.all_gather(states, own)
        return [other.cpu() for other in states]

    def _joined(self, operands: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """What the processes would scatter into a table, one after the other.

        On the CPU a table's gradient is never laid out (:mod:`neus.ops.cpu.table`). Its operands
        are smaller than a table of the usual size, and joined in the same order everywhere they
        leave the same bits in each process.
        """
        return tuple(
            np.concatenate([other.numpy() for other in self.gathered(torch.from_numpy(array))])
            for array in operands
        )


ALONE = Processes()
"""A run of one process."""


def started_by_torchrun() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined_processes(device: torch.device) -> Iterator[Processes]:
    """The processes that ``torchrun`` started, or :data:`ALONE`; over NCCL on CUDA, else Gloo."""
    if not started_by_torchrun():
        yield ALONE
        return
    settings: dict[str, Any] = {"device_id": device} if device.type == "cuda" else {}
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", **settings)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()
