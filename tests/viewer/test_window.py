"""What the live view sends to a browser, and when; `test_browser.py` looks at it in a real one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest

from neus.errors import InputError
from neus.scene import load_scene
from neus.scene.cameras import look_at
from neus.viewer import Latest
from neus.viewer.window import Window
from tests.helpers.small_scenes import small_scene
from tests.helpers.trainings import CPU, folder, new_trainer, small_method
from tests.helpers.viser_imitation import Client, imitate_viser

METHOD = small_method(40)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("results")
    small_scene(results / "ball" / "scene")
    run, trainer = results / "ball" / "neus" / "seed0", new_trainer(METHOD)
    for _ in range(20):
        trainer.train_step()
    folder(run / "run").save(20, {"trainer": trainer.state_dict()}, METHOD)
    return run


@pytest.fixture
def window(run: Path, monkeypatch: pytest.MonkeyPatch) -> Window:
    imitate_viser(monkeypatch)
    scene = load_scene(run.parents[1] / "scene")
    return Window(scene, Latest(run, CPU), host="127.0.0.1", port=8080)


def looking(window: Window) -> Client:
    client = Client(look_at(np.array([2.0, 0.5, 0.8]), np.zeros(3), np.array([0.0, 0, 1])))
    window.server.clients[client.client_id] = client
    return client


def widths(client: Client) -> list[int]:
    return [shown["image"].shape[1] for shown in client.scene.shown]


def test_a_picture_gets_finer_at_rest_and_begins_anew_after_a_move(window: Window):
    client = looking(window)
    for _ in range(5):
        window.turn()
    assert widths(client) == [96, 240, 480]
    last = client.scene.shown[-1]
    assert last["depth"].shape == last["image"].shape[:2]
    assert last["depth"].min() > 0.5, "what is not seen is far away"
    client.camera.position = client.camera.position + 0.1
    window.turn()
    assert widths(client)[3:] == [96]
    window.server.gui.made["pixels"].choose(120)
    for _ in range(3):
        window.turn()
    assert widths(client)[4:] == [96, 120]


def test_a_new_checkpoint_is_shown_and_told(window: Window, run: Path):
    client = looking(window)
    window.turn()
    told = window._told.content
    assert "**ball**, neus, seed0" in told
    assert "step 20 of 40" in told
    for _ in range(3):
        window.turn()
    shutil.copy(run / "run" / "checkpoints" / "step-00000020.pt", run / "model.pt")
    try:
        window._looked = 0.0
        window.turn()
        assert "trained, 40 steps" in window._told.content
        assert widths(client)[3:] == [480], "nobody moved: at once as fine as before"
    finally:
        (run / "model.pt").unlink()


def test_cells_cameras_and_photos_come_and_go(window: Window):
    client = looking(window)
    window.turn()
    made, gui = window.server.scene.made, window.server.gui.made
    cameras = [made[f"/cameras/{i:03}"] for i in range(8)]
    assert not made["/occupancy"].visible
    gui["show"].choose("occupancy")
    window.turn()
    assert made["/occupancy"].visible
    assert client.scene.shown[-1]["image"].min() == 255
    gui["training views"].choose(True)
    assert [camera.image is None for camera in cameras] == [i in (0, 4) for i in range(8)]
    gui["training views"].choose(False)
    gui["cameras"].choose(False)
    assert all(camera.image is None and not camera.visible for camera in cameras)


def test_a_click_on_a_camera_leads_there(window: Window):
    client = looking(window)
    frustum = window.server.scene.made["/cameras/003"]
    frustum.clicked(SimpleNamespace(client=client))
    assert np.array_equal(client.camera.position, frustum.position)
    assert client.camera.fov == frustum.fov
    np.testing.assert_allclose(client.camera.look_at, 0, atol=0.01)


def test_it_serves_until_it_is_stopped(window: Window):
    stopped = Event()
    stopped.set()
    window.serve(stopped)
    assert window.server.is_stopped
    assert window.address == "http://127.0.0.1:8080"


def test_without_viser_a_sentence_says_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "viser", None)
    scene = load_scene(run.parents[1] / "scene")
    with pytest.raises(InputError, match=r"pip install 'neus\[live\]'"):
        Window(scene, Latest(run, CPU), host="127.0.0.1", port=8080)
