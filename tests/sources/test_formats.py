"""What is read: each row of the table in docs/formats.md, and the small files beside photos."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neus.errors import InputError
from neus.images import SUFFIXES, UNREAD, VIDEOS, check_video, write_image
from neus.images.files import write_video
from neus.sources import SOURCES, check_source
from neus.sources.formats import FORMATS, formats_table
from neus.sources.intrinsics import read_intrinsics
from neus.sources.location import GPS, read_location
from neus.sources.photos import find_photos
from tests.helpers.foreign_models import write_dtu, write_model
from tests.helpers.foreign_scans import (
    COUNT,
    FOCAL,
    SIZE,
    assert_read,
    cameras,
    change_poses,
    masks,
    numbered,
    picture,
    read,
    write_scan,
)
from tests.helpers.places import ROOT

PAGE = (ROOT / "docs" / "formats.md").read_text()
FLIP = np.diag([1.0, -1, -1, 1])


def instant_ngp(folder: Path) -> Path:
    def edit(content):
        del content["fl_x"], content["fl_y"]
        content |= {"x_fov": math.degrees(2 * math.atan(SIZE[0] / 2 / FOCAL)), "aabb_scale": 4}

    write_scan(folder, edit, names=[f"./images/{i}" for i in range(COUNT)], files=[])
    for i in range(COUNT):
        write_image(folder / f"images/{i}.png", picture(i))
    return folder


def nerfstudio(folder: Path) -> Path:
    def edit(content):
        content |= {"applied_transform": np.eye(4)[:3].tolist(), "applied_scale": 1.0}
        for i, frame in enumerate(content["frames"]):
            frame["mask_path"] = f"masks/{i}.png"

    write_scan(folder, edit)
    for i, mask in enumerate(masks()):
        write_image(folder / "masks" / f"{i}.png", mask)
    return folder


def app(folder: Path) -> Path:
    def edit(content):
        keys = ("fl_x", "fl_y", "cx", "cy", "w", "h")
        values = {key: content.pop(key) for key in keys}
        for i, frame in enumerate(content["frames"]):
            frame |= values if i % 2 else {"intrinsics": cameras().intrinsics[i].tolist()}

    write_scan(folder, edit)
    return folder


def converter(folder: Path) -> Path:
    def edit(content):
        content |= {"fl_x": 999, "fl_y": 999, "camera_model": "OPENCV", "k1": 0, "k4": 0.0}
        for frame in content["frames"]:
            frame |= {"fl_x": FOCAL, "fl_y": FOCAL}

    write_scan(folder, edit)
    return folder


def blender(folder: Path) -> Path:
    angle = 2 * math.atan(SIZE[0] / 2 / FOCAL)
    content = write_scan(folder, name="transforms_train.json", names=numbered("./train/r_{}.png"))
    frames = content["frames"]
    for i, frame in enumerate(frames):
        write_image(folder / frame["file_path"], np.dstack([picture(i), masks()[i]]))
        frame["file_path"] = f"./train/r_{i}"
    content = {"camera_angle_x": angle, "frames": frames}
    (folder / "transforms_train.json").write_text(json.dumps(content))
    return folder


def neus2(folder: Path) -> Path:
    def edit(content):
        change_poses(lambda i, matrix: matrix @ FLIP)(content)
        content["from_na"] = True
        for i, frame in enumerate(content["frames"]):
            frame["intrinsic_matrix"] = cameras().intrinsics[i].tolist()

    write_scan(folder, edit)
    return folder


def sdfstudio(folder: Path) -> Path:
    def edit(content):
        change_poses(lambda i, matrix: matrix @ FLIP)(content)
        content |= {"worldtogt": np.eye(4).tolist(), "width": SIZE[0], "height": SIZE[1]}
        for frame in content["frames"]:
            frame["rgb_path"] = frame.pop("file_path")
            frame["camtoworld"] = frame.pop("transform_matrix")

    write_scan(folder, edit, name="meta_data.json", names=numbered("{:06}_rgb.png"))
    return folder


def middlebury(folder: Path) -> Path:
    lines = [str(COUNT)]
    for i, pose in enumerate(cameras().camera_to_world):
        write_image(folder / f"a{i}.png", picture(i))
        intrinsics = cameras().intrinsics[i].copy()
        intrinsics[:2, 2] -= 0.5
        rotation = pose[:, :3].T
        numbers = [*intrinsics.ravel(), *rotation.ravel(), *(-rotation @ pose[:, 3])]
        lines.append(" ".join([f"a{i}.png", *(repr(float(n)) for n in numbers)]))
    (folder / "a_par.txt").write_text("\n".join(lines))
    return folder


def strecha(folder: Path) -> Path:
    for i, pose in enumerate(cameras().camera_to_world):
        write_image(folder / f"{i}.png", picture(i))
        rows = [*cameras().intrinsics[i], [0, 0, 0], *pose[:, :3], pose[:, 3], SIZE]
        text = "\n".join(" ".join(map(str, row)) for row in rows)
        (folder / f"{i}.png.camera").write_text(text)
    return folder


WRITERS: dict[str, Callable[[Path], Path]] = {
    "instant-ngp": instant_ngp,
    "nerfstudio": nerfstudio,
    "Record3D, Polycam, KIRI, Luma": app,
    "Metashape, RealityCapture": converter,
    "BlenderNeRF, NeRF-synthetic": blender,
    "NeuS2": neus2,
    "SDFStudio": sdfstudio,
    "COLMAP, text": lambda folder: write_model(folder, "text"),
    "COLMAP, binary": lambda folder: write_model(folder, "binary"),
    "NeuS, IDR (DTU)": write_dtu,
    "Middlebury": middlebury,
    "Strecha": strecha,
}
WITHOUT_CAMERAS = {"photos", "a video"}


def test_the_page_shows_the_table_and_the_tests_write_each_row():
    assert formats_table() in PAGE
    assert {f.name for f in FORMATS} == WRITERS.keys() | WITHOUT_CAMERAS
    assert {f.source for f in FORMATS} == set(SOURCES) - {"demo"}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_in_a_row_is_read(name, tmp_path):
    (row,) = (f for f in FORMATS if f.name == name)
    folder = tmp_path / "scan"
    folder.mkdir()
    capture, _ = read(WRITERS[name](folder), row.source)
    assert_read(capture)


def test_photos_and_videos_are_taken(tmp_path):
    for i in range(3):
        write_image(tmp_path / "p" / "round" / f"{i}.png", picture(i))
    assert check_source("photos", tmp_path / "p", masks="auto") is None
    assert len(find_photos(tmp_path / "p").images) == 3
    write_video(tmp_path / "v.mp4", [picture(i) for i in range(4)])
    check_video(tmp_path / "v.mp4")


@pytest.mark.parametrize("kinds", [SUFFIXES, VIDEOS, UNREAD])
def test_the_page_names_every_kind_of_file(kinds):
    named = set(re.findall(r"\.[a-z0-9]+", PAGE))
    assert sorted(kinds - named) == []


def tagged(path, gps: dict | None = None):
    tags = Image.Exif()
    if gps is not None:
        tags.get_ifd(GPS).update(gps)
    Image.new("RGB", (6, 4)).save(path, exif=tags)
    return path


def test_places(tmp_path):
    sydney = {1: "S", 2: (33, 51, 36), 3: "E", 4: (151, 12, 36), 5: b"\1", 6: 12.5}
    location = read_location(tagged(tmp_path / "a.jpg", gps=sydney))
    assert location == pytest.approx((-33.86, 151.21, -12.5))
    without_altitude = {k: v for k, v in sydney.items() if k < 5}
    location = read_location(tagged(tmp_path / "b.jpg", gps=without_altitude))
    assert location == pytest.approx((-33.86, 151.21, 0))
    assert read_location(tagged(tmp_path / "c.jpg", gps={2: (1, 2, 3)})) is None


def test_files_without_tags(tmp_path):
    Image.new("RGB", (6, 4)).save(tmp_path / "a.jpg")
    assert read_location(tmp_path / "a.jpg") is None
    (tmp_path / "b.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match="cannot be read"):
        read_location(tmp_path / "b.jpg")


def test_known_intrinsics(tmp_path):
    file = tmp_path / "K.txt"
    file.write_text("2759.48 0 1520.69\n0 2764.16 1006.81\n0 0 1\n")
    assert read_intrinsics(file)[1].tolist() == [0, 2764.16, 1006.81]
    for text in ("1 2 3", "a b c d e f g h i"):
        file.write_text(text)
        with pytest.raises(InputError, match="nine numbers"):
            read_intrinsics(file)
    file.write_text("100 5 50 0 100 40 0 0 1")
    with pytest.raises(InputError, match="is no K"):
        read_intrinsics(file)
    with pytest.raises(InputError, match="does not exist"):
        read_intrinsics(tmp_path / "nowhere")
