"""Loads that every kernel of points and directions needs."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def load_vectors(tensor, row_stride, axis_stride, rows, mask):
    """The three components of ``tensor[rows]``, of any strides; 0 where masked."""
    at = tensor + rows * row_stride
    return (
        tl.load(at, mask=mask, other=0.0),
        tl.load(at + axis_stride, mask=mask, other=0.0),
        tl.load(at + 2 * axis_stride, mask=mask, other=0.0),
    )
