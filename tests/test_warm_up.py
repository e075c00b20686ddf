"""The first run compiles every kernel before its first step, and no later run any."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

WARM_UP = """
import torch
from neus.ops.cpu.warm_up import compile_kernels, compiled_before
torch.set_num_threads(2)
assert not compiled_before()
compile_kernels()
assert compiled_before()
"""
STEPS = """
import gc
from numba.core.dispatcher import Dispatcher
from tests.test_training import new_trainer, small_method
trainer = new_trainer(small_method())
for _ in range(2):
    trainer.train_step()
kernels = [k for k in gc.get_objects() if isinstance(k, Dispatcher)]
kernels = [k for k in kernels if k.py_func.__module__.startswith("neus.ops.cpu")]
assert sum(sum(k.stats.cache_hits.values()) for k in kernels) > 10
print([k.py_func.__name__ for k in kernels if sum(k.stats.cache_misses.values())])
"""


@pytest.mark.slow
def test_a_step_finds_all_kernels_compiled(tmp_path: Path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for program in (WARM_UP, STEPS):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[1],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
