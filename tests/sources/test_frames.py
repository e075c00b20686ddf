"""Frames of a ``transforms.json``: which are taken, which are held out, and what goes with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.images import write_image
from tests.helpers.foreign_scans import (
    assert_read,
    masks,
    picture,
    read,
    write_scan,
)


def test_empty_keys_count_as_not_there(tmp_path):
    def edit(content):
        content |= {"ply_file_path": "", "applied_transform": None, "test_filenames": None}
        for i, frame in enumerate(content["frames"]):
            frame["mask_path"] = [None, ""][i % 2]

    write_scan(tmp_path, edit)
    capture, _ = read(tmp_path)
    assert_read(capture)
    assert capture.scene.masked == ()
    assert not len(capture.scene.points)


def test_a_mask_path_of_null_is_no_mask_and_the_others_are(tmp_path):
    def edit(content):
        for i, frame in enumerate(content["frames"]):
            frame["mask_path"] = None if i == 2 else f"m\\{i}.png"

    write_scan(tmp_path, edit)
    for i, mask in enumerate(masks()):
        write_image(tmp_path / "m" / f"{i}.png", mask)
    assert read(tmp_path)[0].scene.masked == (0, 1, 3, 4, 5)


def test_points_that_are_missing_or_none_do_not_stop_it(tmp_path):
    write_scan(tmp_path, lambda content: content.update(ply_file_path="sparse_pc.ply"))
    capture, said = read(tmp_path)
    assert "sparse_pc.ply does not exist: going on without points" in said
    header = "ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nend_header\n"
    (tmp_path / "sparse_pc.ply").write_text(header)
    capture, said = read(tmp_path)
    assert (len(capture.scene.points), said) == (0, "")


@pytest.mark.parametrize(
    ("lists", "held_out", "left", "sentence"),
    [
        ({"train": [0, 1, 2, 3], "val": [4, 5]}, [4, 5], 6, "val_filenames are held out"),
        ({"train": [0, 1, 2, 3], "val": [4], "test": [5]}, [5], 5, "1 frames neither train"),
        ({"train": [0, 1, 2, 3]}, [4, 5], 6, "those not in train_filenames are held out"),
        ({"test": [1]}, [1], 6, ""),
        ({"val": [1]}, [1], 6, "val_filenames are held out"),
        ({"train": [0, 1, 2], "test": [5]}, [5], 4, "2 frames neither train nor are held out"),
        ({"train": [0, 1, 2, 3, 4, 5], "test": []}, [], 6, "held out (0 frames)"),
    ],
)
def test_lists_of_names_that_are_there_in_part(tmp_path, lists, held_out, left, sentence):
    def edit(content):
        names = [frame["file_path"] for frame in content["frames"]]
        for part, chosen in lists.items():
            content[f"{part}_filenames"] = ["./" + names[i].replace("/", "\\") for i in chosen]

    write_scan(tmp_path, edit)
    capture, said = read(tmp_path)
    scene = capture.scene
    assert [scene.frames[i].name for i in scene.test] == [f"{i:04d}" for i in held_out]
    assert len(scene.frames) == left
    assert sentence in said


def test_names_in_lists_that_belong_to_no_frame_are_counted(tmp_path):
    write_scan(
        tmp_path, lambda content: content.update(test_filenames=["images/0001.png", "x.png"])
    )
    assert "1 names in test_filenames belong to no frame" in read(tmp_path)[1]


def test_a_copy_is_said_and_a_frame_listed_twice_is_taken_once(tmp_path):
    def edit(content):
        content["frames"].append(dict(content["frames"][2], file_path="./images/0002.png"))
        content["frames"].append(dict(content["frames"][3], file_path="images/0003 - copy.png"))

    write_scan(tmp_path, edit)
    write_image(tmp_path / "images/0003 - copy.png", picture(3))
    capture, said = read(tmp_path)
    assert len(capture.scene.frames) == 7
    assert "1 frames are listed twice and taken once (./images/0002.png)" in said
    assert "0003 - copy.png and 0003.png" in said
    assert "1 cameras have the same pose as another" in said


def test_frames_without_image_are_dropped_where_most_have_one(tmp_path):
    write_scan(tmp_path)
    for i in (1, 5):
        Path(tmp_path / f"images/{i:04d}.png").unlink()
    capture, said = read(tmp_path)
    assert_read(capture, order=[0, 2, 3, 4])
    assert "2 of 6 frames have no image and are dropped (images/0001.png, images/0005.png)" in said
