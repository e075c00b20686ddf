"""Images that are there twice: a copy that is held out tests nothing."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from pathlib import Path

import numpy as np

from neus.errors import listed
from neus.scene import Scene


def copies(scene: Scene) -> list[tuple[Path, Path]]:
    """Pairs of files with the same content, in the order of the frames.

    Only files of one size are compared.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for frame in scene.frames:
        by_size[frame.image.stat().st_size].append(frame.image)
    pairs = []
    for files in by_size.values():
        originals: list[Path] = []
        for file in files:
            same = next((o for o in originals if filecmp.cmp(o, file, shallow=False)), None)
            if same is None:
                originals.append(file)
            elif same != file:
                pairs.append((same, file))
    return pairs


def said_of_copies(scene: Scene) -> list[str]:
    """A sentence about images with the same content, and one about cameras that are one."""
    lines = []
    if pairs := copies(scene):
        named = listed([f"{first.name} and {second.name}" for first, second in pairs], 3)
        lines.append(
            f"{len(pairs)} images are the same as another ({named}): a copy that is held out "
            "would be no test, so take it out"
        )
    poses = np.round(scene.cameras.camera_to_world, 9).reshape(len(scene.frames), -1)
    first: dict[bytes, str] = {}
    same = []
    for frame, pose in zip(scene.frames, poses, strict=True):
        other = first.setdefault((pose + 0.0).tobytes(), frame.name)
        if other != frame.name:
            same.append(f"{frame.name} and {other}")
    if same:
        lines.append(f"{len(same)} cameras have the same pose as another ({listed(same, 3)})")
    return lines
