"""How every kernel of this package is compiled."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba as nb

# No "nnan" and "ninf": a diverged run must show its NaN. No "reassoc": LLVM picks the vector or the
# scalar version of a loop by the addresses of its arrays, and both must round alike, or a run would
# not repeat bit for bit.
_OPTIONS = {
    "cache": True,
    "fastmath": {"contract", "nsz"},
    "error_model": "numpy",
    "boundscheck": False,
}

# Whole-array expressions stay serial: they are small here, and each would be compiled as a parallel
# loop of its own.
_PRANGE_ALONE: Any = {
    "prange": True,
    "comprehension": False,
    "fusion": False,
    "inplace_binop": False,
    "numpy": False,
    "reduction": False,
    "setitem": False,
    "stencil": False,
}


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Runs on one thread; called by other kernels."""
    return nb.njit(**_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Becomes part of the loop that calls it, which can then be vectorised."""
    return nb.njit(inline="always", **_OPTIONS)(function)


def parallel_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Its ``prange`` loops run on all threads."""
    return nb.njit(parallel=_PRANGE_ALONE, **_OPTIONS)(function)


@inlined
def index(at: int) -> Any:
    """An index that is known not to be negative.

    Python counts negative indices from the end; the check for it keeps a loop over ``start + i``
    from being vectorised. (A slice would do, too, but costs the compiler a hundred instructions.)
    """
    return nb.uint64(at)


def compiled_before() -> bool:
    """Whether numba's cache holds kernels of this package; if not, the first step compiles them."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parent)
    return any(folder.rglob("*_kernels.*.nbi"))
