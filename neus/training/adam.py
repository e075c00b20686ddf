"""Adam for a few small tensors, as torch has it, without all that its optimizer class loads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam


@dataclass
class Group:
    """Parameters that share a rate.

    Attributes:
        parameters: what moves.
        peak_rate: the rate at a factor of 1.
        weight_decay: by how much parameters shrink a step, in units of the rate (AdamW).
    """

    parameters: list[Tensor]
    peak_rate: float
    weight_decay: float = 0.0


class FusedAdam:
    """Adam (Kingma and Ba, ICLR 2015, algorithm 1) with decoupled decay, by torch's fused kernels.

    It does what ``torch.optim.AdamW(groups, fused=True)`` does, bit for bit, and keeps its state
    in the same form. That class imports torch's compiler, 1,300 modules and two seconds, in every
    process that makes one, and refuses to be captured in a CUDA graph unless told so each time.
    Whatever is counted lies on the parameters' device.
    """

    def __init__(self, groups: list[Group], betas: tuple[float, float], eps: float) -> None:
        self.groups = groups
        self._betas, self._eps = betas, eps
        self._state: dict[Tensor, dict[str, Tensor]] = {}

    def step(self, factor: float | Tensor) -> None:
        """Move what has a gradient, at ``factor`` times the groups' peak rates."""
        for group in self.groups:
            moved = [p for p in group.parameters if p.grad is not None]
            states = [self._state_of(p) for p in moved]
            with torch.no_grad():
                adam(
                    moved,
                    [p.grad for p in moved if p.grad is not None],
                    [state["exp_avg"] for state in states],
                    [state["exp_avg_sq"] for state in states],
                    [],
                    [state["step"] for state in states],
                    fused=True,
                    decoupled_weight_decay=True,
                    amsgrad=False,
                    beta1=self._betas[0],
                    beta2=self._betas[1],
                    lr=factor * group.peak_rate,
                    weight_decay=group.weight_decay,
                    eps=self._eps,
                    maximize=False,
                )

    def zero_grad(self) -> None:
        for parameter in self._parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """In the form of ``torch.optim.Optimizer.state_dict``: parameters are numbered."""
        numbers = {p: number for number, p in enumerate(self._parameters())}
        groups = [
            {"params": [numbers[p] for p in group.parameters], "peak_rate": group.peak_rate}
            for group in self.groups
        ]
        state = {numbers[p]: dict(state) for p, state in self._state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take moments and counts over; rates and decay stay as they were given.

        Raises:
            ValueError: the groups are of other numbers of parameters.
        """
        sizes = [len(group.parameters) for group in self.groups]
        saved = [len(group["params"]) for group in state["param_groups"]]
        if sizes != saved:
            raise ValueError(f"groups of {saved} parameters were saved, and these are of {sizes}")
        for number, parameter in enumerate(self._parameters()):
            for name, value in state["state"].get(number, {}).items():
                self._state_of(parameter)[name].copy_(value)

    def _state_of(self, parameter: Tensor) -> dict[str, Tensor]:
        if parameter not in self._state:
            self._state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
        return self._state[parameter]

    def _parameters(self) -> Iterator[Tensor]:
        for group in self.groups:
            yield from group.parameters
