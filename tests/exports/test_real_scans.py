"""Real scans whose cameras go through COLMAP's, nerfstudio's and instant-ngp's files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neus.exports import export_scene, models, transforms
from neus.placement import normalize
from neus.placement.normalize import Ball
from neus.scene import Frame, Scene
from neus.sources import read_source
from neus.sources.capture import Capture
from tests.helpers.places import REAL_SCANS

SCANS = {
    "scan65": ("dtu", "dtu/scan65", Ball(np.array([0.0, 0, 600]), 150.0)),
    "dino": ("middlebury", "middlebury/dinoSparseRing", Ball(np.array([-0.02, 0.02, -0.02]), 0.08)),
    "lego": ("blender", "blender/lego", Ball(np.zeros(3), 1.2)),
    "fountain-P11": ("strecha", "strecha/fountain-P11", Ball(np.array([-8.0, -5, 0.5]), 5.0)),
}
LAYOUTS = {
    "colmap-text": "colmap", "colmap-binary": "colmap", "nerfstudio": "nerfstudio",
    "instant-ngp": "nerfstudio",
}  # fmt: skip
EVERY = 8


def linked(scene: Scene, index: int, target: Path) -> Path:
    """In place of a copy; the names stay those of the export."""
    image = scene.frames[index].image
    target.parent.mkdir(parents=True, exist_ok=True)
    file = target.with_name(target.name + image.suffix)
    file.symlink_to(image.resolve())
    return file


def placed(capture: Capture, ball: Ball) -> Scene:
    scene = normalize(capture, sphere=ball, up=(0.1, 0.2, 1.0))
    held_out = scene.test or tuple(range(0, len(scene.frames), EVERY))
    return replace(scene, test=held_out)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", SCANS)
def test_cameras_images_and_split_survive(name, layout, tmp_path, monkeypatch):
    kind, place, ball = SCANS[name]
    if not (REAL_SCANS / place).is_dir():
        pytest.skip(f"set NEUS_DATA to a folder with {place}")
    original = read_source(
        kind, REAL_SCANS / place, masks="none", model=None, report=lambda line: None
    )
    rng = np.random.default_rng(0)
    points = ball.centre + ball.radius / 2 * rng.uniform(-1, 1, (50, 3))
    scene = replace(
        original.scene, points=points, points_rgb=rng.integers(0, 256, (50, 3), dtype=np.uint8)
    )
    expected = placed(replace(original, scene=scene), ball)
    frames = [
        Frame(f"view {i:03d} (of {name})", frame.image, None, None)
        for i, frame in enumerate(scene.frames)
    ]
    for module in (models, transforms):
        monkeypatch.setattr(module, "put_image", linked)
    written = replace(scene, frames=tuple(frames), test=expected.test)
    export_scene(written, tmp_path / "out", layout)
    if LAYOUTS[layout] == "nerfstudio":
        in_windows_style(tmp_path / "out" / "transforms.json")
    read = read_source(
        LAYOUTS[layout], tmp_path / "out", masks="auto", model=None, report=lambda line: None
    )
    found = placed(read, ball)
    files = [[frame.image.resolve() for frame in scene.frames] for scene in (found, expected)]
    assert files[0] == files[1]
    assert found.test == expected.test
    for attribute in ("camera_to_world", "intrinsics", "widths", "heights"):
        np.testing.assert_allclose(
            getattr(found.cameras, attribute),
            getattr(expected.cameras, attribute),
            rtol=1e-6,
            atol=1e-6,
        )
    np.testing.assert_allclose(found.to_source.matrix, expected.to_source.matrix, rtol=1e-6)
    if layout != "instant-ngp":
        np.testing.assert_allclose(
            np.sort(found.points, axis=0), np.sort(expected.points, axis=0), atol=1e-6
        )


def in_windows_style(file: Path) -> None:
    """Backslashes, and the names of an export on another disk."""
    content = json.loads(file.read_text())
    for frame in content["frames"]:
        frame["file_path"] = "C:\\scans\\mine\\" + frame["file_path"].replace("/", "\\")
    for key in ("train_filenames", "val_filenames", "test_filenames"):
        if key in content:
            content[key] = ["C:\\scans\\mine\\" + n.replace("/", "\\") for n in content[key]]
    file.write_text("\ufeff" + json.dumps(content))
