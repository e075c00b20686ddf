"""How every kernel of this package is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba as nb

# No "nnan" and "ninf": a diverged run must show its NaN. No "reassoc": LLVM picks the vector or the
# scalar version of a loop by the addresses of its arrays, and both must round alike, or a run would
# not repeat bit for bit.
_OPTIONS = {
    "cache": True,
    "nogil": True,
    "fastmath": {"contract", "nsz"},
    "error_model": "numpy",
    "boundscheck": False,
}


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Runs on one thread, and lets others run: see ``threads``."""
    return nb.njit(**_OPTIONS)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Becomes part of the loop that calls it, which can then be vectorised."""
    return nb.njit(inline="always", **_OPTIONS)(function)


@inlined
def index(at: int) -> Any:
    """An index that is known not to be negative.

    Python counts negative indices from the end; the check for it keeps a loop over ``start + i``
    from being vectorised. (A slice would do, too, but costs the compiler a hundred instructions.)
    """
    return nb.uint64(at)
