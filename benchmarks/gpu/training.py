"""A trainer on a scan, and the function that makes its step: plain, or from a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.gpu.scan import Scan
from neus.config import HashGridConfig, MethodConfig
from neus.training import GraphedStep, PixelPool, StepReport, Trainer


def method_for(samples: int, steps: int, log2_entries: int) -> MethodConfig:
    """The default method, with masks, at this size and budget."""
    default = MethodConfig()
    grid = HashGridConfig(log2_entries=log2_entries)
    training = replace(default.training, samples=samples, steps=steps)
    return MethodConfig(replace(default.model, hash_grid=grid), training)


def trainer_on(scan: Scan, method: MethodConfig, device: torch.device) -> Trainer:
    pool = PixelPool(
        scan.cameras[scan.train],
        [scan.images[i] for i in scan.train],
        [scan.masks[i] for i in scan.train],
        device,
    )
    return Trainer(method, pool, device, seed=0)


def step_of(trainer: Trainer, graphed: bool) -> Callable[[], StepReport]:
    """What advances the trainer by a step; from a graph where that is possible."""
    return GraphedStep(trainer) if graphed else trainer.train_step


def replayed(step: Callable[[], StepReport]) -> int:
    """How many of the steps so far came from a graph."""
    return step.replayed if isinstance(step, GraphedStep) else 0


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
