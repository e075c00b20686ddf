"""Poses from photos of real scans, against their published cameras."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.poses.gathered import gather
from neus.poses.method import Method
from neus.poses.photos import Registration, estimate_poses
from neus.sources.colmap import read_colmap
from neus.sources.dtu import read_dtu
from neus.sources.intrinsics import read_intrinsics
from neus.sources.strecha import read_strecha
from tests.helpers.pose_errors import median_errors


def run(photos: Path, output: Path, method: Method) -> Registration:
    folder, bare = gather(photos, "none", threads=2, report=print)
    return estimate_poses(
        bare, output, method, work=None, threads=2, report=print, place=folder.root
    )


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("is_known", [False, True])
def test_fountain_against_its_reference_cameras(real_scan, tmp_path, capsys, is_known):
    fountain = real_scan("strecha/fountain-P11")
    intrinsics = read_intrinsics(fountain / "images" / "K.txt") if is_known else None
    registration = run(fountain, tmp_path / "model", Method(intrinsics=intrinsics))
    assert registration.registered == registration.images == 11
    scene = read_colmap(fountain, masks="none", model=tmp_path / "model" / "sparse").scene
    reference = read_strecha(fountain, masks="none").scene
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
@pytest.mark.long
@pytest.mark.parametrize("size", [800, 1600])
def test_scan65_as_bare_photos(real_scan, tmp_path, capsys, size):
    """In pictures of half the size, and of the size that is the default."""
    scan65 = real_scan("dtu/scan65")
    registration = run(scan65, tmp_path / "model", Method(max_size=size))
    assert registration.registered == registration.images == 49
    scene = read_colmap(scan65, masks="none", model=tmp_path / "model" / "sparse").scene
    known = read_dtu(scan65, masks=False).scene
    centres, rotations, _ = median_errors(scene.cameras, known.cameras)
    with capsys.disabled():
        print(
            f"\nscan65 as bare photos of {size} pixels: 49 of 49, median centre error "
            f"{centres:.3f} %, median rotation error {rotations:.3f} degrees, "
            f"{registration.seconds:.0f} s"
        )
    assert centres <= 0.1
    assert rotations <= 0.1
