"""The files of COLMAP's models, and the images that they name: missing, elsewhere, resized."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from neus.errors import InputError
from neus.images import ORIENTATION
from neus.sources.colmap import read_colmap
from tests.helpers.foreign_models import write_model
from tests.helpers.foreign_scans import COUNT, assert_read, read


def refused(scan: Path) -> str:
    with pytest.raises(InputError) as error:
        read(scan, "colmap")
    return str(error.value)


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_points_may_be_missing_or_none(tmp_path, kind):
    scan = write_model(tmp_path, kind)
    suffix = {"text": "txt", "binary": "bin"}[kind]
    assert len(read(scan, "colmap")[0].scene.points) == 20
    points = scan / f"sparse/0/points3D.{suffix}"
    points.write_bytes(b"" if kind == "text" else bytes(8))
    assert len(read(scan, "colmap")[0].scene.points) == 0
    points.unlink()
    capture, said = read(scan, "colmap")
    assert_read(capture)
    assert f"holds no points3D.{suffix}: going on without points" in said


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize("gone", ["cameras", "images"])
def test_a_file_that_is_missing_is_named(tmp_path, kind, gone):
    scan = write_model(tmp_path, kind)
    suffix = {"text": "txt", "binary": "bin"}[kind]
    (scan / f"sparse/0/{gone}.{suffix}").unlink()
    assert f"found no {gone}.{suffix} beside" in refused(scan)


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize("gone", ["rigs", "frames"])
def test_rigs_and_frames_go_together(tmp_path, kind, gone):
    scan = write_model(tmp_path, kind)
    files = list((scan / "sparse/0").glob(f"{gone}.*"))
    assert len(files) == 1, "COLMAP 3.12 and later write them"
    files[0].unlink()
    capture, said = read(scan, "colmap")
    assert_read(capture)
    assert "each image counts for itself" in said


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize("name", ["IMG ({})", "a  b #{}", "100% [{}]", "ü {} ²", "- {}"])
def test_names_with_blanks_and_what_else_people_type(tmp_path, kind, name):
    scan = write_model(tmp_path, kind, names=[name.format(i) for i in range(COUNT)])
    assert_read(read(scan, "colmap")[0])


def test_lines_of_points_that_converters_forget(tmp_path):
    scan = write_model(tmp_path)
    file = scan / "sparse/0/images.txt"
    lines = [line for line in file.read_text().splitlines() if line.strip()]
    file.write_text("\r\n".join(lines))
    assert_read(read(scan, "colmap")[0])
    file.write_text("1 2 3\n")
    assert "found the line '1 2 3', expected IMAGE_ID, QW" in refused(scan)


def test_a_camera_without_images_is_no_fault(tmp_path):
    scan = write_model(tmp_path)
    with (scan / "sparse/0/cameras.txt").open("a") as file:
        file.write("99 PINHOLE 640 480 500 500 320 240\n")
    assert_read(read(scan, "colmap")[0])


def test_images_of_another_size(tmp_path):
    scan = write_model(tmp_path)
    file = scan / "sparse/0/cameras.txt"
    file.write_text("1 PINHOLE 64 48 60 60 32 24\n")
    capture, said = read(scan, "colmap")
    assert_read(capture)
    assert "is for images of 64x48, but 6 are 32x24" in said
    file.write_text("1 SIMPLE_RADIAL 64 48 60 32 24 -0.05\n")
    lens = read(scan, "colmap")[0].scene.frames[0].rectify.lens  # pyright: ignore
    assert (lens.width, lens.params[0]) == (32, 30)
    file.write_text("1 PINHOLE 64 64 60 60 32 32\n")
    assert "6 images of 32x24 whose cameras are 64x64" in refused(scan)
    file.write_text("1 PINHOLE 32 24 -60 60 16 12\n")
    assert "focal lengths -60" in refused(scan)


def test_a_model_elsewhere_a_database_alone_and_a_file_for_a_path(tmp_path):
    scan = write_model(tmp_path)
    assert_read(read(scan / "sparse/0", "colmap")[0])
    assert_read(read(scan / "sparse/0/images.txt", "colmap")[0])
    (scan / "colmap").mkdir()
    shutil.move(scan / "sparse", scan / "colmap/sparse")
    assert_read(read(scan, "colmap")[0])
    shutil.rmtree(scan / "colmap")
    (scan / "database.db").write_bytes(b"SQLite format 3\0")
    assert "a database of features alone (database.db)" in refused(scan)


def test_images_by_names_of_another_machine_and_missing_ones(tmp_path):
    scan = write_model(tmp_path)
    file = scan / "sparse/0/images.txt"
    text = file.read_text()
    for i in range(COUNT):
        text = text.replace(f" {i:04d}.png", f" C:\\photos\\my scan\\{i:04d}.PNG")
    file.write_text(text)
    capture, said = read(scan, "colmap")
    assert_read(capture)
    assert "6 names are written as absolute paths of another place" in said
    (scan / "images/0003.png").unlink()
    capture, said = read(scan, "colmap")
    assert_read(capture, order=[0, 1, 2, 4, 5])
    assert "1 of 6 images do not exist" in said


def test_a_foreign_model_of_photos_that_are_stored_mirrored_is_refused(tmp_path):
    """COLMAP ignores the tag, and so placed cameras in a mirrored world."""
    scan = write_model(tmp_path)
    tags = Image.Exif()
    tags[ORIENTATION] = 2
    for file in (scan / "images").iterdir():
        with Image.open(file) as image:
            image.save(file, exif=tags)
    with pytest.raises(InputError, match=r"6 images that are stored mirrored, .* source to photos"):
        read_colmap(scan, masks="auto")


@pytest.mark.parametrize("place", ["dense/0/sparse", "distorted/sparse", "undistorted/sparse"])
@pytest.mark.parametrize("images", ["images", "input"])
def test_models_in_the_workspaces_of_other_programs(tmp_path, place, images):
    scan = write_model(tmp_path)
    (scan / place).parent.mkdir(parents=True)
    (scan / "sparse").rename(scan / place)
    (scan / "images").rename(scan / images)
    assert_read(read(scan, "colmap")[0])


def test_a_byte_order_mark_an_image_listed_twice_and_one_without_rotation(tmp_path):
    scan = write_model(tmp_path)
    model = scan / "sparse/0"
    texts = {name: (model / name).read_text() for name in ("cameras.txt", "images.txt")}
    for name, text in texts.items():
        (model / name).write_text("\ufeff" + text.replace("\n", "\r\n"), newline="")
    assert_read(read(scan, "colmap")[0])
    (model / "images.txt").write_text(texts["images.txt"].replace("0001.png", "0000.png"))
    assert "1 images that are listed twice (0000.png)" in refused(scan)
    lines = texts["images.txt"].splitlines()
    row = next(i for i, line in enumerate(lines) if line.endswith("0002.png"))
    lines[row] = " ".join([lines[row].split()[0], *["0"] * 4, *lines[row].split()[5:]])
    (model / "images.txt").write_text("\n".join(lines))
    assert "image 0002.png: found a quaternion of zeros" in refused(scan)
    (model / "images.txt").write_text("# none\n")
    assert "images.txt: found no image" in refused(scan)
