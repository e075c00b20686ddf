"""Foreground masks from a segmentation network in a local ONNX file; nothing is downloaded.

For networks of the U-2-Net family (Qin et al., "U2-Net: Going deeper with nested U-structure for
salient object detection", Pattern Recognition 2020): an image in, the probability that a pixel
belongs to what catches the eye out. ONNX Runtime runs it on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError
from neus.files import kept
from neus.images import Rectification, read_image, write_image
from neus.scene import Frame, Scene

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet's colours, which these networks expect to be taken out."""
SIDE = 320
"""Of the square image that a network gets which does not say its size, in pixels."""
LEAST_SHARE = 1e-3
"""Of the image: an object smaller than this counts as none."""


def mask_photos(
    scene: Scene, model: Path, *, work: Path, threads: int, report: Callable[[str], None]
) -> Scene:
    """Give the frames that have no mask one that a network finds; those that have one keep it.

    Masks are written as a person would paint them, on the photo as it is seen upright. A photo in
    which nothing is found stays without one.

    Args:
        model: ONNX file, see `load_network`.
        work: folder that keeps the masks for the next run.
        report: hears how it went.

    Raises:
        InputError: see `load_network`, or an image cannot be read.
    """
    bare = [frame for frame in scene.frames if frame.mask is None]
    if not bare:
        report(f"every image has a mask: {model} is not used")
        return scene
    state = model.stat()
    files = [(str(f.image), f.image.stat().st_size, f.image.stat().st_mtime_ns) for f in bare]
    key = [model.name, state.st_size, state.st_mtime_ns, files]
    folder = kept(work, "masks", key, partial(_predict, bare, model, threads))
    found = {frame.name for frame in bare if (folder / f"{frame.name}.png").is_file()}
    report(f"{model.name} found an object in {len(found)} of {len(bare)} images without a mask")
    if len(found) < len(bare):
        report("nothing found in: " + ", ".join(f.name for f in bare if f.name not in found))
    masked = {name: folder / f"{name}.png" for name in found}
    frames = [replace(frame, mask=frame.mask or masked.get(frame.name)) for frame in scene.frames]
    return replace(scene, frames=tuple(frames))


def load_network(model: Path, threads: int = 1) -> Any:
    """An ``onnxruntime.InferenceSession`` that takes ``[1, 3, h, w]`` images.

    Raises:
        InputError: the file is missing or no such network, or ONNX Runtime is not installed.
    """
    if not model.is_file():
        raise InputError(f"{model} does not exist: correct the key mask_model")
    try:
        import onnxruntime
    except ImportError:
        raise InputError(
            "mask_model needs ONNX Runtime: pip install 'neus[masks]', or leave the key out"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    try:
        network = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no base class but this one
        raise InputError(f"{model} is no ONNX network: correct the key mask_model") from error
    inputs = network.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3:
        raise InputError(f"{model} does not take one image [1, 3, h, w]: give one like U-2-Net")
    return network


def foreground(network: Any, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
    """The mask that a network finds in an image, 0 or 255.

    Raises:
        InputError: the network does not return probabilities.
    """
    import cv2

    height, width = (n if isinstance(n, int) else SIDE for n in network.get_inputs()[0].shape[2:])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    colours = (small / max(float(small.max()), 1.0) - MEAN) / DEVIATION
    batch = np.ascontiguousarray(colours.transpose(2, 0, 1)[None])
    first = np.asarray(network.run(None, {network.get_inputs()[0].name: batch})[0])
    probability = _probability(first)
    size = image.shape[1], image.shape[0]
    return np.where(cv2.resize(probability, size) > 0.5, np.uint8(255), np.uint8(0))


def _probability(output: np.ndarray) -> Float[np.ndarray, "h w"]:
    """The first channel of a network's first output."""
    if output.ndim < 2 or output.min() < -1e-3 or output.max() > 1 + 1e-3:
        raise InputError(
            "the network of mask_model returns no probabilities: give one like U-2-Net"
        )
    return output.reshape(-1, *output.shape[-2:])[0].astype(np.float32)


def _predict(frames: Sequence[Frame], model: Path, threads: int, folder: Path) -> None:
    network = load_network(model, threads)
    for frame in frames:
        image = read_image(frame.image)
        if isinstance(frame.rectify, Rectification):
            image = np.ascontiguousarray(np.rot90(image, -frame.rectify.clockwise))
        mask = foreground(network, image)
        if (mask > 0).mean() >= LEAST_SHARE:
            write_image(folder / f"{frame.name}.png", mask)
