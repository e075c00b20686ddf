"""``transforms.json`` and its like: posed frames as nerfstudio, instant-ngp, Blender, NeuS2 and
SDFStudio write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import Faults, InputError, refusal
from neus.images import orientation, turn_camera
from neus.scene import OPENGL_FROM_OPENCV, read_points
from neus.sources import dialects, frame_files
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.frame_faults import FrameFaults
from neus.sources.frame_keys import Keys
from neus.sources.given_lenses import GivenLens, given_lens
from neus.sources.given_poses import FrameError, GivenPose, given_pose, said_of_poses
from neus.sources.headers import image_size
from neus.sources.json_text import read_json
from neus.sources.masks import MaskChoice
from neus.sources.posed_files import file_of
from neus.sources.sizes import Size, said_of_sizes
from neus.sources.splits import Part, parts_of

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

UNIT = "source units"
SPLITS = ("train", "test")
ALL_SPLITS = (*SPLITS, "val")
Report = Callable[[str], None]


@dataclass(frozen=True)
class _Frame:
    """A record with what belongs to it.

    Attributes:
        name: as the file writes it.
        part: see :mod:`neus.sources.splits`.
    """

    record: Mapping[str, Any]
    name: str
    image: Path
    part: Part


def read_nerfstudio(
    path: Path, *, masks: MaskChoice, report: Report = lambda line: None
) -> Capture:
    """Read ``transforms.json``, or SDFStudio's ``meta_data.json``, with its images and masks.

    ``applied_transform`` and ``applied_scale`` are undone: the source frame is the one before
    them, COLMAP's as a rule; SDFStudio's ``worldtogt`` is applied. What the file says is held out,
    is (:mod:`neus.sources.splits`). Masks are those that the frames name, else as ``masks`` says.

    Args:
        path: the folder, or the file itself.
        report: hears what is not as it should be, though it can be read.

    Raises:
        InputError: a file is missing or malformed; all faults that were found are named.
    """
    file = file_of(path)
    if file.name == dialects.SPLIT_FILES.format(split="train"):
        return read_blender(path, masks=masks, report=report)
    content = read_json(file)
    dialect = dialects.dialect_of(file, content)
    photos = _photos(file, content, dialect, masks, report)
    photos = [
        replace(p, camera_to_world=dialect.to_source.apply_to_poses(p.camera_to_world[None])[0])
        for p in photos
    ]
    unit = str(content.get("unit") or UNIT)
    cloud = frame_files.find_points(file, content, report)
    points, colours = _points(cloud)
    capture = assemble(
        photos,
        unit=unit,
        points=dialect.to_source.apply(points),
        points_rgb=colours,
        files=[file] if cloud is None else [file, cloud],
    )
    if dialect.sphere is None:
        return capture
    return replace(capture, sphere=dialect.to_source @ dialect.sphere)


def read_blender(path: Path, *, masks: MaskChoice, report: Report = lambda line: None) -> Capture:
    """Read NeRF-synthetic: ``transforms_train.json`` and, held out, ``transforms_test.json``.

    Masks are the alpha channels. The validation views are left alone, as in published figures. A
    file of test frames none of which has an image is a flight, as BlenderNeRF writes it, and is
    passed over. Without ``transforms_train.json`` a ``transforms.json`` is read.

    Raises:
        InputError: a file is missing or malformed; all faults that were found are named.
    """
    folder = path if path.is_dir() else path.parent
    names = [dialects.SPLIT_FILES.format(split=split) for split in ALL_SPLITS]
    if not (folder / names[0]).is_file() or (path.is_file() and path.name not in names):
        return read_nerfstudio(path, masks=masks, report=report)
    photos, files, faults = [], [], Faults()
    for split in SPLITS:
        file = folder / dialects.SPLIT_FILES.format(split=split)
        if split != "train" and not file.is_file():
            continue
        with faults.noted():
            content = read_json(file)
            if split == "test" and frame_files.is_flight(file, content):
                report(f"{file}: none of its frames has an image: a flight, not test views")
                continue
            files.append(file)
            dialect = dialects.dialect_of(file, content)
            of_split = _photos(file, content, dialect, masks, report)
            photos += [replace(photo, is_test=split == "test") for photo in of_split]
    faults.raise_any()
    return assemble(photos, unit=UNIT, files=files)


def _photos(
    file: Path,
    content: Mapping[str, Any],
    dialect: dialects.Dialect,
    masks: MaskChoice,
    report: Report,
) -> list[PosedPhoto]:
    folder, faults = file.parent, Faults()
    of_frames = FrameFaults(file)
    found = frame_files.find_images(file, content, of_frames, report)
    parts, lines = parts_of(file, content, [name for _, name, _ in found])
    frames = [
        _Frame(record, name, image, part)
        for (record, name, image), part in zip(found, parts, strict=True)
        if part != "none"
    ]
    for line in lines:
        report(line)
    with faults.noted():
        images = [frame.image for frame in frames]
        chosen = frame_files.find_masks(file, [f.record for f in frames], images, masks, report)
    poses = [of_frames.noted(frame.name, lambda f=frame: _pose(f.record)) for frame in frames]
    known: dict[tuple[Any, ...], Any] = {}
    read = [_lens(content, frame, known, of_frames, faults) for frame in frames]
    faults.sentences[:0] = of_frames.sentences()
    faults.raise_any()
    lenses = [each for each in read if each is not None]
    matrices = [pose for pose in poses if pose is not None]
    resized = [
        (frame.image, lens.size, size)
        for frame, (lens, size) in zip(frames, lenses, strict=True)
        if lens.size not in (size, size[::-1])
    ]
    for line in [*said_of_poses(file, matrices), *said_of_sizes(file, resized)]:
        report(line)
    return [
        _photo(folder, dialect, frame, mask, pose, lens, size)
        for frame, mask, pose, (lens, size) in zip(frames, chosen, matrices, lenses, strict=True)
    ]


def _pose(record: Mapping[str, Any]) -> GivenPose:
    key = next((key for key in dialects.POSE_KEYS if record.get(key) is not None), None)
    if key is None:
        raise FrameError("transform_matrix", "none", "a pose", "write it, or take the frame out")
    return given_pose(record[key], key)


def _lens(
    content: Mapping[str, Any],
    frame: _Frame,
    known: dict[tuple[Any, ...], Any],
    of_frames: FrameFaults,
    faults: Faults,
) -> tuple[GivenLens, Size] | None:
    """The lens for the pixels that it is stated for, and the image's size as stored."""
    with faults.noted():
        size = image_size(frame.image)
        upright = (size[1], size[0]) if _is_stated_upright(content, frame, size) else size
        lens = of_frames.noted(
            frame.name, lambda: given_lens(frame.record, content, upright, known)
        )
        return lens and (lens, size)
    return None


def _is_stated_upright(content: Mapping[str, Any], frame: _Frame, size: Size) -> bool:
    """Whether the sides are stated as a photo with an orientation tag is seen, not stored."""
    try:
        width, height = (Keys(frame.record, content).first(key) for key in ("w", "h"))
    except FrameError:
        return False
    if width is None or height is None or size[0] == size[1]:
        return False
    is_turned = (width > height) != (size[0] > size[1])
    return is_turned and orientation(frame.image).clockwise % 2 == 1


def _photo(
    folder: Path,
    dialect: dialects.Dialect,
    frame: _Frame,
    mask: Path | None,
    pose: GivenPose,
    lens: GivenLens,
    size: Size,
) -> PosedPhoto:
    matrix = pose.matrix
    if not dialect.opencv_axes:
        matrix = np.concatenate([matrix[:, :3] @ OPENGL_FROM_OPENCV, matrix[:, 3:]], axis=1)
    image, camera = frame.image, lens.camera
    lies = orientation(image)
    is_upright = size != size[::-1] and _turned(lens.size, size)
    if is_upright and isinstance(camera, np.ndarray):
        camera, matrix = turn_camera(camera, matrix, -lies.clockwise % 4, *size[::-1])
    elif is_upright:
        raise refusal(
            image,
            "a lens that distorts, stated for the photo turned upright",
            "one for the photo as it is stored",
            "undistort the images first",
        )
    name = image.relative_to(folder) if image.is_relative_to(folder) else Path(image.name)
    is_test = frame.part == "test"
    return PosedPhoto(name.as_posix(), image, mask, size, camera, matrix, lies, is_test)


def _turned(stated: Size, size: Size) -> bool:
    return (stated[0] > stated[1]) != (size[0] > size[1]) and stated[0] != stated[1]


def _points(
    cloud: Path | None,
) -> tuple[Float[np.ndarray, "p 3"], UInt8[np.ndarray, "p 3"]]:
    if cloud is None:
        return np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    try:
        return read_points(cloud)
    except InputError as error:
        raise refusal(
            cloud,
            f"what cannot be read ({error})",
            "a point cloud",
            "write it again, or take the key ply_file_path out",
        ) from error
