"""Compile the kernels of stereo before they are needed, in a process of its own.

As in ``neus.ops.cpu.warm_up``: a kernel that a process compiles itself may round differently in the
last bits from one that numba's cache holds, so that a first run would not equal the next.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from neus.ops.cpu import stereo_kernels
from neus.ops.cpu.stereo import patchmatch
from neus.ops.stereo import Lens, Matching, Sources
from neus.scene import Cameras
from neus.stereo import kernels
from neus.stereo.consistency import Agreement, agreements
from neus.stereo.fusion import fuse
from neus.stereo.maps import HostMaps, Relief
from neus.stereo.settings import StereoSettings


def compiled_before(device: torch.device) -> bool:
    """Whether nothing is left to :func:`compile_kernels`: numba's cache holds all, or none counts.

    A card calls none of numba's kernels. Triton compiles its own when they are first called, and
    keeps them.
    """
    if device.type != "cpu":
        return True
    last = {"sweep": stereo_kernels, "gather": kernels}
    for name, module in last.items():
        file = Path(str(module.__file__))
        folder = Path(os.environ.get("NUMBA_CACHE_DIR") or file.parent)
        if not any(folder.rglob(f"{file.stem}.{name}-*.nbi")):
            return False
    return True


def compile_kernels() -> None:
    """Compile what a reconstruction on the CPU calls."""
    subprocess.run([sys.executable, "-m", __name__], check=False)


def call_all() -> None:
    """Call every kernel once, on a few pixels."""
    size, count = 4, 2
    grey, active = torch.zeros(size, size), torch.ones(size, size, dtype=torch.bool)
    sources = Sources(
        grey[None], active[None], ((size, size),), torch.eye(3)[None], *torch.zeros(2, 1, 3)
    )
    lens = Lens((1.0, 1.0), (0.0, 0.0), 0.5, 1.0, 0.1)
    patchmatch(
        grey, active, grey, torch.zeros(size, size, 3), lens, sources, Matching(iterations=1), 0
    )
    poses = np.tile(np.eye(3, 4), (count, 1, 1))
    poses[:, 2, 3] = -2
    sizes = np.full(count, size)
    cameras = Cameras(np.tile(np.eye(3), (count, 1, 1)), poses, sizes, sizes)
    planes = np.ones((size, size, 3), np.float32)  # of weight 0 they would have no mean
    reliefs = [Relief(planes, planes, planes[..., 0], 1.0) for _ in range(count)]
    maps = HostMaps(reliefs, cameras, [[1], [0]], 1.0)
    agreements(maps, [planes[..., 0]] * count, StereoSettings())
    none = np.zeros((size, size), np.int32)
    said = Agreement(none, none, none, np.ones((size, size), np.float32))
    colours = [np.zeros((size, size, 3), np.uint8)] * count
    fuse(maps, [said] * count, colours, cameras)


if __name__ == "__main__":
    call_all()
