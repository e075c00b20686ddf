"""Make a surface to hand over of a measured one: fewer faces, a texture of training photos."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import trimesh

from neus.cli import run
from neus.errors import InputError
from neus.mesh import Mesh
from neus.mesh.handover import EXPECTED, Handover, handed_over
from neus.mesh.handover_files import write_handover
from neus.progress import Progress
from neus.scene import load_scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neus.mesh.colour import Colour


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--mesh", type=Path, required=True, help="mesh.ply of extract_mesh.py")
    parser.add_argument("--faces", type=int, default=100_000, help="about so many at most")
    parser.add_argument("--texture", type=int, default=4096, help="most texels along a side of it")
    parser.add_argument(
        "--seconds", type=float, default=120, help="that unwrapping may take, else vertex colours"
    )
    parser.add_argument(
        "--model", type=Path, help="take colours from its radiance field, not from photos"
    )
    parser.add_argument("--device", default="auto", help="of the model: auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--output", type=Path, nargs="+", required=True, help="files to write: .glb or .obj"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene = load_scene(options.scene)
    progress = Progress({"mesh": 0.6} | EXPECTED | {"files": 0.6})
    progress.at("mesh")
    with radiance(options) as field:
        content = handed_over(
            read_mesh(options.mesh),
            scene,
            faces=options.faces,
            side=options.texture,
            seconds=options.seconds,
            field=field,
            workers=options.threads,
            report=say,
            advance=progress.at,
        )
    for path in progress.over("files", options.output):
        write_handover(path, content)
    say(summary(content))
    return 0


@contextmanager
def radiance(options: argparse.Namespace) -> Iterator[Colour | None]:
    """The field of the model that is named; None for photos, which need no torch."""
    if options.model is None:
        yield None
        return
    from neus.devices import leased_device, set_threads
    from neus.models import load_model

    with leased_device(options.device) as device:
        set_threads(options.threads)
        yield load_model(options.model, device).colours


def summary(content: Handover) -> str:
    faces = f"{len(content.mesh.faces)} faces in {content.unit}, y up"
    if content.picture is None:
        return f"{faces}, {content.said}"
    height, width = content.picture.shape[:2]
    return f"{faces}, a texture of {width}x{height} from {content.said}"


def read_mesh(path: Path) -> Mesh:
    """A mesh with normals and colours, as extract_mesh.py writes it."""
    if not path.is_file():
        raise InputError(f"{path} does not exist: run extract_mesh.py first")
    mesh: Any = trimesh.load(path, process=False)
    colours = np.asarray(mesh.visual.vertex_colors, np.uint8)[:, :3]
    return Mesh(
        np.asarray(mesh.vertices), np.asarray(mesh.faces), np.asarray(mesh.vertex_normals), colours
    )


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
