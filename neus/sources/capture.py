"""What every reader of a data format returns."""

from __future__ import annotations

from dataclasses import dataclass

from neus.scene import Scene
from neus.similarity import Similarity


@dataclass(frozen=True)
class Capture:
    """Posed images in the frame and unit of their source.

    Attributes:
        scene: ``to_source`` is the identity; images and masks are the files of the source.
        sphere: from the unit sphere to the source frame where the source says in which sphere
            the object lies, else None.
    """

    scene: Scene
    sphere: Similarity | None
