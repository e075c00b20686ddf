"""The hash table's gradient and its optimizer on the CPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from neus.ops.cpu import table_kernels
from neus.ops.cpu.grid import kernel_layout
from neus.ops.cpu.threads import on_all_threads, workers
from neus.ops.grid import GridLayout
from neus.ops.reference import ADAM_DECAY, ADAM_EPSILON

if TYPE_CHECKING:
    from jaxtyping import Float


class TableGradient:
    """The gradient of a table as the operands of its scatter, which happens in ``adam_step``."""

    def __init__(self, table: Float[Tensor, "rows 2"], grid: GridLayout) -> None:
        self.grid = grid
        self.operands: tuple[np.ndarray, ...] | None = None
        self.active_levels = 0
        self._largest = int(np.diff(grid.offsets).max())
        self._scratch = np.zeros((0, 0, 2), np.float32)

    def add(self, operands: tuple[np.ndarray, ...], active_levels: int) -> None:
        """Note what :func:`neus.ops.cpu.grid.add_scatter` would scatter."""
        if self.operands is not None:
            assert active_levels == self.active_levels
            pairs = zip(self.operands, operands, strict=True)
            operands = tuple(np.concatenate(pair) for pair in pairs)
        self.operands, self.active_levels = operands, active_levels

    def scratch(self, workers: int) -> np.ndarray:
        """``[workers, rows of the largest level, 2]`` zeros."""
        if len(self._scratch) < workers:
            self._scratch = np.zeros((workers, self._largest, 2), np.float32)
        return self._scratch


def adam_step(
    table: Float[Tensor, "rows 2"],
    gradient: TableGradient,
    moments: tuple[Float[Tensor, "rows 2"], Float[Tensor, "rows 2"]],
    rate: float | Tensor,
    step: int | Tensor,
    decay: tuple[float, float] = ADAM_DECAY,
    epsilon: float = ADAM_EPSILON,
) -> None:
    first_decay, second_decay = decay
    if gradient.operands is None:
        return
    rate, step = float(rate), int(step)
    constants = (
        1 - first_decay,
        1 - second_decay,
        rate / (1 - first_decay**step),
        1 / math.sqrt(1 - second_decay**step),
        epsilon,
    )
    arrays = (t.detach().view(-1, table_kernels.LINE).numpy() for t in (table, *moments))
    on_all_threads(
        table_kernels.scatter_and_step,
        *gradient.operands,
        *kernel_layout(gradient.grid),
        gradient.active_levels,
        gradient.scratch(workers()),
        *arrays,
        np.array(constants, np.float32),
    )
    gradient.operands = None
