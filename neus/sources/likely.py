"""What a folder looks like, where it is not what its scan says."""

from __future__ import annotations

from pathlib import Path

from neus.sources.colmap_model import has_model

SIGNS = {
    "nerfstudio": ("transforms.json", "meta_data.json"),
    "blender": ("transforms_train.json",),
    "dtu": ("cameras_sphere.npz", "cameras.npz", "cameras_large.npz"),
    "middlebury": ("*_par.txt",),
    "strecha": ("*.camera", "*/*.camera"),
}
"""Files by which each source is known."""


def likely_source(path: Path) -> str | None:
    """The source whose files a folder holds, or None."""
    folder = path if path.is_dir() else path.parent
    for source, patterns in SIGNS.items():
        if any(next(folder.glob(pattern), None) for pattern in patterns):
            return source
    return "colmap" if has_model(folder) else None
