"""How far estimated cameras are from known ones."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from neus.scene.cameras import Cameras
from neus.scene.similarity import umeyama


def pose_errors(cameras: Cameras, reference: Cameras) -> tuple[np.ndarray, np.ndarray]:
    """Errors of centres, as a part of the largest distance, and of rotations in degrees.

    After the similarity that brings the centres together, and without the turn that all cameras
    share: a principal point that is held at the centre of the image turns all of them alike.
    """
    moved = cameras.transformed(umeyama(cameras.centres, reference.centres))
    apart = np.linalg.norm(reference.centres[:, None] - reference.centres, axis=2).max()
    turns = Rotation.from_matrix(
        reference.camera_to_world[:, :, :3].transpose(0, 2, 1) @ moved.camera_to_world[:, :, :3]
    )
    own = (turns * turns.mean().inv()).magnitude()
    return np.linalg.norm(moved.centres - reference.centres, axis=1) / apart, np.degrees(own)


def median_errors(cameras: Cameras, reference: Cameras) -> tuple[float, float, float]:
    """Medians: of the centres in percent, of the rotations in degrees, and of these in all."""
    centres, rotations = pose_errors(cameras, reference)
    moved = cameras.transformed(umeyama(cameras.centres, reference.centres))
    relative = reference.camera_to_world[:, :, :3].transpose(0, 2, 1)
    turns = Rotation.from_matrix(relative @ moved.camera_to_world[:, :, :3]).magnitude()
    return (
        100 * float(np.median(centres)),
        float(np.median(rotations)),
        np.degrees(np.median(turns)),
    )
