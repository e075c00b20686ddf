"""A window in the browser, by viser: pictures behind, cameras and cells before them."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from neus.errors import InputError
from neus.models import TrainedModel
from neus.scene import Scene, load_image, standpoint
from neus.viewer.latest import Latest
from neus.viewer.pictures import SHOWN, Camera, occupied_cells, rendered

COARSE = (96, 240)
"""Pixels of the longer side of the first pictures after a move; the last has those asked for."""
LOOK = 1.0
"""Seconds after which the folder is looked at again."""
THUMBNAIL = 160
BACK = 1.5
"""Times the distance of the cameras from where one looks first, so that they are in sight."""
FAR = 100.0
"""Depth of what is not seen, in scene units: behind everything."""
GREY = (120, 120, 130)


@dataclass
class Seen:
    """What a browser shows: of what, and how finely."""

    key: Any = None
    done: int = 0
    sizes: tuple[int, ...] = field(default=())


class Window:
    """Shows a run to any number of browsers.

    Args:
        scene: whose cameras and photos are shown.
        latest: the run's files.
        host, port: where browsers find it.

    Raises:
        InputError: viser is not installed.
    """

    def __init__(self, scene: Scene, latest: Latest, *, host: str, port: int) -> None:
        self._viser = _viser()
        self._scene, self._latest = scene, latest
        self._model: TrainedModel | None = None
        self._version, self._looked = 0, -math.inf
        self._seen: dict[int, Seen] = {}
        with redirect_stdout(io.StringIO()):  # its banner
            self.server = self._viser.ViserServer(host=host, port=port, label="neus", verbose=False)
        self._stand()
        self._controls()
        self._cameras = self._show_cameras()
        self._cells: Any = None

    @property
    def address(self) -> str:
        return f"http://{self.server.get_host()}:{self.server.get_port()}"

    def serve(self, stopped: Event) -> None:
        """Draw for whoever looks, until ``stopped`` is set."""
        try:
            while not stopped.wait(0.02):
                self.turn()
        finally:
            self.server.stop()

    def turn(self) -> None:
        """Read what is new, then make one picture finer for each browser."""
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._looked = now
            self._renew()
        if self._model is None:
            return
        clients = self.server.get_clients()
        self._seen = {name: self._seen.get(name, Seen()) for name in clients}
        for name, client in clients.items():
            self._refine(self._model, client, self._seen[name])

    def _stand(self) -> None:
        """Begin where the cameras stand, with their up."""
        up, front = standpoint(self._scene.cameras)
        centres = self._scene.cameras.centres
        away = float(np.median(np.linalg.norm(centres, axis=1)))
        place = front + 0.6 * up + 0.15 * np.cross(up, front)  # between cameras, not behind one
        self.server.scene.set_up_direction(tuple(up))
        self.server.initial_camera.position = tuple(BACK * away * place / np.linalg.norm(place))
        self.server.initial_camera.look_at = (0.0, 0.0, 0.0)
        self.server.initial_camera.up = tuple(up)
        self.server.initial_camera.fov = math.radians(45)

    def _controls(self) -> None:
        gui = self.server.gui
        self.server.gui.configure_theme(dark_mode=False, show_logo=False, show_share_button=False)
        self._told = gui.add_markdown("waiting for the first checkpoint")
        self._shown = gui.add_dropdown("show", SHOWN, initial_value=SHOWN[0])
        self._size = gui.add_slider("pixels", 120, 1200, 40, 480)
        self._with_cameras = gui.add_checkbox("cameras", True)
        self._with_photos = gui.add_checkbox("training views", False)
        self._with_cameras.on_update(lambda _: self._arrange())
        self._with_photos.on_update(lambda _: self._arrange())
        self._shown.on_update(lambda _: self._arrange())

    def _show_cameras(self) -> list[Any]:
        """A frustum for each camera: held-out views apart, photos in those that are learnt from."""
        cameras, shown = self._scene.cameras, []
        for index, frame in enumerate(self._scene.frames):
            width, height = int(cameras.widths[index]), int(cameras.heights[index])
            learnt = index in self._scene.train
            pose = cameras.camera_to_world[index]
            frustum = self.server.scene.add_camera_frustum(
                f"/cameras/{frame.name}",
                fov=2 * math.atan(height / 2 / cameras.intrinsics[index, 1, 1]),
                aspect=width / height,
                scale=0.1,
                thickness=0.004,
                color=GREY if learnt else (220, 120, 30),
                wxyz=self._viser.transforms.SO3.from_matrix(pose[:, :3]).wxyz,
                position=pose[:, 3],
            )
            frustum.on_click(self._goes_to(pose, frustum.fov))
            shown.append(frustum)
        return shown

    def _goes_to(self, pose: np.ndarray, field_of_view: float) -> Callable[[Any], None]:
        def go(event: Any) -> None:
            camera = event.client.camera
            with event.client.atomic():
                camera.wxyz = self._viser.transforms.SO3.from_matrix(pose[:, :3]).wxyz
                camera.position = pose[:, 3]
                camera.look_at = pose[:, 3] + pose[:, 2] * np.linalg.norm(pose[:, 3])
                camera.fov = field_of_view

        return go

    def _arrange(self) -> None:
        """What stands before the picture, by what is ticked."""
        for index, frustum in enumerate(self._cameras):
            frustum.visible = self._with_cameras.value
            if self._with_photos.value and index in self._scene.train and frustum.image is None:
                photo = load_image(self._scene, index)
                step = max(max(photo.shape) // THUMBNAIL, 1)
                frustum.image = np.ascontiguousarray(photo[::step, ::step])
            elif not self._with_photos.value:
                frustum.image = None
        if self._cells is not None:
            self._cells.visible = self._shown.value == "occupancy"

    def _renew(self) -> None:
        trained = self._latest.model()
        if trained is None:
            return
        self._model, self._version = trained, self._version + 1
        centres, side = occupied_cells(trained)
        shade = np.clip((centres + 1) / 2 * 200 + 40, 0, 255).astype(np.uint8)
        self._cells = self.server.scene.add_point_cloud(
            "/occupancy", centres.astype(np.float32), shade, point_size=side, point_shape="square"
        )
        self._arrange()
        run, age = self._latest.run.resolve(), self._latest.age(trained)
        name = f"**{run.parents[1].name}**, {run.parent.name}, {run.name}"
        self._told.content = f"{name}  \n{age}"

    def _refine(self, trained: TrainedModel, client: Any, seen: Seen) -> None:
        """The next finer picture of what a browser looks at, if there is one."""
        shown, size = self._shown.value, int(self._size.value)

        def looks() -> tuple:
            camera = client.camera
            pose = np.concatenate([np.ravel(camera.wxyz), camera.position])
            return *pose.tolist(), float(camera.fov), float(camera.aspect), shown

        key = (self._version, size, *looks())
        if key != seen.key:
            is_same_view = seen.key is not None and key[1:] == seen.key[1:]
            coarse = () if is_same_view else (each for each in COARSE if each < size)
            seen.key, seen.done, seen.sizes = key, 0, (*coarse, size)
        if seen.done >= len(seen.sizes):
            return
        if shown == "occupancy":
            client.scene.set_background_image(np.full((1, 1, 3), 255, np.uint8))
            seen.done = len(seen.sizes)
            return
        camera = _camera(self._viser, client)
        pinhole = camera.pinhole(seen.sizes[seen.done])
        last = seen.key[2:]
        found = rendered(trained, pinhole, shown, lambda: looks() == last)
        if found is None or client.client_id not in self.server.get_clients():
            return
        picture, depth = found
        client.scene.set_background_image(
            picture, format="jpeg", jpeg_quality=90, depth=np.where(depth > 0, depth, FAR)
        )
        seen.done += 1


def _camera(viser: Any, client: Any) -> Camera:
    """Viser's cameras have our axes: x right, y down, z forward."""
    rotation = viser.transforms.SO3(client.camera.wxyz).as_matrix()
    pose = np.concatenate([rotation, client.camera.position[:, None]], axis=1)
    return Camera(pose, float(client.camera.fov), float(client.camera.aspect))


def _viser() -> Any:
    try:
        viser = import_module("viser")
        import_module("viser.transforms")
    except ImportError:
        raise InputError("the live view needs viser: pip install 'neus[live]'") from None
    return viser


def serve(
    folder: Path, run: Path, *, host: str, port: int, device: Any, said: Callable[[str], None]
) -> None:
    """Show a run until it is interrupted.

    Args:
        folder: the canonical scene.
        said: is told where to look.
    """
    from neus.scene import load_scene

    window = Window(load_scene(folder), Latest(run, device), host=host, port=port)
    said(f"{window.address} shows {run}; Ctrl-C ends it")
    try:
        window.serve(Event())
    except KeyboardInterrupt:
        return
