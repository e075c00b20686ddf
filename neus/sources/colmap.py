"""Posed photos from a COLMAP model, ours or anybody's: ``sparse/``, ``images/``, ``masks/``."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import Faults, InputError, listed, refusal
from neus.images import orientation
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.colmap_model import Model, find_model, import_pycolmap
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.names import Finder
from neus.sources.photos import IMAGE_FOLDERS, image_root
from neus.sources.sizes import Size, as_text, is_resized, said_of_sizes

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

__all__ = ["import_pycolmap", "read_colmap"]

MIN_TRACK = 3
"""Points that fewer images agree on are mostly wrong matches."""
PINHOLES = ("PINHOLE", "SIMPLE_PINHOLE")
UNIT = "COLMAP units"
LEAST_SHARE = 0.5
"""Of the images: if more than these are there, those that are missing are dropped."""
Report = Callable[[str], None]


def read_colmap(
    path: Path,
    *,
    masks: MaskChoice,
    model: Path | None = None,
    report: Report = lambda line: None,
) -> Capture:
    """Read photos with their model: any cameras, distorted or not, in one folder or several.

    Images that COLMAP could not place are left out. The source frame is COLMAP's, whose unit is
    arbitrary; its points are those that three or more images see, or all where no tracks are kept.

    Args:
        path: holds the photos in ``images/``, in ``image/`` or itself, and ``masks/``.
        masks: which masks to use.
        model: folder with the model, text or binary; found below ``path`` by default. Of several
            models in its subfolders the one with the most images is taken.
        report: hears of several models, missing images and images of another size.

    Raises:
        InputError: the model cannot be read, or does not fit the files; all faults are named.
    """
    found = find_model(model or path, report)
    folder = _scan_folder(path, found.folder)
    root = image_root(folder)
    pairs = _image_files(found, folder, root, report)
    files = [file for _, file in pairs]
    faults = Faults()
    chosen: list[Path | None] = [None] * len(files)
    with faults.noted():
        chosen = choose_masks(folder, files, root, masks, report=report)
    if model is None:
        with faults.noted():
            _check_mirrored(found.folder, files)
    cameras = _Cameras(found)
    photos = []
    for (image, file), mask in zip(pairs, chosen, strict=True):
        with faults.noted():
            photos.append(_photo(image, file, mask, cameras, root))
    for refused in cameras.refused():
        faults.add(refused)
    faults.raise_any()
    for line in said_of_sizes(found.folder, cameras.resized):
        report(line)
    points, colours = _points(found.content)
    return assemble(
        photos, unit=UNIT, points=points, points_rgb=colours, files=found.files if not model else ()
    )


def _scan_folder(path: Path, model: Path) -> Path:
    """The folder of a scan whose ``path`` may be that of its model, or a file of it.

    Of a model in a workspace below (``dense/0/sparse``) the images are looked for there first.
    """
    path = path.parent if path.is_file() else path
    if image_root(path) != path:
        return path
    for above in (model.parent, model.parent.parent, model.parent.parent.parent):
        if any((above / name).is_dir() for name in IMAGE_FOLDERS):
            return above
    return path


def _image_files(model: Model, folder: Path, root: Path, report: Report) -> list[tuple[Any, Path]]:
    """The images with a pose that are there."""
    images = [model.content.images[i] for i in model.content.reg_image_ids()]
    if not images:
        raise refusal(model.folder, "no image with a pose", "three or more", "take more photos")
    finder, wider = Finder(root), Finder(folder)
    pairs, missing = [], []
    for image in images:
        name = model.names[image.image_id]
        file = finder.find(name) or wider.find(name)
        if file is None:
            missing.append(name)
        else:
            pairs.append((image, file))
    _check_twice(model, pairs)
    for line in [*finder.account(model.folder), *wider.account(model.folder)]:
        report(line)
    if len(missing) >= LEAST_SHARE * len(images):
        raise refusal(
            model.folder,
            f"{len(missing)} of {len(images)} images that do not exist below {root} "
            f"({listed(missing)})",
            "the photos that the model was made from",
            "add them",
        )
    if missing:
        report(
            f"{model.folder}: {len(missing)} of {len(images)} images do not exist below {root} and "
            f"are dropped ({listed(missing)}): add them, if they are to be used"
        )
    return pairs


def _check_twice(model: Model, pairs: Sequence[tuple[Any, Path]]) -> None:
    count = Counter(file for _, file in pairs)
    twice = [file.name for file, number in count.items() if number > 1]
    if twice:
        raise refusal(
            model.folder,
            f"{len(twice)} images that are listed twice ({listed(twice)})",
            "one pose for each image",
            "keep the one that is right",
        )


def _check_mirrored(model: Path, files: Sequence[Path]) -> None:
    """COLMAP ignores tags: of photos that are stored mirrored it sees a mirrored world."""
    mirrored = [file.name for file in files if orientation(file).is_mirrored]
    if mirrored:
        raise refusal(
            model,
            f"{len(mirrored)} images that are stored mirrored, by their EXIF orientation "
            f"({listed(mirrored)})",
            "a model of photos as they were seen",
            "set source to photos, which mirrors them back first",
        )


class _Cameras:
    """The cameras of a model for images of their own or another size.

    Attributes:
        resized: images of another size: file, size of the camera, their own.
    """

    def __init__(self, model: Model) -> None:
        self.folder, self._cameras = model.folder, model.content.cameras
        self.resized: list[tuple[Path, Size, Size]] = []
        self._cropped: dict[tuple[Size, Size], list[str]] = defaultdict(list)
        self._known: dict[tuple[int, Size], Any] = {}

    def of(self, camera_id: int, file: Path, size: Size) -> Any:
        """Its intrinsics ``[3, 3]``, or the camera itself if it distorts."""
        camera = self._cameras[camera_id]
        stated = camera.width, camera.height
        if stated != size:
            if not is_resized(stated, size):
                self._cropped[stated, size].append(file.name)
                return np.eye(3)
            self.resized.append((file, stated, size))
        if (camera_id, size) not in self._known:
            self._known[camera_id, size] = self._scaled(camera, size)
        return self._known[camera_id, size]

    def refused(self) -> list[InputError]:
        """One error for each pair of sizes that do not go together."""
        return [
            refusal(
                self.folder,
                f"{len(names)} images of {as_text(size)} whose cameras are {as_text(stated)} "
                f"({listed(names)})",
                "the photos that the model was made from, or the same made smaller",
                "give these: a crop needs a camera of its own",
            )
            for (stated, size), names in self._cropped.items()
        ]

    def _scaled(self, camera: Any, size: Size) -> Any:
        pinhole = np.array(camera.calibration_matrix(), dtype=np.float64)
        focal = pinhole[[0, 1], [0, 1]]
        if not (np.isfinite(pinhole).all() and (focal > 0).all()):
            raise refusal(
                f"{self.folder}, camera {camera.camera_id}",
                f"focal lengths {focal[0]:g}, {focal[1]:g}",
                "positive numbers of pixels",
                "calibrate it",
            )
        if camera.model_name in PINHOLES:
            factors = np.array([size[0] / camera.width, size[1] / camera.height, 1.0])
            return pinhole * factors[:, None]
        if (camera.width, camera.height) != size:
            camera = import_pycolmap().Camera(camera.todict())
            camera.rescale(*size)
        return camera


def _photo(image: Any, file: Path, mask: Path | None, cameras: _Cameras, root: Path) -> PosedPhoto:
    size = image_size(file)
    pose = np.array(image.cam_from_world().inverse().matrix())
    name = file.relative_to(root) if file.is_relative_to(root) else Path(file.name)
    if not np.isfinite(pose).all():
        raise refusal(
            f"{cameras.folder}, image {name}", "NaN in its pose", "finite numbers", "leave it out"
        )
    camera = cameras.of(image.camera_id, file, size)
    return PosedPhoto(name.as_posix(), file, mask, size, camera, pose, orientation(file))


def _points(model: Any) -> tuple[Float[np.ndarray, "p 3"], UInt8[np.ndarray, "p 3"]]:
    points: Sequence[Any] = list(model.points3D.values())
    if any(point.track.length() for point in points):
        points = [point for point in points if point.track.length() >= MIN_TRACK]
    positions = np.array([point.xyz for point in points], dtype=np.float64)
    colours = np.array([point.color for point in points], dtype=np.uint8)
    return positions.reshape(-1, 3), colours.reshape(-1, 3)
