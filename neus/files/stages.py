"""Results of stages that are kept, so that a second run takes up where the first got to."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from neus.files.folders import folder_written_whole


def kept(folder: Path, stage: str, key: object, make: Callable[[Path], None]) -> Path:
    """The folder with the result of a stage, made if ``folder`` holds none for this key.

    Args:
        folder: of all stages; results of the same stage for other keys are removed from it.
        key: all that the result depends on; its ``repr`` counts.
        make: fills the empty folder that it is given.
    """
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    target = folder / f"{stage}-{digest}"
    if not target.is_dir():
        with folder_written_whole(target, ()) as whole:
            make(whole)
    for other in folder.glob(f"{stage}-*"):
        if other != target:
            shutil.rmtree(other)
    return target
