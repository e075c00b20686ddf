"""The depth maps of all views on a card, held against each other by Triton kernels."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda.launch import blocks
from neus.ops.cuda.map_kernels import (
    SUMS,
    compare_kernel,
    gather_kernel,
    hide_kernel,
    show_kernel,
)

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

TILE = {"BLOCK": 128, "num_warps": 4}


class DeviceMaps:
    """Maps that stay on the device while all pairs are compared; nothing here waits for it.

    Attributes:
        planes: ``[h, w, 3]`` of each view: inverse depth, 0 for none, and its slopes a pixel.
        focals: in pixels.
        sure, taken: ``[h, w]`` of each view, at first False; ``sure`` is for the caller to set.

    Args:
        planes, normals: ``[h, w, 3]`` of each view; normals in the scene frame.
        focals: in pixels.
        lenses: ``[n, 12]`` a matrix from pixels to rays in the scene frame, and the centre.
        near: ``[n, k]`` neighbours of each view, filled up with -1.
        paths: ``[n, k, 24]`` turn and shift, as of ``neus.ops.stereo.Sources``, to each neighbour
            and back.
        tolerance: of depths that agree, in pixels' footprints.
        device: where they are put.
    """

    def __init__(
        self,
        planes: list[Float[Tensor, "h w 3"]],
        normals: list[Float[Tensor, "h w 3"]],
        focals: list[float],
        lenses: Float[Tensor, "n 12"],
        near: Int[Tensor, "n k"],
        paths: Float[Tensor, "n k 24"],
        tolerance: float,
        device: torch.device,
    ) -> None:
        self.device, self.focals, self._tolerance = device, focals, tolerance
        self._shapes = [(part.shape[0], part.shape[1]) for part in planes]
        self._firsts = [0, *accumulate(height * width for height, width in self._shapes)]
        self._planes, self._normals = (self._flat(maps) for maps in (planes, normals))
        self._sure, self._taken = (
            torch.zeros(self._firsts[-1], dtype=torch.bool, device=device) for _ in range(2)
        )
        self.planes, self.sure, self.taken = (
            self._views(flat) for flat in (self._planes, self._sure, self._taken)
        )
        focal = torch.tensor(focals, dtype=torch.float32)[:, None]
        self._places = (
            torch.tensor(self._firsts[:-1], dtype=torch.int64, device=device),
            torch.tensor(self._shapes, dtype=torch.int32, device=device),
            torch.cat([lenses.float(), focal], dim=1).to(device),
        )
        self._near = near.to(device, torch.int32).contiguous()
        self._paths = paths.to(device, torch.float32).contiguous()
        self._weights, self._colours = self._planes, self._planes

    def compared(self, view: int) -> tuple[Int[Tensor, "h w"], Int[Tensor, "h w"]]:
        """How many neighbours agree with a view's depths, and how many surely see through them."""
        shape = self._shapes[view]
        agree, violate = torch.empty(2, *shape, dtype=torch.int32, device=self.device)
        compare_kernel[(blocks(agree.numel(), TILE["BLOCK"]),)](
            *(self._planes, self._normals, self._sure.view(torch.uint8), *self._places),
            *(self._near, self._paths, agree, violate),
            *(view, self._near.shape[1], self._tolerance),
            **TILE,
        )
        return agree, violate

    def hidden(self, view: int) -> Int[Tensor, "h w"]:
        """How many neighbours are sure of something before each of a view's points."""
        shape, near = self._shapes[view], self._near.shape[1]
        hidden = torch.zeros(shape, dtype=torch.int32, device=self.device)
        if not near:
            return hidden
        nearest = torch.full((near, *shape), torch.inf, device=self.device).view(torch.int32)
        largest = max(height * width for height, width in self._shapes)
        show_kernel[(blocks(largest, TILE["BLOCK"]), near)](
            *(self._planes, self._normals, self._sure.view(torch.uint8), *self._places),
            *(self._near, self._paths, nearest, view, near),
            **TILE,
        )
        hide_kernel[(blocks(hidden.numel(), TILE["BLOCK"]),)](
            self._planes, *self._places, nearest, hidden, view, near, self._tolerance, **TILE
        )
        return hidden

    def lay_out(
        self, weights: list[Float[Tensor, "h w"]], colours: list[UInt8[Tensor, "h w 3"]]
    ) -> None:
        """Take what :meth:`gathered` adds up beside positions and normals."""
        self._weights, self._colours = self._flat(weights), self._flat(colours)

    def gathered(
        self, view: int, pending: Bool[Tensor, "h w"]
    ) -> tuple[Float[Tensor, "p 10"], Int[Tensor, "p 1+k"], Int[Tensor, "p"]]:
        """The sums of the pixels that are ``pending``, in their order, and who takes part in them.

        Sums are of weight, position, normal and colour, each times its weight, over the view and
        the neighbours that agree, whose pixels are ``taken`` from now on; then their places, and
        how many they are. This alone waits for the device, for the number of pixels.
        """
        chosen = pending.flatten().nonzero()[:, 0].to(torch.int32)
        size, near = len(chosen), self._near.shape[1]
        sums = torch.empty(size, SUMS, device=self.device)
        views = torch.zeros(size, near + 1, dtype=torch.int32, device=self.device)
        counts = torch.empty(size, dtype=torch.int32, device=self.device)
        if size:
            gather_kernel[(blocks(size, TILE["BLOCK"]),)](
                *(self._planes, self._normals, self._weights, self._colours),
                *(self._taken.view(torch.uint8), *self._places, self._near, self._paths),
                *(chosen, sums, views, counts, size, view, near, self._tolerance),
                **TILE,
            )
        return sums, views, counts

    def _flat(self, maps: list[Tensor]) -> Tensor:
        """All views' pixels one after the other, with the last axis of each, if it has one."""
        return torch.cat([part.to(self.device).flatten(0, 1) for part in maps]).contiguous()

    def _views(self, flat: Tensor) -> list[Tensor]:
        ends = zip(self._firsts, self._firsts[1:], self._shapes, strict=False)
        return [flat[first:end].unflatten(0, shape) for first, end, shape in ends]
