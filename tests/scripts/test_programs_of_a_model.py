"""From a scene to a model and what is made of it, by the programs, for models of both kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from neus.config import MethodConfig, load_method, method_as_yaml
from neus.errors import InputError
from neus.images.stored import read_image
from neus.mesh.handover_files import read_handover
from neus.mesh.isosurface import EmptySurface
from neus.models import load_model, ready, save_model
from neus.scene.reading import load_images, load_scene
from neus.training.checkpoint import CheckpointFolder
from neus.training.held_out import HeldOutViews
from neus.training.rays import PixelPool
from neus.training.trainer import Trainer
from neus.training.validation import Validation
from tests.helpers.small_scenes import program, small_scene

CPU = torch.device("cpu")
GRID = {"levels": 4, "log2_entries": 10, "finest_resolution": 64}
SMALL = {
    "model": {
        "hash_grid": GRID,
        "marching": {"occupancy_resolution": 16, "first_step": 0.05, "last_step": 0.05},
        "outside": {"hash_grid": GRID, "occupancy_resolution": 16},
    },
    "training": {
        "steps": 12,
        "samples": 2048,
        "uniform_samples": 128,
        "validations": 2,
        "checkpoint_seconds": 0.0,
    },
}


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    """The programs set how many threads work."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return small_scene(tmp_path / "scene")


def method_of(kind: str, background: str = "white") -> MethodConfig:
    model = {**SMALL["model"], "kind": kind, "background": background}
    return load_method(None, {**SMALL, "model": model})


def trainer_of(method: MethodConfig, scene: Path) -> Trainer:
    read = load_scene(scene)
    return Trainer(method, PixelPool(read.cameras, load_images(read), None, CPU), CPU, 0)


def run(name: str, **options: object) -> int:
    words = [[f"--{key.replace('_', '-')}", str(value)] for key, value in options.items()]
    return program(name)([word for pair in words for word in pair])


@pytest.mark.parametrize(("kind", "background"), [("neus", "learned"), ("nerf", "white")])
def test_training_leaves_model_figures_and_panels(
    kind: str, background: str, scene: Path, tmp_path: Path
):
    method, output = tmp_path / "method.yaml", tmp_path / "model.pt"
    method.write_text(method_as_yaml(method_of(kind, background)))
    files = {"config": tmp_path / "config.yaml", "metrics": tmp_path / "train.json"}
    where = {"scene": scene, "run_dir": tmp_path / "run", "device": "cpu"}
    assert run("train", method=method, output=output, **files, **where) == 0
    assert load_method(files["config"]) == load_method(method)
    assert json.loads(files["metrics"].read_text())["steps"] == 12
    code = torch.load(output, weights_only=True)["code"]
    kept = tmp_path / "run" / "code.patch"
    assert code is None or code.startswith(f"commit {kept.read_text()[7:47]}\n")
    panels = sorted(path.name for path in (tmp_path / "run" / "panels").iterdir())
    assert panels == ["step-00000006.png", "step-00000012.png"]
    header, *rows = (tmp_path / "run" / "validation.csv").read_text().splitlines()
    figures = [float(row.split(",")[1]) for row in rows]
    assert (header, [row.split(",")[0] for row in rows]) == ("step,psnr", ["6", "12"])
    view, photo = load_model(output, CPU).view(load_scene(scene).cameras, 4), np.ones((24, 32, 3))
    photo[:, : 32 if background == "learned" else 16] = 100 / 255  # masks show the left half
    assert figures[1] == pytest.approx(-10 * np.log10(((view.rgb - photo) ** 2).mean()), abs=1e-3)
    assert not list((tmp_path / "run" / "checkpoints").iterdir()), "the model has taken their place"


def test_the_program_starts_from_weights(scene: Path, tmp_path: Path):
    """At rates of next to nothing it ends where it started, though with another seed."""
    trainer = trainer_of(method_of("neus"), scene)
    for _ in range(3):
        trainer.train_step()
    first = tmp_path / "first.pt"
    save_model(first, trainer.model, method_of("neus"), 3, 0)
    method, output = tmp_path / "method.yaml", tmp_path / "model.pt"
    method.write_text(method_as_yaml(method_of("neus")))
    still = {"table": 1e-9, "networks": 1e-9, "inv_s": 1e-9}
    overrides = json.dumps({"training": {"steps": 2, "learning_rates": still}})
    files = {"config": tmp_path / "config.yaml", "metrics": tmp_path / "train.json"}
    given = {"scene": scene, "run_dir": tmp_path / "run", "device": "cpu", "method": method}
    given |= {"overrides": overrides, "seed": 5, "output": output, **files}
    assert run("train", **given, weights=first) == 0
    assert load_method(files["config"]).training.weights == str(first)
    expected = trainer.model.state_dict()
    for name, tensor in load_model(output, CPU).model.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], atol=1e-7, rtol=1e-5, msg=name)
    with pytest.raises(InputError, match=r"training\.weights: .*none\.pt does not exist"):
        run("train", **given, weights=tmp_path / "none.pt")


def test_all_is_made_of_a_running_checkpoint_of_a_density(scene: Path, tmp_path: Path):
    method = method_of("nerf")
    trainer = trainer_of(method, scene)
    for _ in range(4):
        trainer.train_step()
    CheckpointFolder(tmp_path, "mark").save(4, {"trainer": trainer.state_dict()}, method)
    given = {"scene": scene, "model": tmp_path / "step-00000004.pt", "device": "cpu"}
    mesh = tmp_path / "mesh.ply"
    with pytest.raises(EmptySurface, match="--surface-density"):
        run("extract_mesh", **given, resolution=16, output=mesh)
    assert run("extract_mesh", **given, resolution=16, surface_density=0.01, output=mesh) == 0
    assert 1 < trimesh.load_mesh(mesh).scale / 3 < 4  # of a ball, in mm, 3 to the scene's unit
    textured = {"scene": scene, "mesh": mesh, "faces": 300, "texture": 64}
    for name, options in (("photos", {}), ("field", {"model": given["model"], "device": "cpu"})):
        assert run("texture_mesh", **textured, **options, output=tmp_path / f"{name}.glb") == 0
        assert name in read_handover(tmp_path / f"{name}.glb").said
    views, config = tmp_path / "views", tmp_path / "config.yaml"
    assert run("render_views", **given, output=views) == 0
    assert {path.name for path in views.glob("*.png")} == {"000.png", "004.png"}
    assert not (views / "grid").exists()
    words = [f"--{key}={value}" for key, value in {**given, "output": views}.items()]
    assert program("render_views")([*words, "--grids"]) == 0
    picture = read_image(views / "grid" / "004.png")
    assert (picture[-24:, :32] == 100).all(), "the photo"
    np.testing.assert_array_equal(picture[-24:, -32:], read_image(views / "depth" / "004.png"))
    config.write_text(method_as_yaml(method))
    figures = tmp_path / "views.json"
    assert run("evaluate_views", views=views, scene=scene, config=config, output=figures) == 0
    assert np.isfinite(json.loads(figures.read_text())["psnr"])
    assert run("render_path", **given, frames=2, output=tmp_path / "path.gif") == 0
    depths = tmp_path / "path-depth"
    assert run("render_path", **given, frames=2, output=tmp_path / "path.gif", depth=depths) == 0
    assert sorted(path.stem for path in depths.iterdir()) == ["0000"] * 2 + ["0001"] * 2
    for index in range(2):
        with np.load(depths / f"{index:04d}.npz") as kept:
            assert kept["depth"].shape == kept["opacity"].shape == (24, 32)
            np.testing.assert_allclose(kept["to_source"], load_scene(scene).to_source.matrix)
            towards = -kept["camera_to_world"][:, 3] @ kept["camera_to_world"][:, 2]
            assert towards > 1, "each camera looks at the sphere from outside"
    video = {"frames": 2, "output": tmp_path / "path.mp4"}
    with pytest.raises(InputError, match="--side 8 is too small for a video: use 16 or more"):
        run("render_path", **given, **video, side=8)
    for side, shape in ((480, (24, 64)), (16, (12, 32))):  # colour beside normals
        frames = tmp_path / f"{side}"
        assert run("render_path", **given, **video, side=side, pictures=frames) == 0
        assert read_image(frames / "0001.png").shape[:2] == shape
    flight = {"output": tmp_path / "path.mp4", "gif": tmp_path / "again.gif"}
    for kept in ({}, {"pictures": tmp_path / "frames"}):
        assert run("render_path", **given, frames=2, **flight, **kept) == 0
        assert flight["gif"].read_bytes() == (tmp_path / "path.gif").read_bytes()
        flight["gif"].unlink()
    assert [path.name for path in sorted((tmp_path / "frames").iterdir())] == [
        "0000.png",
        "0001.png",
    ]
    assert read_image(tmp_path / "frames" / "0000.png").shape == (24, 64, 3)
    with pytest.raises(InputError, match="not positive"):
        run("extract_mesh", **given, surface_density=-1, output=mesh)


def test_the_surface_of_a_distance_may_lie_apart_from_its_zero(scene: Path, tmp_path: Path):
    """Of the ball that a model begins as, so much larger or smaller."""
    method, radii = method_of("neus"), []
    trainer = trainer_of(method, scene)
    save_model(tmp_path / "model.pt", trainer.model, method, 0, 0)
    given = {"scene": scene, "model": tmp_path / "model.pt", "device": "cpu", "resolution": 48}
    for distance in (0.0, 0.2, -0.1):
        file = tmp_path / "mesh.ply"
        assert run("extract_mesh", **given, surface_distance=distance, output=file) == 0
        radii.append(trimesh.load_mesh(file).extents.mean() / 2 / 3)  # 3 mm to the scene's unit
    assert np.allclose(radii, [0.5, 0.7, 0.4], atol=0.02)
    with pytest.raises(InputError, match="a surface distance is for"):
        ready(
            trainer_of(method_of("nerf"), scene).model, method_of("nerf"), 0, CPU
        ).with_surface_distance(0.1)


@pytest.mark.parametrize("kind", ["neus", "nerf"])
def test_a_panel_shows_the_last_held_out_view_and_changes_nothing(
    kind: str, scene: Path, tmp_path: Path
):
    read, trainer = load_scene(scene), trainer_of(method_of(kind), scene)
    images = [np.full((24, 32, 3), 10 * index, np.uint8) for index in range(8)]
    random, grid = trainer.generator.get_state(), trainer.occupancy.state.clone()
    Validation(read, images, tmp_path)(trainer)
    assert torch.equal(trainer.generator.get_state(), random)
    assert torch.equal(trainer.occupancy.state, grid)
    panel = read_image(tmp_path / "step-00000000.png")
    assert (panel[-12, 16] == 40).all(), "frame 004"
    assert panel.shape[1] == 4 * 32 + 3 * 4


def test_a_panel_shows_object_and_surroundings_apart_where_both_are_learned(
    scene: Path, tmp_path: Path
):
    trainer = trainer_of(method_of("neus", "learned"), scene)
    for _ in range(4):
        trainer.train_step()
    Validation(load_scene(scene), [np.zeros((24, 32, 3), np.uint8)] * 8, tmp_path)(trainer)
    panel = read_image(tmp_path / "step-00000004.png")[-24:]
    assert panel.shape[1] == 6 * 32 + 5 * 4
    both, inside, behind = (panel[:, 36 * i : 36 * i + 32].astype(float) for i in (1, 4, 5))
    trained = ready(trainer.model, trainer.method, 4, CPU)
    opacity = trained.view(load_scene(scene).cameras, 4).opacity[..., None]
    np.testing.assert_allclose(inside - (1 - opacity) * (255 - behind), both, atol=3)
    assert (opacity < 0.5).any()
    assert (opacity > 0.5).any()


def test_held_out_views_are_spaced_evenly_and_made_small(scene: Path):
    """With the last of them, which the panel shows; their figure is the mean."""
    read = replace(load_scene(scene), test=(1, 2, 3, 5, 6))
    images = [np.full((24, 32, 3), 10 * index, np.uint8) for index in range(8)]
    chosen = {}
    for count in (0, 1, 2, 3, 9):
        training = {**SMALL["training"], "validation_views": count}
        method = load_method(None, {**SMALL, "training": training})
        chosen[count] = HeldOutViews(read, images, method, 16)
    asked = {count: views.indices for count, views in chosen.items()}
    assert asked == {0: [], 1: [6], 2: [3, 6], 3: [2, 5, 6], 9: [1, 2, 3, 5, 6]}
    trained = ready(trainer_of(method_of("neus"), scene).model, method_of("neus"), 0, CPU)
    empty = trained.view(read.cameras.at_most(16), 0)
    black = replace(empty, rgb=np.zeros((12, 16, 3)))
    known = dict.fromkeys((3, 6), black)
    photos = [np.where(np.arange(16)[:, None] < 8, index / 25.5, 1) for index in known]
    expected = np.mean([-10 * np.log10((photo**2).mean()) for photo in photos])
    assert chosen[2].figures(trained, known) == pytest.approx({"psnr": expected})
    assert chosen[0].figures(trained, known) == {}


def test_a_panel_of_a_scene_that_holds_nothing_out_is_of_its_last_photo_made_small(
    scene: Path, tmp_path: Path
):
    read = load_scene(scene)
    read = replace(read, test=(), cameras=read.cameras.resized(np.full(8, 640), np.full(8, 480)))
    images = [np.full((480, 640, 3), 10 * index, np.uint8) for index in range(8)]
    Validation(read, images, tmp_path)(trainer_of(method_of("neus"), scene))
    panel = read_image(tmp_path / "step-00000000.png")
    assert (panel[-150, 200] == 70).all()
    assert 4 * 400 <= panel.shape[1] < 4 * 400 + 60
