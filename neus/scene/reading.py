"""The canonical scene: posed images in the unit sphere, and the way back to the source frame.

On disk a scene is a folder that nerfstudio and instant-ngp read as well: ``transforms.json``,
``images/``, ``masks/`` and ``points.ply``. Every reader of a data format ends here; nothing
downstream knows where the images came from.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.images import read_image, read_mask, read_own_mask
from neus.scene.cameras import OPENGL_FROM_OPENCV, Cameras
from neus.scene.points import read_points
from neus.scene.similarity import Similarity

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

TRANSFORMS = "transforms.json"
POINTS = "points.ply"


@dataclass(frozen=True)
class Frame:
    """One posed image.

    Attributes:
        name: its stem in the source.
        image: its file.
        mask: its mask's file; its own file if it brings the mask itself; None if it has none.
        rectify: takes the pixels of either file to those of the camera, where they differ, as
            :class:`neus.images.rectification.Rectification`; in a canonical scene they do not.
    """

    name: str
    image: Path
    mask: Path | None
    rectify: Callable[[np.ndarray, bool], np.ndarray] | None = None


@dataclass(frozen=True)
class Scene:
    """Posed images of one object.

    Attributes:
        frames: the images, in the order of ``cameras``.
        cameras: in the scene frame, for the images as they lie on disk.
        to_source: similarity from the scene frame to the source frame (identity before
            normalisation, when the scene frame is the source frame).
        unit: of the source frame, for figures and tables ("mm", "m", or "source units").
        test: indices of held-out frames; all others train.
        points: ``[p, 3]`` sparse surface points in the scene frame, or empty.
        points_rgb: ``[p, 3]`` their colours.
    """

    frames: tuple[Frame, ...]
    cameras: Cameras
    to_source: Similarity
    unit: str
    test: tuple[int, ...]
    points: Float[np.ndarray, "p 3"]
    points_rgb: UInt8[np.ndarray, "p 3"]

    @property
    def train(self) -> tuple[int, ...]:
        held_out = set(self.test)
        return tuple(i for i in range(len(self.frames)) if i not in held_out)

    def learned_whole(self) -> Scene:
        """The scene with nothing held out: all of its images train."""
        return replace(self, test=())

    @property
    def masked(self) -> tuple[int, ...]:
        """The frames that have a mask; of the others nobody knows what is object."""
        return tuple(i for i, frame in enumerate(self.frames) if frame.mask is not None)


def load_scene(folder: Path) -> Scene:
    """Read a scene that ``neus.scene.writing`` wrote, or that follows the same conventions.

    Raises:
        InputError: a file or a key is missing or malformed; the sentence names it.
    """
    folder = Path(folder)
    path = folder / TRANSFORMS
    if not path.is_file():
        raise InputError(
            f"{path} does not exist: point to a scene folder with a {TRANSFORMS} in it"
        )
    try:
        content = json.loads(path.read_text())
        records = content["frames"]
        frames = tuple(_frame_from_record(record, folder) for record in records)
        cameras = _cameras_from_records(records)
        held_out = set(content.get("test_filenames", []))
        applied = np.asarray(content.get("applied_transform", np.eye(4)), dtype=np.float64)[:3]
        scale = float(content.get("applied_scale", 1.0))
        to_scene = Similarity(scale, applied[:, :3], scale * applied[:, 3])
    except KeyError as error:
        raise InputError(f"{path} lacks the key {error}: write the scene again") from error
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InputError(f"{path} is malformed ({error}): write the scene again") from error
    for frame in frames:
        for file in (frame.image, frame.mask):
            if file is not None and not file.is_file():
                raise InputError(f"{file}, named in {path}, does not exist: write the scene again")
    test = tuple(i for i, record in enumerate(records) if record["file_path"] in held_out)
    no_points = np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    points, points_rgb = (
        read_points(folder / content["ply_file_path"]) if "ply_file_path" in content else no_points
    )
    unit = content.get("unit", "source units")
    return Scene(frames, cameras, to_scene.inverse(), unit, test, points, points_rgb)


def load_images(scene: Scene) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The images of all frames, in the order of the frames.

    Raises:
        InputError: an image is missing, unreadable or not of its camera's size.
    """
    return [load_image(scene, index) for index in range(len(scene.frames))]


def load_masks(scene: Scene) -> list[UInt8[np.ndarray, "h w"]]:
    """The masks of all frames, in the order of the frames.

    Raises:
        InputError: a frame has no mask, or one that is unreadable or not of its camera's size.
    """
    return [load_mask(scene, index) for index in range(len(scene.frames))]


def load_image(scene: Scene, index: int) -> UInt8[np.ndarray, "h w 3"]:
    """The image of one frame, RGB.

    Raises:
        InputError: it is missing, unreadable or not of its camera's size.
    """
    file = scene.frames[index].image
    return _as_its_camera_sees(scene, index, file, read_image(file))


def load_mask(scene: Scene, index: int) -> UInt8[np.ndarray, "h w"]:
    """The mask of one frame: the part of each pixel that the object covers, 0 to 255.

    Raises:
        InputError: there is none, or it is unreadable or not of its camera's size.
    """
    frame = scene.frames[index]
    if frame.mask is None:
        raise InputError(f"{frame.image} has no mask: add one, or go without masks")
    read = read_own_mask if frame.mask == frame.image else read_mask
    return _as_its_camera_sees(scene, index, frame.mask, read(frame.mask))


def _as_its_camera_sees(scene: Scene, index: int, file: Path, image: np.ndarray) -> np.ndarray:
    rectify = scene.frames[index].rectify
    is_painted = file != scene.frames[index].image
    image = image if rectify is None else rectify(image, is_painted)
    width, height = scene.cameras.widths[index], scene.cameras.heights[index]
    if image.shape[:2] != (height, width):
        raise InputError(
            f"{file} is {image.shape[1]}x{image.shape[0]}, but its camera is {width}x{height}: "
            "replace the image or its camera"
        )
    return image


def _frame_from_record(record: dict, folder: Path) -> Frame:
    image = folder / record["file_path"]
    mask = folder / record["mask_path"] if "mask_path" in record else None
    return Frame(record.get("name", image.stem), image, mask)


def _cameras_from_records(records: list[dict]) -> Cameras:
    intrinsics = np.zeros((len(records), 3, 3))
    poses = np.array([record["transform_matrix"] for record in records], dtype=np.float64)[:, :3]
    poses[:, :, :3] = poses[:, :, :3] @ OPENGL_FROM_OPENCV
    for matrix, record in zip(intrinsics, records, strict=True):
        matrix[[0, 1, 0, 1], [0, 1, 2, 2]] = [record[k] for k in ("fl_x", "fl_y", "cx", "cy")]
        matrix[2, 2] = 1
    sizes = np.array([[record["w"], record["h"]] for record in records], dtype=np.int64)
    return Cameras(intrinsics, poses, sizes[:, 0], sizes[:, 1])
