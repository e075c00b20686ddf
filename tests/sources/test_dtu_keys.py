"""Files of projections as people make them: other numbers, masks that are missing or blank."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from neus.errors import InputError
from neus.images import write_image
from neus.sources import check_source
from neus.sources.blank_masks import without_blank_masks
from neus.sources.projections import cameras_of, read_matrices
from tests.helpers.foreign_models import write_dtu
from tests.helpers.foreign_scans import COUNT, assert_read, cameras, masks, picture, read

MATRIX = np.array([[320.0, 2, 160, 7], [0, 310, 120, -3], [0, 0, 1, 5], [0, 0, 0, 1]])


@pytest.mark.parametrize("numbers", [range(1, 7), [0, 2, 3, 7, 11, 40], [10, 9, 8, 7, 6, 5]])
def test_keys_that_start_anywhere_and_have_gaps(tmp_path, numbers):
    capture, _ = read(write_dtu(tmp_path, numbers=numbers), "dtu")
    assert_read(capture, order=np.argsort(list(numbers)).tolist())
    assert len(capture.scene.masked) == COUNT


def test_images_that_count_from_another_number_go_by_their_order(tmp_path):
    scan = write_dtu(tmp_path)
    for i in reversed(range(COUNT)):
        (scan / "image" / f"{i:06d}.png").rename(scan / "image" / f"{i + 1:06d}.png")
    assert_read(read(scan, "dtu", "none")[0])


def test_float32_and_jpeg_and_one_mask_short(tmp_path):
    scan = write_dtu(tmp_path, dtype=np.float32, image="{:03d}.jpg")
    (scan / "mask/003.png").unlink()
    capture, _ = read(scan, "dtu")
    assert_read_about(capture)
    assert capture.scene.masked == (0, 1, 2, 4, 5)
    with pytest.raises(InputError, match=r"no mask for 1 of 6 images \(003\.jpg\)"):
        read(scan, "dtu", "all")


def assert_read_about(capture) -> None:
    np.testing.assert_allclose(
        capture.scene.cameras.camera_to_world, cameras().camera_to_world, atol=1e-4
    )
    np.testing.assert_allclose(capture.scene.cameras.intrinsics, cameras().intrinsics, atol=1e-3)


def test_an_image_or_a_camera_too_many_is_left_out_by_its_number(tmp_path):
    scan = write_dtu(tmp_path)
    (scan / "image/000004.png").unlink()
    capture, said = read(scan, "dtu")
    assert_read(capture, order=[0, 1, 2, 3, 5])
    assert "1 cameras without an image are left out (world_mat_4)" in said
    write_image(scan / "image/000004.png", picture(4))
    write_image(scan / "image/000017.png", picture(0))
    capture, said = read(scan, "dtu")
    assert_read(capture)
    assert "1 images without a camera are left out (000017.png)" in said


def test_without_a_sphere_it_says_what_to_do(tmp_path):
    capture, said = read(write_dtu(tmp_path, sphere=False), "dtu")
    assert capture.sphere is None
    assert "has no scale_mat_i, so it does not say where the object is: set the key sphere" in said


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_masks_of_any_channels(tmp_path, channels):
    from neus.scene import load_mask

    scan = write_dtu(tmp_path)
    for i, mask in enumerate(masks()):
        opaque = np.full_like(mask, 255)
        layers = {1: mask, 3: np.dstack([mask] * 3), 4: np.dstack([mask] * 3 + [opaque])}
        write_image(scan / "mask" / f"{i:03d}.png", layers[channels])
    scene = read(scan, "dtu")[0].scene
    np.testing.assert_array_equal(load_mask(scene, 3), masks()[3])


def test_masks_of_another_size_are_refused_before_anything_runs(tmp_path):
    scan = write_dtu(tmp_path)
    write_image(scan / "mask/002.png", np.zeros((12, 16), np.uint8))
    with pytest.raises(InputError, match=r"1 of 6 masks: .*002\.png is 16x12"):
        check_source("dtu", scan, masks="auto")


@pytest.mark.parametrize("is_alpha", [False, True])
def test_blank_masks_are_named_and_black_ones_left_out(tmp_path, is_alpha):
    scan = write_dtu(tmp_path)
    for i, mask in enumerate([masks()[0], masks()[1] * 0, masks()[2] * 0 + 255, *masks()[3:]]):
        write_image(scan / "mask" / f"{i:03d}.png", mask)
        if is_alpha:
            write_image(scan / "image" / f"{i:06d}.png", np.dstack([picture(i), mask]))
    if is_alpha:
        for file in (scan / "mask").iterdir():
            file.unlink()
        (scan / "mask").rmdir()
    lines: list[str] = []
    capture = read(scan, "dtu")[0]
    kept = without_blank_masks(capture, threads=2, report=lines.append).scene
    assert kept.masked == ((0, 3, 4, 5) if is_alpha else (0, 2, 3, 4, 5))
    name = "000001.png" if is_alpha else "001.png"
    assert "masks are black all over, as if there were no object, and are not used" in lines[0]
    assert name in lines[0]
    if not is_alpha:  # an opaque alpha channel is no mask
        assert "1 of 6 masks are white all over" in lines[1]
        assert "002.png" in lines[1]


def test_masks_that_are_all_black_are_refused(tmp_path):
    scan = write_dtu(tmp_path)
    for i in range(COUNT):
        write_image(scan / "mask" / f"{i:03d}.png", np.zeros((24, 32), np.uint8))
    with pytest.raises(InputError, match="found all 6 masks black all over"):
        without_blank_masks(read(scan, "dtu")[0], threads=2, report=lambda line: None)


def test_the_file_itself_may_be_the_path(tmp_path):
    scan = write_dtu(tmp_path)
    (scan / "cameras_sphere.npz").rename(scan / "mine.npz")
    assert_read(read(scan / "mine.npz", "dtu")[0])


def test_matrices_are_those_that_numpy_reads(tmp_path: Path) -> None:
    file, kinds = tmp_path / "cameras.npz", (np.float64, np.float32, ">f8", np.int16)
    written = {f"world_mat_{i}": MATRIX.astype(kind) for i, kind in enumerate(kinds)}
    written |= {"world_mat_4": np.asfortranarray(MATRIX), "world_mat_005": MATRIX[:3]}
    np.savez_compressed(file, allow_pickle=False, **written)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        of_version_2 = BytesIO()
        np.lib.format.write_array(of_version_2, MATRIX, version=(2, 0))
        archive.writestr("world_mat_6.npy", of_version_2.getvalue())
        archive.writestr("notes.txt", "no matrix")
    matrices = read_matrices(file)
    assert list(matrices) == [f"world_mat_{i}" for i in range(7)]
    with np.load(file) as content:
        for key, by_numpy in zip(matrices, content.values(), strict=False):
            assert matrices[key].dtype == np.float64
            np.testing.assert_array_equal(matrices[key], by_numpy)


def test_objects_are_refused(tmp_path: Path) -> None:
    matrix = np.array([[{"a": 1}]], dtype=object)
    np.savez(tmp_path / "cameras.npz", allow_pickle=True, world_mat_0=matrix)
    with pytest.raises(InputError, match="what NumPy cannot read"):
        read_matrices(tmp_path / "cameras.npz")


def test_each_camera_that_is_none_is_named() -> None:
    matrices = {f"world_mat_{i}": MATRIX * [[s], [s], [s], [1]] for i, s in enumerate((1, -1, 1))}
    matrices["world_mat_0"] = np.zeros((4, 4))
    matrices["world_mat_2"] = np.eye(4)
    with pytest.raises(InputError) as refused:
        cameras_of(Path("c.npz"), matrices, [0, 1, 2, 3], [(320, 240)] * 4)
    told = [sentence.split(": found ")[0] for sentence in refused.value.sentences]
    assert told == [f"c.npz, key world_mat_{i}" for i in (3, 0, 1, 2)]
    assert "sheared pixels" in refused.value.sentences[2]
