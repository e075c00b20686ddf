"""The folder of stereo: written whole, read back, empty but valid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from neus.errors import InputError
from neus.scene import Scene
from neus.stereo import StereoPoints, read_figures, read_points
from neus.stereo.folder import read_view, write_stereo
from neus.stereo.reconstruction import Stereo, reconstruct
from neus.stereo.settings import StereoSettings
from tests.helpers.small_scenes import program
from tests.helpers.textured_scenes import textured_scene


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, Stereo, Path]:
    folder = tmp_path_factory.mktemp("stereo")
    scene, _ = textured_scene(folder / "scene", "plane", views=6, test=(0,))
    stereo = reconstruct(scene, torch.device("cpu"), StereoSettings(sweeps=(4, 2, 1)))
    write_stereo(stereo, scene, folder / "out", device="none")
    return scene, stereo, folder / "out"


def test_points_come_back_as_they_were(made):
    _, stereo, folder = made
    points = read_points(folder)
    assert isinstance(points, StereoPoints)
    assert len(points) == len(stereo.points) > 500
    for name, value in vars(stereo.points).items():
        np.testing.assert_array_equal(getattr(points, name), value)
        assert getattr(points, name).dtype == value.dtype


def test_views_come_back_in_the_scene_frame(made):
    scene, stereo, folder = made
    assert {path.stem for path in (folder / "views").iterdir()} == {
        scene.frames[i].name for i in scene.train
    }
    depth, normal, trust = read_view(folder, scene.frames[scene.train[1]].name)
    np.testing.assert_array_equal(depth > 0, trust > 0)
    np.testing.assert_array_equal(depth[depth > 0], stereo.maps[1].depth[depth > 0])
    assert normal[depth > 0].mean(axis=0)[2] > 0.9  # the plane looks along z


def test_the_cloud_lies_in_the_source_frame(made):
    scene, stereo, folder = made
    cloud = trimesh.load(folder / "fused.ply")
    expected = scene.to_source.apply(stereo.points.position)
    np.testing.assert_allclose(np.asarray(cloud.vertices), expected, atol=1e-5)  # pyright: ignore
    np.testing.assert_array_equal(
        np.asarray(cloud.colors)[:, :3], stereo.points.colour  # pyright: ignore
    )  # fmt: skip
    assert b"property float nx" in (folder / "fused.ply").read_bytes()[:400]


def test_files_are_the_same_however_many_threads_write_them(made, tmp_path: Path):
    scene, stereo, folder = made
    write_stereo(stereo, scene, tmp_path / "out", threads=3, device="none")
    names = sorted(path.relative_to(folder) for path in folder.rglob("*.*"))
    assert len(names) == len(stereo.views) + 3
    for name in (name for name in names if name.suffix == ".npz"):
        with np.load(folder / name) as one, np.load(tmp_path / "out" / name) as other:
            assert set(one) == set(other)
            for key in one:
                np.testing.assert_array_equal(one[key], other[key])
    clouds = [(where / "fused.ply").read_bytes() for where in (folder, tmp_path / "out")]
    assert clouds[0] == clouds[1]


def test_figures_say_what_was_done(made):
    _, stereo, folder = made
    figures = read_figures(folder)
    assert figures["points"] == len(stereo.points)
    assert figures["coverage"] == pytest.approx(stereo.coverage)
    assert figures["seconds"] == pytest.approx(figures["seconds_depth"] + figures["seconds_fusion"])
    assert figures["device"] == "none"
    assert figures["settings"]["sweeps"] == [4, 2, 1]


def test_the_program_writes_an_empty_folder_where_stereo_has_nothing_to_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    textured_scene(tmp_path / "scene", "plane", views=2)
    words = ["--scene", str(tmp_path / "scene"), "--device", "cpu", "--threads", "2"]
    assert program("dense_stereo")([*words, "--output", str(tmp_path / "out")]) == 0
    assert "stereo needs three training views" in capsys.readouterr().err
    assert len(read_points(tmp_path / "out")) == 0
    assert read_figures(tmp_path / "out")["points"] == 0
    assert b"element vertex 0\n" in (tmp_path / "out" / "fused.ply").read_bytes()
    assert not read_view(tmp_path / "out", "000")[0].any()


def test_the_program_replaces_its_own_folder_alone(tmp_path: Path):
    textured_scene(tmp_path / "scene", "plane", views=2)
    words = ["--scene", str(tmp_path / "scene"), "--device", "cpu", "--output", str(tmp_path)]
    with pytest.raises(InputError, match="which this program did not write"):
        program("dense_stereo")(words)


def test_missing_and_broken_files_are_named(made, tmp_path: Path):
    with pytest.raises(InputError, match=r"points\.npz does not exist: run dense_stereo"):
        read_points(tmp_path)
    with pytest.raises(InputError, match=r"figures\.json does not exist"):
        read_figures(tmp_path)
    (tmp_path / "points.npz").write_bytes(b"PK no zip")
    with pytest.raises(InputError, match="is malformed"):
        read_points(tmp_path)
    (tmp_path / "figures.json").write_text("{")
    with pytest.raises(InputError, match="is malformed"):
        read_figures(tmp_path)
    content = dict(np.load(made[2] / "points.npz"))
    np.savez(tmp_path / "points.npz", **(content | {"first": content["first"][:-1]}))
    with pytest.raises(InputError, match="views of other points"):
        read_points(tmp_path)
    del content["normal"]
    np.savez(tmp_path / "points.npz", **content)
    with pytest.raises(InputError, match="lacks 'normal'"):
        read_points(tmp_path)
    assert json.loads((made[2] / "figures.json").read_text())["sentence"] is None
