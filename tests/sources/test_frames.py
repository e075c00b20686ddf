"""Frames of a ``transforms.json``: which are taken or held out, with which files and lenses."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neus.errors import InputError
from neus.images import ORIENTATION, write_image
from neus.scene import load_image
from neus.sources.radial_lens import RadialLens
from tests.helpers.foreign_scans import (
    COUNT,
    FOCAL,
    SIZE,
    assert_read,
    cameras,
    masks,
    numbered,
    picture,
    read,
    without_intrinsics,
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


def test_angles_alone(tmp_path):
    def edit(content):
        without_intrinsics(content)
        content["camera_angle_x"] = 2 * math.atan(SIZE[0] / 2 / FOCAL)

    write_scan(tmp_path, edit)
    assert_read(read(tmp_path)[0])


def test_degrees_of_instant_ngp(tmp_path):
    def edit(content):
        without_intrinsics(content)
        content["x_fov"] = math.degrees(2 * math.atan(SIZE[0] / 2 / FOCAL))

    write_scan(tmp_path, edit)
    assert_read(read(tmp_path)[0])


def test_a_frame_s_own_intrinsics_stand_above_the_shared_ones(tmp_path):
    """Metashape's and RealityCapture's converters mix both."""

    def edit(content):
        content["frames"][1] |= {"fl_x": 33.0, "fl_y": 34.0, "cx": 15.0}
        content["frames"][2] |= {"camera_angle_x": 2 * math.atan(SIZE[0] / 2 / 25)}
        content["frames"][3] |= {"intrinsics": [31.0, 32.0, 14.0, 11.0]}

    write_scan(tmp_path, edit)
    found = read(tmp_path)[0].scene.cameras.intrinsics
    np.testing.assert_allclose(found[1], [[33, 0, 15], [0, 34, 12], [0, 0, 1]])
    np.testing.assert_allclose(found[2], [[25, 0, 16], [0, 25, 12], [0, 0, 1]])
    np.testing.assert_allclose(found[3], [[31, 0, 14], [0, 32, 11], [0, 0, 1]])
    np.testing.assert_allclose(found[0], cameras().intrinsics[0])


def test_images_of_half_the_size_and_of_a_size_that_was_rounded(tmp_path):
    write_scan(tmp_path / "a", lambda c: c.update(w=64, h=48, fl_x=60, fl_y=60, cx=32, cy=24))
    capture, said = read(tmp_path / "a")
    assert_read(capture)
    assert "is for images of 64x48, but 6 are 32x24: their intrinsics are scaled" in said
    write_scan(tmp_path / "b", lambda c: c.update(w=65, h=49, fl_x=60, fl_y=60, cx=32.5, cy=24.5))
    found = read(tmp_path / "b")[0].scene.cameras.intrinsics[0]
    np.testing.assert_allclose(found[[0, 1], [0, 1]], [60 * 32 / 65, 60 * 24 / 49])


def test_k3_and_k4_of_a_perspective_lens_are_radial_terms(tmp_path):
    keys = {"k1": -0.1, "k2": 0.02, "k3": 0.01, "p1": 1e-3, "p2": -2e-3}
    write_scan(tmp_path / "a", lambda content: content.update(keys, camera_model="OPENCV"))
    capture, _ = read(tmp_path / "a")
    assert load_image(capture.scene, 0).shape == (24, 32, 3)
    write_scan(tmp_path / "b", lambda content: content.update(keys, k4=0.003))
    frame = read(tmp_path / "b")[0].scene.frames[0]
    assert frame.rectify is not None
    lens = frame.rectify.lens  # pyright: ignore
    assert isinstance(lens, RadialLens)
    with_three = read(tmp_path / "a")[0].scene.frames[0].rectify.lens  # pyright: ignore
    plain = RadialLens(*SIZE, lens.pinhole, lens.radial * [1, 1, 1, 0], lens.tangential)
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 3))
    points[:, 2] += 1
    np.testing.assert_allclose(plain.img_from_cam(points), with_three.img_from_cam(points))
    pixels = lens.img_from_cam(points)
    np.testing.assert_allclose(lens.cam_from_img(pixels), points[:, :2] / points[:, 2:], atol=1e-9)


@pytest.mark.parametrize(
    "keys",
    [{"camera_model": "OPENCV_FISHEYE"}, {"is_fisheye": True}, {"camera_model": "fisheye"}],
)
def test_fisheye_lenses_by_name(tmp_path, keys):
    write_scan(tmp_path, lambda content: content.update(keys, k1=0.01, k2=0.0, k3=0.001, k4=0.0))
    frame = read(tmp_path)[0].scene.frames[0]
    assert frame.rectify.lens.model_name == "OPENCV_FISHEYE"  # pyright: ignore


def test_a_photo_whose_camera_is_stated_upright(tmp_path):
    """A phone stores a photo lying and tags it; some exporters state it as it is seen."""
    upright = [np.ascontiguousarray(picture(i)) for i in range(COUNT)]
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    names = numbered("images/{:04d}.webp")
    write_scan(tmp_path, names=names, files=[])
    (tmp_path / "images").mkdir()
    for name, image in zip(names, upright, strict=True):
        Image.fromarray(np.rot90(image)).save(tmp_path / name, exif=tags, lossless=True)
    capture, _ = read(tmp_path)
    assert_read(capture)
    np.testing.assert_array_equal(load_image(capture.scene, 3), upright[3])


@pytest.mark.parametrize("write", [lambda n: Path(n).name, lambda n: n.removesuffix(".png"),
                                   lambda n: f"/home/me/scan/{n}"])  # fmt: skip
def test_lists_may_write_names_in_another_way(tmp_path, write):
    def edit(content):
        names = [write(frame["file_path"]) for frame in content["frames"]]
        content |= {"train_filenames": names[:4], "test_filenames": names[4:]}

    write_scan(tmp_path, edit)
    capture, said = read(tmp_path)
    assert (len(capture.scene.frames), capture.scene.test, said) == (6, (4, 5), "")


@pytest.mark.parametrize(
    ("lists", "found"),
    [
        ({"train_filenames": ["a.png"], "test_filenames": ["b.png"]}, "leave none of 6 frames"),
        ({"test_filenames": numbered()}, "leave none of 6 frames"),
        ({"train_filenames": "all"}, "key train_filenames: found 'all', expected a list"),
    ],
)
def test_lists_that_leave_nothing_to_train_on_are_refused(tmp_path, lists, found):
    write_scan(tmp_path, lambda content: content.update(lists))
    with pytest.raises(InputError, match=found):
        read(tmp_path)


@pytest.mark.parametrize(
    ("terms", "keys"),
    [
        ({"distortion_params": [-0.2, 0.05, 0, 0, 1e-3, 2e-3]}, {}),
        ({"dist_coeffs": [-0.2, 0.05, 1e-3, 2e-3]}, {}),
        ({"distortion": [[-0.2, 0.05, 1e-3, 2e-3, 0.01]]}, {"k3": 0.01}),
    ],
)
def test_terms_in_one_list_are_those_of_single_keys(tmp_path, terms, keys):
    """nerfstudio's order and OpenCV's differ."""
    single = {"k1": -0.2, "k2": 0.05, "p1": 1e-3, "p2": 2e-3} | keys
    write_scan(tmp_path / "a", lambda content: content.update(terms))
    write_scan(tmp_path / "b", lambda content: content.update(single))
    lenses = [read(tmp_path / name)[0].scene.frames[0].rectify.lens for name in "ab"]  # pyright: ignore
    np.testing.assert_allclose(lenses[0].params, lenses[1].params)


def test_a_point_cloud_without_colours_is_read_grey(tmp_path):
    write_scan(tmp_path, lambda content: content.update(ply_file_path="p.ply"))
    header = "ply\nformat ascii 1.0\nelement vertex 2\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
    (tmp_path / "p.ply").write_text(header + "0 0 0\n1 2 3\n")
    scene = read(tmp_path)[0].scene
    np.testing.assert_array_equal(scene.points, [[0, 0, 0], [1, 2, 3]])
    assert (scene.points_rgb == 128).all()
