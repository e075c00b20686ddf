"""``transforms.json`` as nerfstudio, instant-ngp and Blender (NeRF-synthetic) write it.

Poses are camera-to-world in OpenGL's axes; intrinsics stand once for all frames, or in each frame.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError
from neus.scene import OPENGL_FROM_OPENCV, Similarity, read_points
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.exif import read_exif
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks

if TYPE_CHECKING:
    from jaxtyping import Float

    from neus.images import LensCamera

FILE = "transforms.json"
SPLITS = ("train", "test")
SUFFIXES = ("", ".png", ".jpg", ".jpeg")
UNIT = "source units"
OPENCV_KEYS = ("k1", "k2", "p1", "p2")
FISHEYE_KEYS = ("k1", "k2", "k3", "k4")
PERSPECTIVE = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL")
PROPER = 1e-3
"""How far the columns of a pose may be from a rotation: they are written with few digits."""


def read_nerfstudio(path: Path, *, masks: MaskChoice) -> Capture:
    """Read ``transforms.json`` of nerfstudio or instant-ngp, with its images and masks.

    ``applied_transform`` and ``applied_scale`` are undone: the source frame is the one before
    them, COLMAP's as a rule. ``test_filenames`` are held out. Masks are those that the frames
    name, else as ``masks`` says.

    Raises:
        InputError: a file is missing or malformed; a camera model is not known.
    """
    file = path / FILE
    content = _read_json(file)
    to_source = _applied(file, content).inverse()
    photos = _in_frame(_photos(file, content, masks), to_source)
    unit = content.get("unit", UNIT)
    name = content.get("ply_file_path")
    if name is None:
        return assemble(photos, unit=unit)
    points, colours = read_points(path / name)
    return assemble(photos, unit=unit, points=to_source.apply(points), points_rgb=colours)


def read_blender(path: Path, *, masks: MaskChoice) -> Capture:
    """Read NeRF-synthetic: ``transforms_train.json`` and, held out, ``transforms_test.json``.

    Masks are the alpha channels. The validation views are left alone, as in published figures.

    Raises:
        InputError: a file is missing or malformed.
    """
    photos = []
    for split in SPLITS:
        file = path / f"transforms_{split}.json"
        if split == "train" or file.is_file():
            photos += _photos(file, _read_json(file), masks, is_test=split == "test")
    return assemble(photos, unit=UNIT)


def _read_json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise InputError(f"{file} does not exist: add it, or correct the keys source and path")
    try:
        content = json.loads(file.read_text())
        count = len(content["frames"])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file} is no list of posed frames ({error!r}): write it again") from None
    if count == 0:
        raise InputError(f"{file} lists no frame: write it again")
    return content


def _photos(
    file: Path, content: dict[str, Any], masks: MaskChoice, *, is_test: bool = False
) -> list[PosedPhoto]:
    folder = file.parent
    held_out = {_plain(name) for name in content.get("test_filenames", [])}
    try:
        images = [_image_file(folder, record["file_path"], file) for record in content["frames"]]
        found = _masks(folder, content["frames"], images, masks)
        return [
            _photo(
                file,
                content,
                record,
                image,
                mask,
                is_test or _plain(record["file_path"]) in held_out,
            )
            for record, image, mask in zip(content["frames"], images, found, strict=True)
        ]
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{file}: a frame lacks the key {error}: write the file again") from None
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{file} is malformed ({error}): write it again") from error


def _plain(name: str) -> str:
    return name.removeprefix("./")


def _image_file(folder: Path, name: str, file: Path) -> Path:
    for suffix in SUFFIXES:
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{_plain(name)}{suffix}"
    raise InputError(f"{folder / name}, named in {file}, does not exist: add the image")


def _masks(
    folder: Path, records: list[dict[str, Any]], images: list[Path], choice: MaskChoice
) -> list[Path | None]:
    named = [folder / record["mask_path"] if "mask_path" in record else None for record in records]
    if choice not in ("auto", "all") or not any(named):
        return choose_masks(folder, images, _common_folder(images), choice)
    for image, mask in zip(images, named, strict=True):
        if mask is None and choice == "all":
            raise InputError(f"the frame of {image} names no mask: add mask_path, or masks: auto")
        if mask is not None and not mask.is_file():
            raise InputError(f"{mask}, the mask of {image}, does not exist: add it")
    return named


def _common_folder(images: list[Path]) -> Path:
    folder = images[0].parent
    while not all(image.is_relative_to(folder) for image in images):
        folder = folder.parent
    return folder


def _photo(
    file: Path,
    content: dict[str, Any],
    record: dict[str, Any],
    image: Path,
    mask: Path | None,
    is_test: bool,
) -> PosedPhoto:
    size, camera = image_size(image), content | record
    stated = (round(float(camera.get("w", size[0]))), round(float(camera.get("h", size[1]))))
    if stated != size:
        raise InputError(
            f"{image} is {size[0]}x{size[1]}, but {file} says {stated[0]}x{stated[1]}: give the "
            "images that the file was made from"
        )
    matrix = np.asarray(record["transform_matrix"], dtype=np.float64)[:3]
    gram = matrix[:, :3].T @ matrix[:, :3]
    if matrix.shape != (3, 4) or not np.allclose(gram, np.eye(3), atol=PROPER):
        raise InputError(f"{file}: the pose of {image.name} is no rotation and position: write it")
    pose = np.concatenate([matrix[:, :3] @ OPENGL_FROM_OPENCV, matrix[:, 3:]], axis=1)
    name = image.relative_to(file.parent).as_posix()
    clockwise = read_exif(image).clockwise
    return PosedPhoto(
        name, image, mask, size, _camera(file, camera, size), pose, clockwise, is_test
    )


def _camera(
    file: Path, keys: dict[str, Any], size: tuple[int, int]
) -> Float[np.ndarray, "3 3"] | LensCamera:
    width, height = size
    fx = float(keys["fl_x"]) if "fl_x" in keys else _focal(keys["camera_angle_x"], width)
    fy = float(keys["fl_y"]) if "fl_y" in keys else fx
    if "fl_y" not in keys and "camera_angle_y" in keys:
        fy = _focal(keys["camera_angle_y"], height)
    cx, cy = float(keys.get("cx", width / 2)), float(keys.get("cy", height / 2))
    is_fisheye = keys.get("camera_model") == "OPENCV_FISHEYE" or keys.get("is_fisheye")
    if not is_fisheye and keys.get("camera_model", "OPENCV") not in PERSPECTIVE:
        raise InputError(
            f"{file}: the camera model {keys['camera_model']} is not known: choose from "
            f"{', '.join([*PERSPECTIVE, 'OPENCV_FISHEYE'])}"
        )
    if not is_fisheye and any(keys.get(key) for key in ("k3", "k4")):
        raise InputError(f"{file}: k3 and k4 belong to a fisheye: set camera_model, or undistort")
    distortion = [float(keys.get(k, 0)) for k in (FISHEYE_KEYS if is_fisheye else OPENCV_KEYS)]
    if not is_fisheye and not any(distortion):
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    from neus.sources.colmap import import_pycolmap

    model = "OPENCV_FISHEYE" if is_fisheye else "OPENCV"
    params = [fx, fy, cx, cy, *distortion]
    return import_pycolmap().Camera(model=model, width=width, height=height, params=params)


def _focal(angle: float, side: int) -> float:
    """Focal length in pixels from the full angle of view in radians."""
    return side / 2 / math.tan(float(angle) / 2)


def _applied(file: Path, content: dict[str, Any]) -> Similarity:
    """From the frame before nerfstudio's changes to that of the file."""
    matrix = np.eye(4)
    matrix[:3] = np.asarray(content.get("applied_transform", np.eye(4)), dtype=np.float64)[:3]
    matrix[:3] *= float(content.get("applied_scale", 1.0))
    try:
        return Similarity.from_matrix(matrix)
    except ValueError as error:
        raise InputError(f"{file}: applied_transform is {error}: write it again") from error


def _in_frame(photos: list[PosedPhoto], similarity: Similarity) -> list[PosedPhoto]:
    return [
        replace(p, camera_to_world=similarity.apply_to_poses(p.camera_to_world[None])[0])
        for p in photos
    ]
