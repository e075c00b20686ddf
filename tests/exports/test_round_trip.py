"""A scene that is written in another layout and read again is the same scene."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.exports import EXPORTS, export_scene
from neus.images import write_image
from neus.scene import Frame, Scene, Similarity, load_image, load_mask, load_scene
from neus.sources import read_source
from neus.sources.capture import Capture
from tests.helpers.small_scenes import program, small_scene
from tests.helpers.synthetic_captures import ring_cameras

READ_AS = {
    "blender": "blender", "colmap-binary": "colmap", "colmap-text": "colmap", "dtu": "dtu",
    "instant-ngp": "nerfstudio", "nerfstudio": "nerfstudio",
}  # fmt: skip
HOLD_OUT, POINTS = {"blender", "nerfstudio"}, {"colmap-binary", "colmap-text", "nerfstudio"}
LETTERS = "aAbBü\u0301éß²9 0()[]{}#%&'\"+-=,;@~^`$!."
NAMES = (
    st.text(LETTERS, min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda name: name and not name.startswith("."))
)
SIZE = (16, 12)


def scene_of(folder: Path, names: list[str], seed: int, *, masks: bool, points: int) -> Scene:
    """Frames whose brightness says which they are, in any frame and unit."""
    rng, count = np.random.default_rng(seed), len(names)
    turn = Rotation.from_rotvec(rng.normal(size=3)).as_matrix()
    to_source = Similarity(float(rng.uniform(0.1, 100)), turn, rng.normal(size=3) * 10)
    cameras = ring_cameras(count, size=SIZE, focal=float(rng.uniform(10, 30)))
    cameras.intrinsics[:, 0, 2] += rng.normal(size=count)
    frames = []
    for i, name in enumerate(names):
        image, mask = folder / "raw" / f"{i}.png", folder / "raw" / f"{i}m.png"
        write_image(image, np.full((SIZE[1], SIZE[0], 3), 10 * i + 20, np.uint8))
        coverage = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        coverage[2 : 5 + i, 3:9] = 255
        write_image(mask, coverage)
        frames.append(Frame(name, image, mask if masks and i % 3 != 1 else None))
    cloud = rng.normal(size=(points, 3)) / 3
    colours = rng.integers(0, 256, cloud.shape, dtype=np.uint8)
    return Scene(tuple(frames), cameras, to_source, "m", (0, 2), cloud, colours)


def by_image(scene: Scene) -> dict[int, int]:
    """Indices of the frames by the brightness of their images."""
    return {int(load_image(scene, i)[0, 0, 0]): i for i in range(len(scene.frames))}


@pytest.mark.parametrize("layout", sorted(EXPORTS))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.lists(NAMES, min_size=3, max_size=6, unique=True),
    seed=st.integers(0, 99),
    masks=st.booleans(),
    points=st.sampled_from([0, 7]),
)
def test_what_is_written_is_read_again(tmp_path_factory, layout, names, seed, masks, points):
    folder = tmp_path_factory.mktemp("trip")
    scene = scene_of(folder, names, seed, masks=masks, points=points)
    lines: list[str] = []
    export_scene(scene, folder / "out", layout)
    capture = read_source(
        READ_AS[layout], folder / "out", masks="auto", model=None, report=lines.append
    )
    assert_same(scene, capture, layout)


def assert_same(scene: Scene, capture: Capture, layout: str) -> None:
    read, expected = capture.scene, scene.cameras.transformed(scene.to_source)
    order = by_image(read)
    assert sorted(order) == [10 * i + 20 for i in range(len(scene.frames))]
    assert len({frame.name for frame in read.frames}) == len(read.frames)
    for i in range(len(scene.frames)):
        j = order[10 * i + 20]
        scale = scene.to_source.scale
        np.testing.assert_allclose(
            read.cameras.camera_to_world[j], expected.camera_to_world[i], atol=1e-7 * (1 + scale)
        )
        np.testing.assert_allclose(
            read.cameras.intrinsics[j], expected.intrinsics[i], rtol=1e-7, atol=1e-7
        )
        has_mask = scene.frames[i].mask is not None
        assert (read.frames[j].mask is not None) == has_mask
        if has_mask:
            np.testing.assert_array_equal(load_mask(read, j), load_mask(scene, i))
        if layout in HOLD_OUT:
            assert (j in read.test) == (i in scene.test)
    if layout in POINTS:
        np.testing.assert_allclose(
            np.sort(read.points, axis=0),
            np.sort(scene.to_source.apply(scene.points), axis=0),
            rtol=1e-5,
            atol=1e-5,
        )
        assert sorted(read.points_rgb.tolist()) == sorted(scene.points_rgb.tolist())
    if layout == "dtu":
        assert capture.sphere is not None
        np.testing.assert_allclose(capture.sphere.matrix, scene.to_source.matrix, atol=1e-9)


def test_the_frame_of_the_unit_sphere_is_written_as_it_is(tmp_path):
    scene = scene_of(tmp_path, ["a", "b", "c"], 1, masks=True, points=7)
    export_scene(scene, tmp_path / "out", "nerfstudio", frame="scene")
    capture = read_source(
        "nerfstudio", tmp_path / "out", masks="auto", model=None, report=lambda line: None
    )
    assert_same(replace(scene, to_source=Similarity.identity()), capture, "nerfstudio")
    assert capture.scene.unit == "scene units"


def test_the_program_writes_each_layout_and_replaces_only_its_own(tmp_path, capsys):
    scene = small_scene(tmp_path / "scene")
    main = program("export_scene")
    words: list[str] = []
    for layout in sorted(EXPORTS):
        words = ["--scene", str(scene), "--output", str(tmp_path / "out"), "--format", layout]
        assert main(words) == 0
        read = read_source(
            READ_AS[layout], tmp_path / "out", masks="auto", model=None, report=lambda line: None
        ).scene
        original = load_scene(scene)
        expected = original.cameras.transformed(original.to_source)
        order = [*read.train, *read.test] if layout == "blender" else range(8)
        wanted = [*original.train, *original.test] if layout == "blender" else list(range(8))
        np.testing.assert_allclose(
            read.cameras.camera_to_world[list(order)],
            expected.camera_to_world[wanted],
            atol=1e-7,
        )
        assert len(read.masked) == 8
    assert "8 images, 8 with a mask, 0 points" in capsys.readouterr().err
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"notes\.txt, which this program did not write"):
        main(words)


def test_layouts_say_what_they_cannot_hold(tmp_path):
    scene = scene_of(tmp_path, ["a", "b", "c"], 1, masks=False, points=0)
    cameras = replace(scene.cameras, widths=scene.cameras.widths + np.array([0, 1, 0]))
    with pytest.raises(InputError, match=r"found images of 2 sizes, expected one size"):
        export_scene(replace(scene, cameras=cameras), tmp_path / "out", "dtu")
    assert not (tmp_path / "out").exists()
    lines: list[str] = []
    export_scene(scene, tmp_path / "out", "blender", report=lines.append)
    assert "axes miss the middles of the images by up to" in lines[0]
    angle = json.loads((tmp_path / "out" / "transforms_train.json").read_text())["camera_angle_x"]
    focal = scene.cameras.intrinsics[0, 0, 0]
    assert angle == pytest.approx(2 * np.arctan(SIZE[0] / 2 / focal))
