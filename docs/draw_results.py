"""Make the pictures of docs/ that show a run, from the results of `make demo`.

    python -m docs.draw_results results [NAME ...]   writes docs/images/{from-photos,...}.webp
    python -m docs.draw_results --views RUN/views    writes docs/images/scan24.webp

The first takes a minute: some views are rendered anew, larger, or with fewer levels of the grid.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from docs.compose import GROUND, HEIGHT, in_a_row, sheet, tinted
from docs.plots import COLOURS
from docs.shown_run import Run, rgb, stored
from neus.images import read_image
from neus.metrics.error_clouds import ANGLES, Viewpoint, cloud_picture
from neus.models import NeuS, TrainedModel, ready
from neus.ops.types import INSIDE, SURFACE
from neus.rendering import OccupancyGrid
from neus.scene import standpoint

IMAGES = Path(__file__).parent / "images"
SCAN = "sculpture-photos"
LEVELS = (1, 3, 6, 16)
WIDTH = HEIGHT * 4 // 3


def from_photos(run: Run) -> Image.Image:
    """What the project does, in one picture: photos, cameras, a surface, a new view."""
    scene, count = run.scene, len(run.scene.frames)
    camera = scene.cameras[[run.unseen]].resized(np.array([2 * WIDTH]), np.array([2 * HEIGHT]))
    view = run.trained.view(camera, 0)
    chosen = np.linspace(0, count - 1, 12).round().astype(int)
    photos = [stored(scene.frames[index].image) for index in chosen]
    mesh = json.loads((run.folder / "mesh-none.json").read_text())
    views = json.loads((run.folder / "views.json").read_text())
    return in_a_row(
        [sheet(photos, 4, WIDTH), cameras(run), run.normals(view), rgb(view)],
        [f"{count} photos", "cameras and a cloud", "a surface", "views that nobody took"],
        [
            "no poses, no scanner",
            f"all {len(scene.cameras)} placed",
            f"{mesh['chamfer']:.2f} {mesh['unit']} from the true one",
            f"{views['psnr']:.1f} dB on photos held out",
        ],
    )


def cameras(run: Run) -> Image.Image:
    """The fused cloud among the cameras, seen from above; drawn twice as large, then halved."""
    import trimesh

    cloud: Any = trimesh.load(run.scan / "stereo" / "fused.ply", process=False)
    points = run.scene.to_source.inverse().apply(np.asarray(cloud.vertices))
    right, up = Viewpoint(np.array([0.0, 0, 1]), np.array([0.0, -1, 0])).axes(20, 22)
    rim = 0.25 * np.array([[-1, -0.75, 1.6], [1, -0.75, 1.6], [1, 0.75, 1.6], [-1, 0.75, 1.6]])
    poses = run.scene.cameras.camera_to_world
    corners = np.stack([pose[:, 3] + rim @ pose[:, :3].T for pose in poses])
    shown = np.concatenate([points, corners.reshape(-1, 3), poses[:, :, 3]])
    place = fitted(shown @ np.stack([right, -up], axis=-1), 2 * WIDTH, 2 * HEIGHT)

    pixels = np.full((2 * HEIGHT, 2 * WIDTH, 3), GROUND, np.uint8)
    order = np.argsort(points @ np.cross(right, up))
    columns, rows = place[order].astype(int).T
    for down, along in ((0, 0), (0, 1), (1, 0), (1, 1)):
        pixels[rows + down, columns + along] = np.asarray(cloud.colors)[order, :3]
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    rims, tips = np.split(place[len(points) :], [4 * len(poses)])
    for rim_at, tip in zip(rims.reshape(-1, 4, 2), tips, strict=True):
        at = [tuple(corner) for corner in rim_at]
        draw.line([*at, at[0]], COLOURS[2], 2)
        for corner in at:
            draw.line([tuple(tip), corner], COLOURS[2], 1)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def fitted(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """Points ``[n, 2]`` in a picture of this size, all of them, with a rim about them."""
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.96 * (np.array([width, height]) / (high - low)).min()
    return np.array([width, height]) / 2 + scale * (points - (low + high) / 2)


def stereo(run: Run) -> Image.Image:
    """A training view's photo, its depth by stereo, and how far that is trusted."""
    frame = run.scene.frames[run.scene.train[0]]
    with np.load(run.scan / "stereo" / "views" / f"{frame.name}.npz") as found:
        depth, trust = found["depth"].astype(float), found["confidence"].astype(float)
    known = depth > 0
    near, far = np.quantile(depth[known], [0.01, 0.99])
    nearness = np.where(known, 1 - (depth - near) / (far - near), np.nan)
    return in_a_row(
        [stored(frame.image), tinted(nearness), tinted(np.where(known, trust, np.nan))],
        ["a training view", "its depth", "how far it is trusted"],
    )


def training(run: Run) -> Image.Image:
    """The normals of the panels that were written while training."""
    panels = sorted((run.folder / "run" / "panels").glob("step-*.png"))
    pieces = []
    for panel in panels:
        pixels = read_image(panel)
        width = (pixels.shape[1] + 4) // 4
        pieces.append(Image.fromarray(pixels[28:, 2 * width : 3 * width - 4]))
    return in_a_row(pieces, [f"step {int(panel.stem.split('-')[1]):,}" for panel in panels])


def levels(run: Run) -> Image.Image:
    """The same model, seen with the coarser levels of its hash grid alone."""
    views = [seen_with(run.trained, count).view(run.scene.cameras, run.unseen) for count in LEVELS]
    return in_a_row([run.normals(view) for view in views], [f"{n} of 16 levels" for n in LEVELS])


def seen_with(trained: TrainedModel, count: int) -> TrainedModel:
    """A model with so many levels of its grid; its occupancy is filled anew."""
    coarse = replace(trained, stage=replace(trained.stage, active_levels=count))
    model, occupancy = coarse.model, coarse.occupancy
    assert isinstance(model, NeuS)
    assert isinstance(occupancy, OccupancyGrid)
    occupancy.update(
        lambda x: model.sdf.distance(x, coarse.backend, count), float(model.inv_s.detach())
    )
    return coarse


def a_slice(run: Run) -> Image.Image:
    """The distance in the plane y = 0, and the cells where rays have samples."""
    method, steps = run.trained.method, run.trained.method.training.steps
    trained = ready(run.trained.model, method, steps, run.trained.device)
    side = 2 * HEIGHT
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    x, z = np.meshgrid(axis, -axis)
    points = np.stack([x, 0 * x, z], axis=-1).reshape(-1, 3)
    distance = trained.distance(points).reshape(side, side)
    cells = trained.occupancy.state.numpy()
    cell = ((points * 0.5 + 0.5) * len(cells)).astype(int)
    state = cells[tuple(cell.T)].reshape(side, side)
    grid = np.full((side, side, 3), GROUND, np.uint8)
    grid[state == SURFACE], grid[state == INSIDE] = (196, 83, 47), (214, 226, 230)
    beyond = x**2 + z**2 > 1
    grid[beyond] = GROUND
    return in_a_row(
        [tinted(np.where(beyond, np.nan, 0.5 + distance / 0.12).clip(0, 1)), Image.fromarray(grid)],
        ["the distance, cut open", "cells of the grid"],
        ["blue: 0.06 within, red: outside", "red: samples, blue: solid"],
    )


def errors(run: Run) -> Image.Image:
    """The surface of the scan with known cameras, in the colours of its errors."""
    import trimesh

    known = Run.of(run.scan.parent, "sculpture")
    cloud: Any = trimesh.load(known.folder / "errors-none" / "accuracy.ply", process=False)
    points, colours = np.asarray(cloud.vertices), np.asarray(cloud.colors)[:, :3]
    scene = known.scene
    looked_at = Viewpoint(*standpoint(scene.cameras.transformed(scene.to_source)))
    sides = {name: ANGLES[name] for name in ("left", "front", "right")}
    pictures = [cloud_picture(points, colours, *looked_at.axes(*at)) for at in sides.values()]
    shown = 2 * json.loads((known.folder / "mesh-none.json").read_text())["fscore_threshold"]
    return in_a_row(
        [Image.fromarray(picture) for picture in pictures],
        [f"from the {name}" for name in sides],
        ["blue: none", f"red: {shown:g} mm and more", ""],
    )


def held_out(run: Run) -> Image.Image:
    """A photo that training never saw, and what was made without it."""
    frame, views = run.scene.frames[run.unseen], run.folder / "views"
    made = [views / folder / f"{frame.name}.png" for folder in (".", "normal", "depth")]
    return in_a_row(
        [stored(file) for file in (frame.image, *made)],
        ["a held-out photo", "its rendering", "normals", "depth"],
    )


def flight(run: Run) -> list[Image.Image]:
    """Every second frame of the flight."""
    import av

    with av.open(run.folder / "path.mp4") as container:
        return [frame.to_image() for frame in container.decode(video=0)][::2]


def rendered_views(views: Path, names: Sequence[str]) -> Image.Image:
    """Renderings of held-out views, each beside its normals."""
    files = [views / folder / f"{name}.png" for name in names for folder in (".", "normal")]
    titles = [text for name in names for text in (f"view {name}", "")]
    return in_a_row([Image.open(file).convert("RGB") for file in files], titles)


PICTURES: dict[str, Callable[[Run], Image.Image | list[Image.Image]]] = {
    "from-photos": from_photos,
    "overview": lambda run: stored(run.scan / "scene" / "overview.png"),
    "stereo": stereo,
    "training": training,
    "errors": errors,
    "held-out": held_out,
    "method-levels": levels,
    "method-slice": a_slice,
    "flight": flight,
}


def main(words: list[str]) -> None:
    if words[0] == "--views":
        save("scan24", rendered_views(Path(words[1]), ("000008", "000024")))
        return
    results, *names = words
    for name in names or PICTURES:
        save(name, PICTURES[name](Run.of(Path(results), SCAN)))


def save(name: str, picture: Image.Image | list[Image.Image]) -> None:
    first, *more = picture if isinstance(picture, list) else [picture]
    film = {"save_all": True, "append_images": more, "duration": 80, "loop": 0} if more else {}
    first.save(IMAGES / f"{name}.webp", quality=82, method=6, **film)


if __name__ == "__main__":
    main(sys.argv[1:])
