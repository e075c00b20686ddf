"""Names that other machines wrote, and names under which no two images meet."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.images import write_image
from neus.sources.names import LONGEST, Finder, distinct_names, folded, plain_path
from tests.helpers.foreign_scans import assert_read, numbered, read, write_scan

UGLY = [
    "IMG (1).png", "[a] #1 100%.png", "it's \"quoted\".png", "-rf.png", "Straße ü 日本.png",
    "a b/c d.png",
]  # fmt: skip


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize(
    ("there", "name", "way"),
    [
        ("images/1.png", "./images/1.png", None),
        ("images/1.png", "images/1", None),
        ("images/1.JPG", "images/1.jpg", "other case"),
        ("Images/1.png", "images/1.PNG", "other case"),
        ("images/1.jpg", "images/1.png", "other suffix"),
        ("images/a\\b.png", "images/a\\b.png", None),
        ("images/1.png", "images\\1.png", "other slashes"),
        ("images/1.png", ".\\images\\1", "other slashes"),
        ("images/1.png", "C:\\Users\\me\\scan\\images\\1.png", "elsewhere"),
        ("images/1.png", "D:/scan/images/1.png", "elsewhere"),
        ("images/1.png", "~/scan/images/1.png", "elsewhere"),
        ("images/1.png", "http://localhost:8000/images/1.png", "elsewhere"),
        ("images/1.png", "1.png", "other folder"),
        ("images/1.png", "rgb/1.png", "other folder"),
        ("images_4/1.jpg", "images/1.jpg", "other folder"),
        ("images/1.png", "images/1.png ", None),
        ("images/1.png", "/home/me/scan/images/1.png", "elsewhere"),
        ("images/1.png", "\\\\server\\share\\images\\1.png", "elsewhere"),
        ("images/1.png", "../scan/images/1.png", "elsewhere"),
        ("images/1.png", "/somewhere/frames/1.png", "elsewhere"),
        ("images/1.JPG", "/home/me/images/1.jpg", "elsewhere"),
        ("images/a b.png", "images/a%20b.png", "escaped"),
        ("images/100%20.png", "images/100%20.png", None),
        ("images/1.png", "file:///home/me/images/1.png", "elsewhere"),
        ("images/1.png", "file:///C:/scan/images/1.png", "elsewhere"),
    ],
)
def test_a_name_means_the_file_that_is_there(tmp_path, there, name, way):
    touch(tmp_path, there)
    finder = Finder(tmp_path)
    assert finder.find(name) == tmp_path / there
    assert list(finder.ways) == ([way] if way else [])
    assert len(finder.account(Path("t.json"))) == (1 if way else 0)


def test_both_unicode_forms_mean_one_name(tmp_path):
    forms: list[tuple[Literal["NFC", "NFD"], Literal["NFC", "NFD"]]]
    forms = [("NFC", "NFD"), ("NFD", "NFC")]
    for form, other in forms:
        folder = tmp_path / form
        touch(folder, unicodedata.normalize(form, "größe.png"))
        found = Finder(folder).find(unicodedata.normalize(other, "größe.png"))
        assert found is not None
        assert found.parent == folder


def test_what_is_not_there_or_could_be_several_is_not_found(tmp_path):
    touch(tmp_path, "train/r_0.png", "a/1.png", "b/1.png", "images/X.png", "images/x.PNG")
    finder = Finder(tmp_path)
    assert finder.find("test/r_0") is None
    assert finder.find("/data/lego/test/r_0.png") is None, "train/r_0.png is another image"
    assert finder.find("/elsewhere/1.png") is None
    assert finder.find("images/x.png") is None, "two files differ in case alone"
    assert finder.find("images/2.png") is None, "the folder is there, and the image is not in it"
    assert Finder(tmp_path, places=("masks",)).find("masks/1.png") is None, "an image is no mask"
    assert finder.find("") is None
    assert finder.find("n" * 300 + ".png") is None
    assert not finder.ways


def test_an_absolute_path_that_exists_is_taken_as_it_is(tmp_path, monkeypatch):
    touch(tmp_path, "scan/images/1.png", "elsewhere/2.png")
    monkeypatch.chdir(tmp_path)
    finder = Finder(Path("scan"))
    assert finder.find(str(tmp_path / "scan/images/1.png")) == Path("scan/images/1.png")
    assert finder.find(str(tmp_path / "elsewhere/2.png")) == tmp_path / "elsewhere/2.png"
    assert not finder.ways


def test_paths_of_a_configuration_are_what_a_shell_makes_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "a b/1.png")
    assert plain_path("~/scan") == str(tmp_path / "scan")
    assert plain_path("file:///data/a%20b") == "/data/a b"
    assert plain_path("a b\\1.png") == "a b/1.png"
    assert plain_path("./scan") == "./scan"
    (tmp_path / "odd\\name").mkdir()
    assert plain_path("odd\\name") == "odd\\name"


@pytest.mark.parametrize("name", UGLY)
def test_images_of_any_name_are_read_and_written(tmp_path, name):
    names = [name, *numbered()[1:]]
    write_scan(tmp_path, names=names)
    capture, _ = read(tmp_path)
    assert (tmp_path / name) in {frame.image for frame in capture.scene.frames}
    assert len({frame.name for frame in capture.scene.frames}) == 6


def test_windows_names_of_another_disk_give_the_same_cameras_and_are_said(tmp_path):
    names = [f"C:\\scans\\statue\\images\\{i:04d}.png" for i in range(6)]
    write_scan(tmp_path, names=names, files=numbered())
    capture, said = read(tmp_path)
    assert_read(capture)
    assert "6 names are written as absolute paths of another place" in said


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a/", "a_b/", "A/", "b/c/"]),
            st.text("aAb_cüÜ1. ", min_size=1, max_size=4).filter(lambda t: t.strip(" .")),
            st.sampled_from([".png", ".jpg", ".JPG"]),
        ).map("".join),
        min_size=1,
        max_size=8,
        unique=True,
    )
)
def test_no_two_images_get_one_name_in_any_case(names):
    made = distinct_names(names)
    assert len({folded(name) for name in made}) == len(names)
    assert distinct_names(names) == made
    assert all("/" not in name and 0 < len(name.encode()) <= LONGEST + 8 for name in made)


def test_names_stay_as_short_as_they_can():
    assert distinct_names(["a/1.png", "b/2.png"]) == ["1", "2"]
    assert distinct_names(["a/1.png", "b/1.png"]) == ["a_1", "b_1"]
    assert distinct_names(["0.png", "0.jpg", "1.png"]) == ["0_png", "0_jpg", "1"]
    assert distinct_names(["a/b_c.png", "a_b/c.png", "d/c.png"]) == [
        "a_b_c_png",
        "a_b_c_png_2",
        "d_c",
    ]
    long = ["x" * 240 + ".png", "x" * 241 + ".png"]
    assert len(set(distinct_names(long))) == 2


def test_a_long_name_becomes_a_scene(tmp_path):
    from neus.scene import write_scene

    names = ["images/" + "ü" * 120 + ".png", *numbered()[1:]]
    write_scan(tmp_path, names=names, files=["images/x.png", *names[1:]])
    (tmp_path / "images/x.png").rename(tmp_path / names[0])
    scene = read(tmp_path)[0].scene
    write_scene(scene, tmp_path / "scene", downscale=1, holdout=8, threads=1)
    assert len(os.listdir(tmp_path / "scene" / "images")) == 6


def test_colliding_names_bring_all_images_and_their_own_pixels(tmp_path):
    from neus.scene import load_image, load_scene, write_scene

    names = ["images/0.png", "images/0.webp", "a/b_c.png", "a_b/c.png", "d/c.png", "x.png"]
    for i, name in enumerate(names):
        if name.endswith(".webp"):
            from PIL import Image

            (tmp_path / "images").mkdir(exist_ok=True)
            Image.fromarray(np.full((24, 32, 3), 20 * i, np.uint8)).save(
                tmp_path / name, lossless=True
            )
        else:
            write_image(tmp_path / name, np.full((24, 32, 3), 20 * i, np.uint8))
    write_scan(tmp_path, names=names, files=[])
    write_scene(read(tmp_path)[0].scene, tmp_path / "s", downscale=1, holdout=0, threads=3)
    written = load_scene(tmp_path / "s")
    values = {int(load_image(written, i)[0, 0, 0]) for i in range(6)}
    assert values == {0, 20, 40, 60, 80, 100}
