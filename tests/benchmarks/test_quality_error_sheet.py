"""Pictures of errors: what is right is grey, what is off is coloured, and a hole is seen as one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh

from benchmarks.quality.error_rows import GAP, TILE, WIDTH, close_up, views_shown
from benchmarks.quality.error_sheet import main
from benchmarks.quality.error_views import (
    MISSING,
    SCALE,
    Measured,
    colours,
    error_picture,
    errors_seen,
)
from benchmarks.quality.generate import neus_matrices
from benchmarks.quality.scans import GENERATOR, HOLDOUT, scan_named
from neus.errors import InputError
from neus.images import write_image
from neus.metrics.geometry import Surface
from neus.scene import Cameras, Similarity, look_at
from neus.sources.demo.reference import write_dtu_reference, write_ply

BALL = trimesh.creation.icosphere(subdivisions=5)
WORLD = Similarity(30.0, np.eye(3), np.array([5.0, -3.0, 8.0]))
"""From the unit ball to millimetres."""
OUT, DENT, HOLE, RIGHT = (
    np.array([1.0, *place]) / np.linalg.norm([1.0, *place])
    for place in ((0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5))
)
"""What is wrong with the ball, and where; all of it faces x."""


def ball() -> Surface:
    return Surface(WORLD.apply(BALL.vertices), np.asarray(BALL.faces))


def near(place: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - place, axis=1) < 0.25


def spoilt() -> Surface:
    """The ball with a part that stands 2 mm out, one 1 mm too deep, and a hole."""
    off = 1 + (2 * near(OUT, BALL.vertices) - 1.0 * near(DENT, BALL.vertices)) / WORLD.scale
    kept = ~near(HOLE, BALL.triangles_center)
    return Surface(WORLD.apply(BALL.vertices * off[:, None]), np.asarray(BALL.faces)[kept])


def cameras(views: int = 2, width: int = 120) -> Cameras:
    """From x all around, in millimetres."""
    turns = 2 * np.pi * np.arange(views) / views
    places = 5 * np.stack([np.cos(turns), np.sin(turns), np.zeros(views)], axis=1)
    poses = np.stack([look_at(place, np.zeros(3), np.array([0.0, 0, 1])) for place in places])
    height = width * 3 // 4
    focal = np.array([[1.6 * width, 0, width / 2], [0, 1.6 * width, height / 2], [0, 0, 1]])
    sizes = np.full(views, width), np.full(views, height)
    return Cameras(np.stack([focal] * views), poses, *sizes).transformed(WORLD)


def at(picture: np.ndarray, taken: Cameras, place: np.ndarray) -> Any:
    """The pixel of the first camera that shows a place of the unit ball."""
    pixels, _ = taken.project(0, WORLD.apply(place[None]))
    column, row = pixels[0].astype(int)
    return picture[row, column]


def test_what_stands_out_lies_deep_or_is_missing_is_told_apart():
    taken = cameras()
    errors = errors_seen(Measured.of(spoilt()), Measured.of(ball()), taken, 0, 3.0)
    assert at(errors, taken, OUT) == pytest.approx(2.0, abs=0.05)
    assert at(errors, taken, DENT) == pytest.approx(-1.0, abs=0.05)
    assert abs(at(errors, taken, RIGHT)) < 0.02
    # Behind the hole the far side of the ball is seen, which is right.
    assert at(errors, taken, HOLE) == -np.inf
    assert np.isnan(errors[0, 0])
    seen = np.isfinite(errors)
    assert 0.1 < (seen & (abs(errors) > 0.5)).sum() / seen.sum() < 0.3
    # The rim of a hole is off by how far its edge is.
    near_rim = errors_seen(Measured.of(spoilt()), Measured.of(ball()), taken, 0, 20.0)
    assert -8 < at(near_rim, taken, HOLE) < -5


def test_surface_with_nothing_behind_it_is_missing_too():
    half = Surface(ball().vertices, np.asarray(BALL.faces)[BALL.triangles_center[:, 2] < 0])
    taken = cameras()
    errors = errors_seen(Measured.of(half), Measured.of(ball()), taken, 0, 3.0)
    assert at(errors, taken, HOLE) == -np.inf
    assert abs(at(errors, taken, RIGHT)) < 0.02


def test_right_is_grey_out_is_red_deep_is_blue_and_missing_is_black():
    taken = cameras()
    picture = error_picture(Measured.of(spoilt()), Measured.of(ball()), taken, 0, 2.0).astype(int)
    assert picture.shape == (90, 120, 3)
    assert np.ptp(at(picture, taken, RIGHT)) <= 2
    red, _, blue = at(picture, taken, OUT)
    assert red > blue + 60
    red, _, blue = at(picture, taken, DENT)
    assert blue > red + 60
    assert (at(picture, taken, HOLE) == MISSING).all()
    assert (picture[0, 0] == 255).all()


def test_both_ways_the_scale_darkens():
    light = colours(np.linspace(-1, 1, 41)) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light[20:]) < 0).all()
    assert (np.diff(light[:21]) > 0).all()
    assert (colours(np.array([-9.0, 9.0])) == SCALE[[0, -1]]).all()


def test_the_view_that_sees_most_of_the_error_is_shown():
    views = cameras(2 * HOLDOUT + 1)
    typical, worst = views_shown(Measured.of(spoilt()), Measured.of(ball()), views, 3.0)
    assert worst in (0, 2 * HOLDOUT)  # the neighbours that face x; between them is the far side
    assert typical != worst


def test_a_close_up_is_of_the_object_and_within_the_photo():
    taken = cameras(width=400)
    photo = np.zeros((300, 400, 3), np.uint8)
    photo[:, 200:] = 255
    near_by, part = close_up(taken, 0, ball().vertices, photo)
    assert part.shape == (TILE[1], TILE[0], 3)
    pixels, _ = near_by.project(0, ball().vertices)
    assert pixels.min() > 0
    assert (np.ptp(pixels, axis=0) > 0.9 * TILE[1]).all()
    middle = near_by.project(0, WORLD.translation[None])[0][0, 0]
    assert part[50, int(middle) - 3].max() < 50 < 200 < part[50, int(middle) + 3].min()
    zoomed = replace(taken, intrinsics=taken.intrinsics * np.array([[3], [3], [1]]))
    whole, _ = close_up(zoomed, 0, ball().vertices, photo)
    assert whole.intrinsics[0, 0, 0] == pytest.approx(3 * 640 * TILE[0] / 400, rel=0.02)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A scan of the yardstick, of which there is only the ball."""
    skull = scan_named("skull")
    folder = tmp_path / "cache" / "scans" / f"skull-{skull.key(0)}"
    taken = cameras(HOLDOUT + 1, 40)
    for index in range(len(taken)):
        (folder / "image").mkdir(parents=True, exist_ok=True)
        write_image(folder / "image" / f"{index:06d}.png", np.full((30, 40, 3), 90, np.uint8))
    matrices = neus_matrices(taken.transformed(WORLD.inverse()), WORLD)
    np.savez(folder / "cameras_sphere.npz", allow_pickle=False, **matrices)
    (folder / "reference").mkdir()
    points = np.asarray(BALL.vertices)
    write_dtu_reference(folder / "reference" / "dtu", points, points, WORLD, -2.0)
    write_ply(folder / "reference" / "mesh.ply", ball().vertices, faces=ball().faces)
    (folder / "scan.json").write_text(json.dumps({"diameter_mm": 60.0}))
    return tmp_path / "cache"


def a_table(cache: Path, code: str, scan: str = "skull", **meshes: Surface) -> Path:
    """A table's file, and the runs of its levers in the cache."""
    records = []
    for lever, mesh in meshes.items():
        record = {"scan": scan, "lever": lever, "seed": 0, "code": code}
        records.append(record | {"surface": {"overall": 0.25}})
        home = cache / "runs" / f"{scan}-neus-mask-{lever}-seed0-{code}"
        home.mkdir(parents=True)
        (home / "run.json").write_text(json.dumps(records[-1], indent=1))
        write_ply(home / "mesh.ply", mesh.vertices, faces=mesh.faces)
    content = {"generator": GENERATOR, "runs": records, "floors": {}, "scans": {scan: {"seed": 0}}}
    file = cache.parent / f"{code}.json"
    file.write_text(json.dumps(content))
    return file


def colourful(tile: np.ndarray) -> bool:
    return bool(np.ptp(tile.astype(int), axis=2).max() > 60)


def test_a_sheet_shows_each_mesh_of_its_tables(cache: Path, tmp_path: Path):
    old, new = a_table(cache, "old", baseline=spoilt()), a_table(cache, "new", baseline=ball())
    elsewhere = a_table(cache, "elsewhere", "plain", baseline=ball())
    levers = a_table(cache, "levers", baseline=ball(), soft=spoilt())

    def tiles_of(*tables: Path) -> list[np.ndarray]:
        """A row's first view: the photo and two meshes."""
        output = tmp_path / "sheet.jpg"
        assert main([*map(str, tables), "--cache", str(cache), "--output", str(output)]) == 0
        sheet = cv2.imread(str(output))
        assert sheet is not None
        assert sheet.shape[1] <= WIDTH
        starts = [(TILE[0] + GAP) * place for place in range(3)]
        return [sheet[-TILE[1] :, start : start + TILE[0]] for start in starts]

    assert list(map(colourful, tiles_of(old, new))) == [False, True, False]
    assert list(map(colourful, tiles_of(levers))) == [False, False, True]
    assert tiles_of(old, elsewhere)[2].min() > 250
    assert list(map(colourful, tiles_of(new, old, levers))) == [False, False, True]


def test_what_cannot_be_shown_is_said(cache: Path, tmp_path: Path):
    table = a_table(cache, "old", baseline=ball())
    words = [str(table), "--output", str(tmp_path / "sheet.jpg")]
    with pytest.raises(InputError, match=r"sheet\.png: the picture is written as \.jpg"):
        main([str(table), "--output", "sheet.png"])
    with pytest.raises(InputError, match=r"skull-\w+ does not exist: name the cache"):
        main([*words, "--cache", str(tmp_path)])
    with pytest.raises(InputError, match="no baseline of seed 3 of skull: name others"):
        main([*words, "--cache", str(cache), "--scans", "skull", "--seed", "3"])
    (cache / "runs" / "skull-neus-mask-baseline-seed0-old" / "run.json").unlink()
    with pytest.raises(InputError, match="no run of skull by old with the table's figures"):
        main([*words, "--cache", str(cache)])
