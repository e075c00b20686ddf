"""Where matrix products may round, in one place.

The table, the network of the signed distance and all sums are float32. TF32 keeps 10 bits of each
factor: rounded so, positions would come in stairs of 2^-11, 0.05 mm and more on a scan of DTU's
size, and both the surface and its normals would show them. The products of that network are each
three TF32 products, which is as accurate as float32; those that torch makes are float32.

Colours end as 8 bits. Their network runs in TF32 on the tensor cores, with float32 sums: faster
than its memory traffic, so that bfloat16 would save traffic alone and pay for it with casts, and
with logits of 8 bits.

A kernel is told which by its launch. For torch's own there is a switch, one for the process, read
when a product starts: a backward pass of autograd's would follow what holds while it runs. So both
networks are functions with their backward passes written out, and say in each what they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

DOT, ROUNDED = "tf32x3", "tf32"
"""Of matrix products inside kernels: float32's accuracy from three products on tensor cores, for
distances; and one product, for colours."""


@contextmanager
def matmuls(rounding: str) -> Iterator[None]:
    """Products of torch's own: full float32 in the place of :data:`DOT`, else TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if rounding == DOT else "high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
