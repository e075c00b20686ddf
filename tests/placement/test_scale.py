"""Real units: known distances and known positions, against a capture whose true size is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.images.rectification import Rectification
from neus.placement.scale import Mark, Scale, to_metric
from neus.scene.reading import Scene
from neus.scene.similarity import Similarity
from neus.sources.capture import Capture
from tests.helpers.synthetic_captures import ring_cameras, scene_on_disk

COLMAP = Similarity(  # from metres to the frame in which COLMAP came out
    0.37, Rotation.from_rotvec([0.4, -2.0, 1.0]).as_matrix(), np.array([3.0, -5, 7])
)
ENDS = np.array([[0.3, -0.2, 0.1], [-0.5, 0.4, 0.3]])
LENGTH = float(np.linalg.norm(ENDS[1] - ENDS[0]))


def quiet(line: str) -> None:
    assert line


@pytest.fixture
def capture(tmp_path) -> Capture:
    cameras = ring_cameras(12).transformed(COLMAP)
    scene = scene_on_disk(tmp_path, cameras, None, COLMAP.apply(ENDS))
    return Capture(replace(scene, unit="COLMAP units"), Similarity(2.0, np.eye(3), np.ones(3)))


def marks(
    scene: Scene, point: np.ndarray, views: tuple[int, ...]
) -> dict[str, tuple[float, float]]:
    pixels = {i: scene.cameras.project(i, COLMAP.apply(point[None]))[0][0] for i in views}
    return {scene.frames[i].image.name: (x, y) for i, (x, y) in pixels.items()}


def in_metres(capture: Capture, scale: Scale) -> Scene:
    return to_metric(capture, scale, quiet).scene


def test_a_distance_between_points_or_marks_in_photos_gives_metres(capture):
    scene = capture.scene
    in_source: list[Mark] = [(x, y, z) for x, y, z in COLMAP.apply(ENDS).tolist()]
    in_photos: list[Mark] = [marks(scene, ENDS[0], (0, 3, 5)), marks(scene, ENDS[1], (1, 4))]
    for first, second in (in_source, in_photos, (in_source[0], in_photos[1])):
        metric = to_metric(capture, Scale((first, second, LENGTH), None, "m"), quiet)
        points = metric.scene.points
        assert np.linalg.norm(points[1] - points[0]) == pytest.approx(LENGTH, rel=1e-6)
        assert metric.scene.unit == "m"
        assert metric.sphere is not None
        assert metric.sphere.scale == pytest.approx(2 / COLMAP.scale, rel=1e-6)
        turn = scene.cameras.camera_to_world[:, :, :3]  # axes stay those of the source
        np.testing.assert_array_equal(metric.scene.cameras.camera_to_world[:, :, :3], turn)


def test_marks_in_photos_are_those_of_the_upright_photo(capture):
    """One photo is stored upside down: the mark is where a viewer shows the point."""
    scene = capture.scene
    upside_down = Rectification(None, scene.cameras.intrinsics[3], 120, 90, 2)
    frames = tuple(
        replace(f, rectify=upside_down) if i == 3 else f for i, f in enumerate(scene.frames)
    )
    mark = marks(scene, ENDS[0], (0, 3))
    scale = Scale((mark, marks(scene, ENDS[1], (1, 4)), LENGTH), None, "m")
    points = in_metres(replace(capture, scene=replace(scene, frames=frames)), scale).points
    assert np.linalg.norm(points[1] - points[0]) == pytest.approx(LENGTH, rel=1e-6)


def test_marks_that_cannot_be_used_are_refused(capture):
    scene = capture.scene
    good = marks(scene, ENDS[1], (1, 4))
    off = marks(scene, ENDS[0], (0, 3, 5))
    name = next(iter(off))
    off[name] = (off[name][0] + 40, off[name][1])
    for first, sentence in (
        (marks(scene, ENDS[0], (0,)), "two photos or more"),
        (off, "pixels off where the other photos put"),
        ({"nobody.jpg": (0.0, 0.0), **good}, r"no image with a pose is called nobody\.jpg"),
        (good, "both marks are the same point"),
    ):
        with pytest.raises(InputError, match=sentence):
            in_metres(capture, Scale((first, good, LENGTH), None, "m"))


def write_positions(path: Path, positions: np.ndarray, suffix: str = ".png") -> Path:
    lines = [f"{i:06}{suffix} {x}, {y}, {z}" for i, (x, y, z) in enumerate(positions)]
    path.write_text("# name x y z\n\n" + "\n".join(lines))
    return path


@pytest.mark.parametrize("suffix", [".png", ""])
def test_known_positions_give_their_frame_even_if_two_are_wrong(capture, tmp_path, suffix):
    true = ring_cameras(12).centres
    positions = true + np.random.default_rng(0).normal(0, 0.002, true.shape)
    positions[2] += [3, 0, 0]
    positions[7] += [0, -5, 1]
    file = write_positions(tmp_path / "gps.txt", positions, suffix)
    scene = in_metres(capture, Scale(None, file, "m"))
    np.testing.assert_allclose(scene.cameras.centres, true, atol=0.01)
    np.testing.assert_allclose(scene.points, ENDS, atol=0.01)


def test_positions_that_cannot_be_used_are_refused(capture, tmp_path):
    true, file = ring_cameras(12).centres, tmp_path / "positions.txt"
    coarse = true + np.random.default_rng(0).normal(0, 3, true.shape)
    on_a_line = np.arange(12)[:, None] * np.array([[1.0, 2, 3]])
    for positions, sentence in (
        (true[:2], "2 of the placed photos have a known position"),
        (coarse, "too coarse to measure with"),
        (on_a_line, "do not lie on one line"),
    ):
        with pytest.raises(InputError, match=sentence):
            in_metres(capture, Scale(None, write_positions(file, positions), "m"))
    file.write_text("a.png 1 2\n")
    with pytest.raises(InputError, match="line 1: write a photo's name"):
        in_metres(capture, Scale(None, file, "m"))
    with pytest.raises(InputError, match=r"scale\.positions"):
        in_metres(capture, Scale(None, tmp_path / "nowhere", "m"))
    with pytest.raises(InputError, match="no photo says in EXIF"):
        in_metres(capture, Scale(None, "gps", "m"))


def test_gps_gives_metres_to_the_east_to_the_north_and_up(capture, tmp_path):
    """Photos up to 200 m apart near the equator, where a degree is about 111 km both ways."""
    cameras = ring_cameras(12, distance=100.0)
    frames = []
    for i, (east, north, up) in enumerate(cameras.centres):
        latitude, longitude = north / 110574 - 0.01, east / 111320 - 7
        tags = Image.Exif()
        degrees = [
            (d := abs(v), (int(d), int(d % 1 * 60), d * 60 % 1 * 60))[1]
            for v in (latitude, longitude)
        ]
        tags.get_ifd(0x8825).update(
            {1: "S", 2: degrees[0], 3: "W", 4: degrees[1], 5: b"\0", 6: 200 + up}
        )
        file = tmp_path / f"{i}.jpg"
        Image.new("RGB", (120, 90)).save(file, exif=tags)
        frames.append(replace(capture.scene.frames[i], name=str(i), image=file))
    scene = replace(capture.scene, frames=tuple(frames), cameras=cameras.transformed(COLMAP))
    metric = in_metres(Capture(scene, None), Scale(None, "gps", "m"))
    expected = cameras.centres - cameras.centres[0]
    np.testing.assert_allclose(metric.cameras.centres, expected, atol=0.6)
