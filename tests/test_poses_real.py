"""Poses from photos of real scans, against their published cameras."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pose_errors import median_errors

from neus.poses import Registration, estimate_poses
from neus.sources.colmap import read_colmap
from neus.sources.dtu import read_dtu
from neus.sources.intrinsics import read_intrinsics
from neus.sources.photos import find_images
from neus.sources.strecha import read_strecha
from neus.structure_from_motion import Method


def data_folder(name: str) -> Path:
    beside = Path(__file__).parents[1] / ".." / "shared" / "data"
    return Path(os.environ.get("NEUS_DATA", beside)) / name


FOUNTAIN, SCAN65 = data_folder("strecha/fountain-P11"), data_folder("dtu/scan65")


def run(photos: Path, output: Path, method: Method) -> Registration:
    images = find_images(photos)
    return estimate_poses(images, output, method, work=None, threads=2, report=print)


@pytest.mark.slow
@pytest.mark.skipif(not FOUNTAIN.is_dir(), reason="set NEUS_DATA to a folder with strecha")
@pytest.mark.parametrize("is_known", [False, True])
def test_fountain_against_its_reference_cameras(tmp_path, capsys, is_known):
    intrinsics = read_intrinsics(FOUNTAIN / "images" / "K.txt") if is_known else None
    registration = run(FOUNTAIN, tmp_path / "model", Method(intrinsics=intrinsics))
    assert registration.registered == registration.images == 11
    scene = read_colmap(FOUNTAIN, masks="none", model=tmp_path / "model" / "sparse").scene
    reference = read_strecha(FOUNTAIN, masks="none").scene
    centres, rotations, in_all = median_errors(scene.cameras, reference.cameras)
    with capsys.disabled():
        print(
            f"\nfountain-P11, K {'known' if is_known else 'estimated'}: median centre error "
            f"{centres:.3f} % of the largest distance, median rotation error {rotations:.3f} "
            f"degrees ({in_all:.3f} with the common turn), {registration.seconds:.0f} s"
        )
    assert centres <= 0.05
    assert rotations <= 0.06
    if is_known:
        assert in_all <= 0.1


@pytest.mark.slow
@pytest.mark.skipif(not SCAN65.is_dir(), reason="set NEUS_DATA to a folder with dtu")
def test_scan65_as_bare_photos(tmp_path, capsys):
    registration = run(SCAN65, tmp_path / "model", Method())
    assert registration.registered == registration.images == 49
    scene = read_colmap(SCAN65, masks="none", model=tmp_path / "model" / "sparse").scene
    known = read_dtu(SCAN65, masks=False).scene
    centres, rotations, _ = median_errors(scene.cameras, known.cameras)
    with capsys.disabled():
        print(
            f"\nscan65 as bare photos: 49 of 49, median centre error {centres:.3f} %, median "
            f"rotation error {rotations:.3f} degrees, {registration.seconds:.0f} s"
        )
    assert centres <= 0.1
    assert rotations <= 0.1
