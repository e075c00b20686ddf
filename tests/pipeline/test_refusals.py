"""What cannot be right is refused: all faults of a file at once, each in one shape."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from neus.errors import Faults, InputError, listed, refusal
from neus.images import write_image
from neus.sources import MaskChoice, check_source
from tests.helpers.foreign_scans import change_poses, numbered, read, write_scan

SHAPE = re.compile(r".+: found .+, expected .+: .+", re.DOTALL)


def refused(path: Path, source: str = "nerfstudio", masks: MaskChoice = "auto") -> tuple[str, ...]:
    with pytest.raises(InputError) as error:
        check_source(source, path, masks=masks)
    for sentence in error.value.sentences:
        assert SHAPE.fullmatch(sentence), sentence
    return error.value.sentences


def only(path: Path, source: str = "nerfstudio", masks: MaskChoice = "auto") -> str:
    (sentence,) = refused(path, source, masks)
    return sentence


POSES = {
    "sheared": (lambda m: m + 0.4 * np.eye(4)[1][None] * m[:, :1], "sheared or scaled unevenly"),
    "uneven": (lambda m: m * [1, 1, 1.2, 1], "sheared or scaled unevenly"),
    "mirrored": (lambda m: np.diag([1.0, -1, 1, 1]) @ m, "a mirrored pose"),
    "mirrored and scaled": (lambda m: m * [-0.5, 0.5, 0.5, 1], "a mirrored pose"),
    "nan": (lambda m: m * [1, 1, 1, np.nan], "NaN or infinity"),
    "infinite": (lambda m: np.where(m == m[0, 3], np.inf, m), "NaN or infinity"),
    "zeros": (lambda m: m * 0, "columns that span no space"),
    "transposed": (lambda m: m.T, "the position in the last row"),
    "two rows": (lambda m: m[:2], "2x4 numbers"),
}


@pytest.mark.parametrize("name", POSES)
def test_a_pose_that_is_none(tmp_path, name):
    change, found = POSES[name]
    write_scan(tmp_path, change_poses(lambda i, m: change(m) if i == 3 else m))
    sentence = only(tmp_path)
    assert "frame images/0003.png, key transform_matrix" in sentence
    assert found in sentence


LENSES = {
    "zero": ({"fl_x": 0}, "key fl_x: found 0, expected a positive number"),
    "negative": ({"fl_y": -60}, "key fl_y: found -60, expected a positive number"),
    "nan": ({"fl_x": float("nan")}, "key fl_x: found nan"),
    "a text": ({"fl_x": "wide"}, "key fl_x: found 'wide', expected a number"),
    "a part of the width": ({"fl_x": 1.2, "fl_y": 1.2}, "key fl_x: found 1.2 for images of 32x24"),
    "a strange model": ({"camera_model": "FOV"}, "key camera_model: found FOV"),
    "an infinite centre": ({"cx": float("inf")}, "key cx, cy: found inf"),
    "no size": ({"w": 0}, "key w: found 0"),
    "a crop": ({"h": 32}, "found an image of 32x24 where the file says 32x32"),
    "skew": ({"intrinsic_matrix": [[30, 5, 16], [0, 30, 12], [0, 0, 1]]}, "found skew 5"),
    "degrees": ({"fl_x": None, "fl_y": None, "camera_angle_x": 50}, "found 50, expected an angle"),
    "nothing": ({"fl_x": None, "fl_y": None}, "key fl_x: found none"),
    "f-theta": ({"ftheta_p0": 1.0}, "an F-theta lens"),
}  # fmt: skip


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_that_is_none_is_named_once_for_all_frames(tmp_path, name):
    keys, found = LENSES[name]
    write_scan(tmp_path, lambda content: content.update(keys))
    sentence = only(tmp_path)
    assert found in sentence
    assert "6 frames (images/0000.png" in sentence
    assert "and 1 more" in sentence


TEXTS = {
    '{"frames": [],}': "line 1, column 15: found a comma after the last entry",
    '{\n // mine\n "frames": []}': "line 2, column 2: found a comment",
    '{"a": 1, # mine\n "frames": []}': "line 1, column 10: found a comment",
    '{"frames": [1, 2,]}': "found a comma after the last entry",
    "{'frames': []}": "found a text in single quotes",
    '{"frames": [': "found the end of the file, which is cut off",
    "": "found an empty file",
    "[]": "found a list, expected an object",
    "{}": "key frames: found none",
    '{"frames": 3}': "key frames: found something else",
    '{"frames": ["a.png"]}': "key frames: found something else",
}


@pytest.mark.parametrize("text", TEXTS)
def test_mistakes_in_the_text_are_said_with_line_and_column(tmp_path, text):
    (tmp_path / "transforms.json").write_text(text)
    assert TEXTS[text] in only(tmp_path)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "transforms.json").write_bytes(b'{"frames": "\xe9"}')
    assert "expected text in UTF-8" in only(tmp_path)


def test_all_faults_of_a_file_at_once(tmp_path):
    def edit(content):
        content["frames"][0]["transform_matrix"][0][3] = float("nan")
        content["frames"][1]["fl_x"] = -1
        content["frames"][2]["fl_x"] = -2
        del content["frames"][3]["transform_matrix"]
        content["frames"][4]["mask_path"] = "gone.png"
        del content["frames"][5]["file_path"]

    write_scan(tmp_path, edit)
    sentences = refused(tmp_path)
    assert len(sentences) == 5
    everything = "\n".join(sentences)
    assert "2 frames (images/0001.png, images/0002.png), key fl_x: found -1, -2" in everything
    assert "frame number 5, key file_path" in everything
    assert "1 of 5 masks that do not exist (gone.png)" in everything


def test_half_of_the_images_missing_names_the_first_five(tmp_path):
    write_scan(tmp_path)
    for name in numbered()[:5]:
        (tmp_path / name).unlink()
    sentence = only(tmp_path)
    assert "5 of 6 images that do not exist below" in sentence
    assert "images/0004.png" in sentence


def test_one_image_with_two_poses(tmp_path):
    def edit(content):
        again = json.loads(json.dumps(content["frames"][2]))
        again["transform_matrix"][0][3] += 1
        content["frames"].append(again)

    write_scan(tmp_path, edit)
    assert "an image that is listed twice with different poses" in only(tmp_path)


RAW = {
    "keyframes/a": ("Polycam", "convert it by ns-process-data polycam, or export"),
    "metadata.json": ("Record3D", "convert it by ns-process-data record3d, or export"),
    "EXR_RGBD/rgb/0.jpg": ("Record3D", "convert it by ns-process-data record3d"),
    "mine.r3d": ("Record3D", "convert it by ns-process-data record3d"),
    "odometry.csv": ("Stray Scanner", "set source to photos, which estimates the poses"),
    "poses_bounds.npy": ("LLFF", "set source to photos"),
    "cameras.xml": ("Metashape", "convert it by ns-process-data metashape"),
    "cameras.csv": ("RealityCapture", "convert it by ns-process-data realitycapture"),
}


@pytest.mark.parametrize("raw", RAW)
def test_raw_exports_of_apps_say_how_to_convert_them(tmp_path, raw):
    app, remedy = RAW[raw]
    (tmp_path / raw).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / raw).write_text("#name,x,y <document><chunk>")
    sentence = only(tmp_path)
    assert f"a raw export of {app}, expected transforms.json: {remedy}" in sentence
    if "/" not in raw and not raw.startswith(("metadata", "poses")):
        assert only(tmp_path / raw) == sentence, "the file itself"


def test_a_file_of_frames_under_another_name_or_place_is_shown(tmp_path):
    write_scan(tmp_path / "a", name="cameras.json")
    assert f"set path to {tmp_path / 'a/cameras.json'}" in only(tmp_path / "a")
    write_scan(tmp_path / "b")
    assert f"set path to {tmp_path / 'b/transforms.json'}" in only(tmp_path / "b/images")
    assert f"set path to {tmp_path / 'b/transforms.json'}" in only(tmp_path)
    (tmp_path / "b/transforms.json").rename(tmp_path / "b/Transforms.JSON")
    assert len(read(tmp_path / "b")[0].scene.frames) == 6


def test_a_source_that_is_another_is_said(tmp_path):
    write_scan(tmp_path)
    sentences = refused(tmp_path, "dtu")
    assert "set source to nerfstudio" in sentences[-1]
    assert "set source to nerfstudio" in refused(tmp_path, "colmap")[-1]
    (tmp_path / "transforms.json").unlink()
    assert not any("set source to nerfstudio" in s for s in refused(tmp_path, "dtu"))


def test_two_frames_are_too_few(tmp_path):
    write_scan(tmp_path, names=numbered()[:2])
    assert "found 2 images with poses, expected three or more" in only(tmp_path)


def test_masks_of_another_size_are_refused_by_both_sizes(tmp_path):
    def edit(content):
        for frame in content["frames"]:
            frame["mask_path"] = frame["file_path"].replace("images", "m")

    write_scan(tmp_path, edit)
    for name in numbered("m/{:04d}.png"):
        write_image(tmp_path / name, np.zeros((12, 16), np.uint8))
    sentence = only(tmp_path)
    assert "6 of 6 masks" in sentence
    assert "16x12" in sentence
    assert "32x24" in sentence


def test_a_point_cloud_that_is_none(tmp_path):
    write_scan(tmp_path, lambda content: content.update(ply_file_path="p.ply"))
    (tmp_path / "p.ply").write_text("no points")
    with pytest.raises(InputError, match=r"p\.ply: found what cannot be read .* a point cloud"):
        read(tmp_path)


def test_faults_are_collected_once_each_and_raised_together():
    faults = Faults()
    faults.raise_any()
    for found in ("a", "b", "a"):
        with faults.noted():
            raise refusal("file", found, "c", "do it")
    with pytest.raises(
        InputError, match="2 things are missing or wrong:\n  file: found a"
    ) as error:
        faults.raise_any()
    assert len(error.value.sentences) == 2
    assert listed([1, 2, 3], 2) == "1, 2 and 1 more"


@pytest.mark.parametrize("source", ["colmap", "dtu"])
def test_a_folder_within_a_scan_is_no_scan(source: str, tmp_path: Path):
    images = tmp_path / "scan" / "images"
    images.mkdir(parents=True)
    if source == "dtu":
        cameras = tmp_path / "scan" / "cameras_sphere.npz"
        np.savez(cameras, allow_pickle=False, world_mat_0=np.eye(4))
    else:
        sparse = tmp_path / "scan" / "sparse"
        sparse.mkdir()
        for name in ("cameras", "images", "points3D"):
            (sparse / f"{name}.txt").touch()
    with pytest.raises(InputError) as error:
        check_source(source, images, masks="auto")
    assert f"set path to {tmp_path / 'scan'}" in str(error.value)
