"""Held-out views of a textured mesh beside those of the volume it came from, and the mesh as PLY.

    python -m benchmarks.textures --run results/sculpture/neus-mask/seed0 --output out

reads the run's mesh.glb, renders it at the cameras of the held-out photos, and ends as one JSON
line: the mean PSNR of both, whole and in the mask. In ``out`` are ``NAME.png``, photo, volume and
texture side by side, and ``mesh.ply``, the handed-over mesh in the frame of the source, for
scripts/evaluate_mesh.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from neus.config import load_method
from neus.images import panel, read_image, to_uint8, write_image
from neus.mesh import Mesh
from neus.mesh.export import write_mesh
from neus.mesh.handover import Handover
from neus.mesh.handover_files import read_handover
from neus.mesh.rasterising import interpolated, rasterised
from neus.metrics.evaluation import Surroundings, view_figures
from neus.scene import Scene, load_image, load_mask, load_scene

SAMPLES = 3
"""Along a pixel."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, required=True, help="folder of one seed")
    parser.add_argument("--mesh", type=Path, help="instead of its mesh.glb")
    parser.add_argument("--output", type=Path, required=True, help="folder")
    options = parser.parse_args(argv)
    scene = load_scene(options.run.parent.parent / "scene")
    handed = read_handover(options.mesh or options.run / "mesh.glb")
    seen = Surroundings.of(load_method(options.run / "config.yaml"))
    figures = []
    for index in scene.test:
        name = scene.frames[index].name
        photo, coverage = load_image(scene, index) / 255, load_mask(scene, index) / 255
        volume = read_image(options.run / "views" / f"{name}.png") / 255
        with np.load(options.run / "views" / "depth" / f"{name}.npz") as content:
            opacity = content["opacity"]
        texture, covered = rendered(handed, scene, index)
        both = [
            view_figures(image, light, photo, coverage, seen)
            for image, light in ((volume, opacity), (texture, covered))
        ]
        figures.append([[one.psnr, one.psnr_masked, one.mask_iou] for one in both])
        images = {"photo": seen.photo(photo, coverage), "volume": volume, "texture": texture}
        joined = panel([[to_uint8(image) for image in images.values()]], list(images))
        write_image(options.output / f"{name}.png", joined)
    points = handed.to_source.apply(handed.mesh.vertices)
    write_mesh(options.output / "mesh.ply", Mesh(points, handed.mesh.faces))
    means = np.mean(figures, axis=0).round(3)
    names = ("psnr", "psnr_masked", "mask_iou")
    pairs = zip(("volume", "texture"), means.tolist(), strict=True)
    print(json.dumps({kind: dict(zip(names, row, strict=True)) for kind, row in pairs}))
    return 0


def rendered(handed: Handover, scene: Scene, index: int) -> tuple[np.ndarray, np.ndarray]:
    """A view of the texture on white, and the share of each pixel that the mesh covers."""
    if handed.uv is None or handed.picture is None:
        raise SystemExit("the mesh has no texture")
    width, height = int(scene.cameras.widths[index]), int(scene.cameras.heights[index])
    fine = scene.cameras.resized(SAMPLES * scene.cameras.widths, SAMPLES * scene.cameras.heights)
    to_scene = scene.to_source.inverse() @ handed.to_source
    pixels, depth = fine.project(index, to_scene.apply(handed.mesh.vertices))
    faces = handed.mesh.faces
    seen, _ = rasterised(pixels, depth, faces, SAMPLES * height, SAMPLES * width)
    size = np.array(handed.picture.shape[1::-1])
    at = np.full((*seen.shape, 2), -9, np.float32)
    at[seen >= 0] = interpolated(seen, pixels, depth, faces, handed.uv * size - 0.5)
    columns, rows = np.ascontiguousarray(np.moveaxis(at, 2, 0))
    edge = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": (255, 255, 255)}
    picture = cv2.remap(handed.picture, columns, rows, cv2.INTER_LINEAR, **edge)
    parts = (height, SAMPLES, width, SAMPLES)
    colour = picture.reshape(*parts, 3).mean(axis=(1, 3)) / 255
    return colour, (seen >= 0).reshape(parts).mean(axis=(1, 3))


if __name__ == "__main__":
    raise SystemExit(main())
