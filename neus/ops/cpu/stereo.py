"""PatchMatch stereo on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu.stereo_kernels import sweep
from neus.ops.cpu.stereo_windows import pack
from neus.ops.cpu.threads import on_all_threads
from neus.ops.stereo import REFUSED, Lens, Matching, Sources, depth_and_normal, planes_of

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


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
    planes = planes_of(depth, normal, lens).float().contiguous().numpy()
    costs = np.full(grey.shape, REFUSED, np.float32)
    picture, mask = grey.contiguous().numpy(), active.contiguous().numpy()
    rows, columns = np.nonzero(mask)
    pixels = rows * grey.shape[1] + columns
    colours = [pixels[(rows + columns) % 2 == colour] for colour in (0, 1)]
    constants = (
        *_source_operands(sources),
        np.array(
            [*lens.focal, *lens.principal, lens.farthest, lens.nearest, lens.step], np.float32
        ),
        _offsets(matching),
        np.float32(matching.contrast),
        np.float32(matching.noise**2),
        matching.counted,
        np.float32(matching.off_mask),
    )
    for iteration in range(-1, matching.iterations):
        for chosen in colours:
            if len(chosen):
                on_all_threads(
                    sweep,
                    *(chosen, picture, mask, planes, costs, iteration, np.uint32(key)),
                    *constants,
                )
    planes[~mask] = 0
    found, normals = depth_and_normal(torch.from_numpy(planes), lens)
    return found, normals, torch.from_numpy(np.where(mask, costs, 2))


def _source_operands(sources: Sources) -> tuple[np.ndarray | np.int32, ...]:
    """Words and masks, one source after the other, heights, widths, the row's stride and paths."""
    grey = sources.grey.contiguous().numpy()
    height, width = np.array(sources.sizes, np.int32).reshape(-1, 2).T.copy()
    words = np.zeros(grey.shape, np.uint64)
    on_all_threads(pack, grey, height, width, words)
    parts = [sources.turn.reshape(-1, 9), sources.shift, sources.centres]
    path = torch.cat(parts, dim=1).float().contiguous().numpy()
    inside = sources.inside.contiguous().numpy()
    return words.reshape(-1), inside.reshape(-1), height, width, np.int32(grey.shape[2]), path


def _offsets(matching: Matching) -> np.ndarray:
    """(dx, dy) of a window's taps, row by row, in one list."""
    steps = matching.spacing * np.arange(-matching.radius, matching.radius + 1, dtype=np.float32)
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1)
