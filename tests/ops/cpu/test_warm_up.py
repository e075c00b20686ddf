"""The first run compiles every kernel before its first step, and no later run any."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.places import ROOT

TRAINING = """
import gc, hashlib, sys
import torch
from numba.core.dispatcher import Dispatcher
from neus.ops.cpu.warm_up import compile_kernels, compiled_before
from tests.helpers.trainings import new_trainer, small_method
torch.set_num_threads(2)
assert compiled_before() == (sys.argv[1] == "again")
assert not compiled_before(densities=True)
if not compiled_before():
    compile_kernels()
trainer = new_trainer(small_method())
for _ in range(20):
    trainer.train_step()
kernels = [k for k in gc.get_objects() if isinstance(k, Dispatcher)]
kernels = [k for k in kernels if k.py_func.__module__.startswith("neus.ops.cpu")]
assert sum(sum(k.stats.cache_hits.values()) for k in kernels) > 10
print([k.py_func.__name__ for k in kernels if sum(k.stats.cache_misses.values())])
parameters = [p.detach().numpy().tobytes() for p in trainer.model.parameters()]
print(hashlib.sha256(b"".join(parameters)).hexdigest())
"""


@pytest.mark.long
def test_the_first_training_compiles_nothing_itself_and_equals_the_next(tmp_path: Path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    printed = []
    for turn in ("first", "again"):
        done = subprocess.run(
            [sys.executable, "-c", TRAINING, turn],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.splitlines())
    assert printed[0][0] == "[]"
    assert printed[0] == printed[1]
