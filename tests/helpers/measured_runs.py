"""Runs with made-up figures, on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neus.tables import Run

VIEWS = {
    "psnr": 30.25,
    "psnr_train": 33.0,
    "psnr_masked": 27.0,
    "ssim": 0.91,
    "mask_iou": 0.98,
    "background": "white",
    "trained_with_masks": True,
    "views": {"000000": {"psnr": 30.25}},
    "images_train": 42,
    "images_test": 7,
}
MESH = {
    "accuracy": 0.6,
    "completeness": 0.8,
    "chamfer": 0.7,
    "fscore": None,
    "fscore_threshold": None,
    "normal_consistency": None,
    "unit": "mm",
    "diameter": 500.0,
    "protocol": "dtu",
    "culling": "none",
    "reason": None,
}
TRAIN = {
    "steps": 20000,
    "train_seconds": 600.0,
    "samples_per_second": 1.5e6,
    "rays_per_second": 2e5,
    "peak_memory_gib": 3.25,
    "budget": "card",
    "device": "RTX_3090",
    "commit": "0123456789ab",
    "versions": {"python": "3.11.2", "torch": "2.13.0"},
    "seed": 0,
}


def write_run(
    root: Path,
    scan: str,
    method: str,
    seed: int,
    views: dict[str, Any] | None = VIEWS,
    mesh: dict[str, Any] | None = MESH,
    train: dict[str, Any] | None = TRAIN,
) -> Run:
    """The files of a run, the mesh's under the name of its culling."""
    folder = root / scan / method / f"seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in (("views", views), ("mesh", mesh), ("train", train)):
        culling = "-" + content.get("culling", "none") if content and name == "mesh" else ""
        paths.append(None if content is None else folder / f"{name}{culling}.json")
        if content is not None:
            paths[-1].write_text(json.dumps(content))
    return Run(scan, method, seed, *paths)
