"""The canonical scene: its file format, and the folder that is written."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.files.folders import folder_written_whole
from neus.images.files import write_image
from neus.images.stored import read_image
from neus.scene.reading import Frame, Scene, load_image, load_images, load_masks, load_scene
from neus.scene.similarity import Similarity
from neus.scene.writing import write_scene
from tests.helpers.synthetic_captures import ellipsoid_masks, ring_cameras, scene_on_disk

TO_SOURCE = Similarity(
    165.0, Rotation.from_rotvec([0.3, -1.0, 0.5]).as_matrix(), np.array([10.0, -20, 600])
)


@pytest.fixture
def source(tmp_path) -> Scene:
    """Nine frames of 120x90 with masks and points, in a scene frame of its own."""
    cameras = ring_cameras(9)
    masks = ellipsoid_masks(cameras, np.zeros(3), np.array([0.9, 0.7, 0.8]))
    points = np.random.default_rng(2).normal(size=(50, 3)) / 3
    scene = scene_on_disk(tmp_path / "source", cameras, masks, points)
    return replace(scene, to_source=TO_SOURCE)


def test_a_written_scene_reads_back(source, tmp_path):
    write_scene(source, tmp_path / "scene", downscale=1, holdout=4, threads=2)
    scene = load_scene(tmp_path / "scene")
    assert [frame.name for frame in scene.frames] == [frame.name for frame in source.frames]
    np.testing.assert_allclose(scene.cameras.intrinsics, source.cameras.intrinsics)
    np.testing.assert_allclose(
        scene.cameras.camera_to_world, source.cameras.camera_to_world, atol=1e-12
    )
    np.testing.assert_allclose(scene.to_source.matrix, TO_SOURCE.matrix, atol=1e-9)
    np.testing.assert_allclose(scene.points, source.points, atol=1e-6)
    np.testing.assert_array_equal(scene.points_rgb, source.points_rgb)
    assert scene.unit == "mm"
    assert scene.test == (0, 4, 8)
    assert scene.train == (1, 2, 3, 5, 6, 7)
    for written, original in zip(load_images(scene), load_images(source), strict=True):
        np.testing.assert_array_equal(written, original)
    for written, original in zip(load_masks(scene), load_masks(source), strict=True):
        np.testing.assert_array_equal(written, original)


def test_the_file_follows_the_conventions_of_nerfstudio(source, tmp_path):
    write_scene(source, tmp_path / "scene", downscale=1, holdout=4, threads=1)
    content = json.loads((tmp_path / "scene" / "transforms.json").read_text())
    frame = content["frames"][5]
    pose = np.array(frame["transform_matrix"])
    camera_to_world = source.cameras.camera_to_world[5]
    np.testing.assert_allclose(pose[:3, 0], camera_to_world[:, 0])  # x right in both
    np.testing.assert_allclose(pose[:3, 1], source.cameras.ups[5])  # y up
    np.testing.assert_allclose(pose[:3, 2], -source.cameras.optical_axes[5])  # z backward
    np.testing.assert_array_equal(pose[3], [0, 0, 0, 1])
    assert frame["file_path"] == "images/000005.png"
    assert frame["mask_path"] == "masks/000005.png"
    assert [frame[key] for key in ("w", "h", "fl_x", "cx", "cy")] == [120, 90, 110, 60, 45]
    in_source = TO_SOURCE.apply(source.points)
    applied = np.array(content["applied_transform"])
    in_scene = content["applied_scale"] * (in_source @ applied[:, :3].T + applied[:, 3])
    np.testing.assert_allclose(in_scene, source.points, atol=1e-9)
    np.testing.assert_allclose(applied[:, :3] @ applied[:, :3].T, np.eye(3), atol=1e-12)
    assert content["test_filenames"] == [f"images/00000{i}.png" for i in (0, 4, 8)]
    assert content["val_filenames"] == content["test_filenames"]
    assert len(content["train_filenames"]) == 6


def test_downscaled_images_are_area_means_and_cameras_follow_real_sizes(source, tmp_path):
    write_scene(source, tmp_path / "scene", downscale=4, holdout=0, threads=2)
    scene = load_scene(tmp_path / "scene")
    assert (scene.cameras.widths[0], scene.cameras.heights[0]) == (30, 22)  # 22.5 rounds to even
    np.testing.assert_allclose(scene.cameras.intrinsics[0, 0], [110 / 4, 0, 15])
    np.testing.assert_allclose(scene.cameras.intrinsics[0, 1], [0, 110 * 22 / 90, 11])
    columns = load_images(source)[0].reshape(90, 30, 4, 3).mean(axis=2)
    rows = np.linspace(0, 90, 23)  # the edges of 22 rows, each 4.09 pixels high
    total = np.concatenate([np.zeros((1, 30, 3)), columns.cumsum(axis=0)])
    at_edges = np.stack(
        [np.interp(rows, np.arange(91), total[:, x, c]) for x in range(30) for c in range(3)]
    ).T.reshape(23, 30, 3)
    expected = np.diff(at_edges, axis=0) / np.diff(rows)[:, None, None]
    assert np.abs(load_image(scene, 0) - expected).max() <= 1
    assert scene.test == ()


@pytest.mark.parametrize(
    ("options", "size"),
    [({"downscale": 1.5}, (80, 60)), ({"downscale": 1, "size": (100, 30)}, (100, 30))],
)
def test_images_of_any_smaller_size_show_the_same(source, tmp_path, options, size):
    """Both axes have factors of their own: points lie at the same place of the image."""
    write_scene(source, tmp_path / "scene", **options, holdout=0, threads=2)
    scene = load_scene(tmp_path / "scene")
    assert {image.shape[:2][::-1] for image in load_images(scene)} == {size}
    assert {mask.shape[::-1] for mask in load_masks(scene)} == {size}
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (9, 3))
    for index in range(len(scene.frames)):
        expected = source.cameras.project(index, points)[0] * np.divide(size, (120, 90))
        np.testing.assert_allclose(scene.cameras.project(index, points)[0], expected)


def test_masks_become_coverage(source, tmp_path):
    checkers = np.indices((90, 120)).sum(axis=0) % 2 * np.uint8(255)
    checkers[:, 60:] = 255
    write_image(source.frames[0].mask, checkers)
    write_scene(source, tmp_path / "scene", downscale=2, holdout=0, threads=1)
    mask = load_masks(load_scene(tmp_path / "scene"))[0]
    assert np.abs(mask[:, :30].astype(int) - 127.5).max() <= 1
    assert (mask[:, 30:] == 255).all()
    import cv2

    stored = cv2.imread(str(tmp_path / "scene/masks/000000.png"), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    assert stored.ndim == 2


def test_a_failure_leaves_the_old_folder_whole(source, tmp_path):
    write_scene(source, tmp_path / "scene", downscale=1, holdout=8, threads=1)
    before = (tmp_path / "scene" / "transforms.json").read_bytes()
    source.frames[7].image.write_bytes(b"no image")
    with pytest.raises(InputError, match=r"000007\.png"):
        write_scene(source, tmp_path / "scene", downscale=2, holdout=8, threads=2)
    assert (tmp_path / "scene" / "transforms.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scene", "source"]


def test_a_folder_is_replaced_and_never_mixed(source, tmp_path):
    write_scene(source, tmp_path / "scene", downscale=1, holdout=8, threads=1)
    fewer = replace(
        source,
        frames=source.frames[:4],
        cameras=source.cameras[:4],
        points=np.zeros((0, 3)),
        points_rgb=np.zeros((0, 3), np.uint8),
    )
    write_scene(fewer, tmp_path / "scene", downscale=1, holdout=0, threads=1)
    assert len(list((tmp_path / "scene" / "images").iterdir())) == 4
    assert not (tmp_path / "scene" / "points.ply").exists()
    assert len(load_scene(tmp_path / "scene").points) == 0


def test_folders_of_others_are_not_replaced(source, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.tex").write_text("do not delete")
    with pytest.raises(InputError, match=r"thesis\.tex"):
        write_scene(source, tmp_path / "own", downscale=1, holdout=8, threads=1)
    photos = tmp_path / "photos" / "images"
    write_image(photos / "0.png", load_image(source, 0))
    inside = replace(source, frames=(Frame("0", photos / "0.png", None), *source.frames[1:]))
    with pytest.raises(InputError, match="photos themselves"):
        write_scene(inside, tmp_path / "photos", downscale=1, holdout=8, threads=1)
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="is a file"),
        folder_written_whole(tmp_path / "file", ()),
    ):
        pass
    assert (tmp_path / "own" / "thesis.tex").read_text() == "do not delete"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"downscale": 0, "holdout": 8}, "downscale 0"),
        ({"downscale": 50, "holdout": 8}, "choose 1 to 5"),
        ({"downscale": 1, "holdout": 8, "size": (120, 91)}, "image_size 120x91 does not suit"),
        ({"downscale": 1, "holdout": 8, "size": (8, 90)}, "images of 120x90 pixels"),
        ({"downscale": 1, "holdout": 1}, "holdout 1"),
        ({"downscale": 1, "holdout": -1}, "holdout -1"),
    ],
)
def test_options_that_leave_nothing_are_refused(source, tmp_path, options, sentence):
    with pytest.raises(InputError, match=sentence):
        write_scene(source, tmp_path / "scene", **options, threads=1)
    assert not (tmp_path / "scene").exists()


def test_images_of_another_size_than_their_camera_are_refused(source):
    write_image(source.frames[3].image, np.zeros((90, 100, 3), np.uint8))
    with pytest.raises(InputError, match=r"000003\.png is 100x90, but its camera is 120x90"):
        load_images(source)
    write_image(source.frames[2].mask, np.zeros((45, 60), np.uint8))
    with pytest.raises(InputError, match=r"002\.png is 60x45"):
        load_masks(source)
    without = replace(source, frames=(Frame("a", source.frames[0].image, None),))
    assert not without.masked
    with pytest.raises(InputError, match="has no mask"):
        load_masks(without)


def test_unusable_scene_files_are_refused_in_one_sentence(source, tmp_path):
    folder = tmp_path / "scene"
    with pytest.raises(InputError, match="does not exist"):
        load_scene(folder)
    write_scene(source, folder, downscale=1, holdout=8, threads=1)
    file = folder / "transforms.json"
    good = json.loads(file.read_text())
    (folder / "images" / "000002.png").rename(folder / "images" / "x.png")
    with pytest.raises(InputError, match=r"000002\.png, named in .*, does not exist"):
        load_scene(folder)
    (folder / "images" / "x.png").rename(folder / "images" / "000002.png")
    del good["frames"][1]["fl_x"]
    file.write_text(json.dumps(good))
    with pytest.raises(InputError, match="lacks the key 'fl_x'"):
        load_scene(folder)
    for text in ("{", '{"frames": 3}', '{"frames": [{"file_path": "a", "transform_matrix": 1}]}'):
        file.write_text(text)
        with pytest.raises(InputError, match=r"transforms\.json is malformed"):
            load_scene(folder)


def test_orientation_tags_do_not_turn_images(tmp_path):
    """The size in the header, OpenCV's pixels and COLMAP's cameras are those stored."""
    import cv2

    from neus.sources.headers import image_size

    content = cv2.imencode(".jpg", np.zeros((30, 50, 3), np.uint8))[1].tobytes()
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    tagged = content[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + content[2:]
    (tmp_path / "turned.jpg").write_bytes(tagged)
    assert image_size(tmp_path / "turned.jpg") == (50, 30)
    assert read_image(tmp_path / "turned.jpg").shape == (30, 50, 3)
    turned = cv2.imread(str(tmp_path / "turned.jpg"))
    assert turned is not None
    assert turned.shape == (50, 30, 3)  # the tag is there and would turn it
