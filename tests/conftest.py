"""Without a GPU, Triton's kernels run in its interpreter, on CPU tensors.

Triton reads the variable when a kernel is defined, so it is set before any test is imported.
"""

from __future__ import annotations

import os

import neus  # noqa: F401  (first, since it sets what torch reads when it is loaded)

import torch  # isort: skip

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")
