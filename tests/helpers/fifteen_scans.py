"""The fifteen scans of config/dtu.yaml in miniature: names, folders and files, as both releases."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import yaml
from scipy.io import loadmat, savemat

from neus.images.files import write_image
from neus.metrics.dtu_files import DtuFiles
from neus.metrics.geometry import load_surface
from neus.sources.demo import make_demo
from neus.sources.demo.reference import write_ply
from tests.helpers.demo_scan import coarse_reference
from tests.helpers.places import ROOT

CONFIG = ROOT / "config" / "dtu.yaml"
NUMBERS = [24, 37, 40, 55, 63, 65, 69, 83, 97, 105, 106, 110, 114, 118, 122]
SHRUNK = 8


def write_stand_ins(folder: Path) -> None:
    """What a dry run looks at: headers of images, cameras, and that the reference is there.

    Every other scan is as NeuS distributes it, ``dtu_scan24`` with ``cameras_sphere.npz``, and the
    others as IDR does, ``scan37`` with ``cameras.npz``.
    """
    for i, number in enumerate(NUMBERS):
        of_neus = i % 2 == 0
        scan = folder / "data" / "dtu" / f"{'dtu_' if of_neus else ''}scan{number}"
        write_scan(scan, "cameras_sphere.npz" if of_neus else "cameras.npz")
        for file in DtuFiles.below(folder / "data" / "dtu_reference", number):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()


def write_scan(scan: Path, cameras: str) -> None:
    """Three views of 64x48 pixels, whose object is the unit sphere, 26 pixels wide."""
    matrices, mask = {}, np.zeros((48, 64), np.uint8)
    mask[11:37, 19:45] = 255
    for i in range(3):
        image = np.random.default_rng(i).integers(0, 255, (48, 64, 3), np.uint8)
        write_image(scan / "image" / f"{i:06}.png", image)
        write_image(scan / "mask" / f"{i:03}.png", mask)
        matrices[f"world_mat_{i}"] = np.array(
            [[64.0, 0, 32, i], [0, 64, 24, 0], [0, 0, 1, 5], [0, 0, 0, 1]]
        )
        matrices[f"scale_mat_{i}"] = np.eye(4)
    np.savez(scan / cameras, allow_pickle=False, **matrices)


def make_procedural_scans(folder: Path) -> None:
    """One tiny sculpture under fifteen names, measured against its own exact surface."""
    first = folder / "data" / "dtu" / f"dtu_scan{NUMBERS[0]}"
    with coarse_reference():
        make_demo(first, views=8, width=64, height=48)
    true = DtuFiles.below(first / "reference" / "dtu", 1)
    _shrink(first / "cameras_sphere.npz", true)
    for number in NUMBERS:
        if number != NUMBERS[0]:
            first.with_name(f"scan{number}").symlink_to(first)
        for own, file in zip(
            true, DtuFiles.below(folder / "data" / "dtu_reference", number), strict=True
        ):
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(own, file)


def _shrink(cameras: Path, reference: DtuFiles) -> None:
    """An eighth of the size in millimetres: DTU's protocol looks at a point every 0.2 of them."""
    shrinking = np.diag([1 / SHRUNK, 1 / SHRUNK, 1 / SHRUNK, 1])
    with np.load(cameras) as archive:
        matrices = {
            name: shrinking @ matrix
            if name.startswith("scale")
            else matrix @ np.linalg.inv(shrinking)
            for name, matrix in archive.items()
        }
    np.savez(cameras, allow_pickle=False, **matrices)
    points = load_surface(reference.points).vertices
    write_ply(reference.points, points / SHRUNK)
    observed, plane = loadmat(reference.observed), loadmat(reference.plane)
    sizes = {name: observed[name] / SHRUNK for name in ("BB", "Res", "Margin")}
    savemat(reference.observed, {"ObsMask": observed["ObsMask"], **sizes}, do_compression=True)
    savemat(reference.plane, {"P": plane["P"] / [[1], [1], [1], [SHRUNK]]})


def load_config() -> dict:
    return yaml.safe_load(CONFIG.read_text())
