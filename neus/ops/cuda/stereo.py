"""PatchMatch stereo, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda.launch import blocks
from neus.ops.cuda.stereo_kernels import sweep_kernel
from neus.ops.stereo import (
    REFUSED,
    REGIONS,
    Lens,
    Matching,
    Sources,
    depth_and_normal,
    planes_of,
)

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

# A warp of pixels: neighbours read neighbouring places of the sources, and the fewer pixels a
# program has, the more of them keep a card busy on the small pictures of coarse levels.
TILE = {"BLOCK": 64, "num_warps": 2}


def patchmatch(
    grey: Float[Tensor, "h w"],
    active: Bool[Tensor, "h w"],
    depth: Float[Tensor, "h w"],
    normal: Float[Tensor, "h w 3"],
    lens: Lens,
    sources: Sources,
    matching: Matching,
    key: int,
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w 3"], Float[Tensor, "h w"]]:
    """No shape depends on data: pixels that are not active keep their lanes idle."""
    device, (height, width) = grey.device, grey.shape
    planes = planes_of(depth.float(), normal.float(), lens).contiguous()
    costs = torch.full((height, width), REFUSED, device=device)
    count, tall, wide = sources.grey.shape
    path = [sources.turn.reshape(-1, 9), sources.shift, sources.centres]
    operands = (
        grey.float().contiguous(),
        active.to(torch.uint8).contiguous(),
        planes,
        costs,
        torch.tensor(
            [*lens.focal, *lens.principal, lens.farthest, lens.nearest, lens.step],
            dtype=torch.float32,
            device=device,
        ),
        torch.tensor(
            [matching.contrast, matching.noise**2, matching.off_mask],
            dtype=torch.float32,
            device=device,
        ),
        sources.grey.float().contiguous(),
        sources.inside.to(torch.uint8).contiguous(),
        torch.tensor(sources.sizes, dtype=torch.int32, device=device),
        torch.cat(path, dim=1).float().contiguous(),
        torch.from_numpy(REGIONS).to(device),
        key,
    )
    sizes = (count, matching.radius, matching.spacing, height, width, tall, wide)
    programs = (blocks(height * ((width + 1) // 2), TILE["BLOCK"]),)
    for iteration in range(-1, matching.iterations):
        for colour in (0, 1):
            sweep_kernel[programs](
                *operands, colour, iteration, *sizes,
                START=iteration < 0, COUNTED=matching.counted, **TILE,
            )  # fmt: skip
    planes = torch.where(active[..., None], planes, 0)
    return *depth_and_normal(planes, lens), torch.where(active, costs, 2)
