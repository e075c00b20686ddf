"""Known intrinsics of photos: nine numbers in a text file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float


def read_intrinsics(file: Path) -> Float[np.ndarray, "3 3"]:
    """Read a matrix K in pixels, row by row; the centre of the first pixel is at (0.5, 0.5).

    Raises:
        InputError: the file is missing, or holds no K of a camera without skew.
    """
    if not file.is_file():
        raise InputError(f"{file} does not exist: correct the key intrinsics")
    try:
        matrix = np.array(file.read_text().split(), dtype=np.float64).reshape(3, 3)
    except ValueError:
        raise InputError(f"{file} does not hold the nine numbers of a matrix K") from None
    zeros = matrix[[0, 1, 2, 2], [1, 0, 0, 1]]
    if not np.isfinite(matrix).all() or zeros.any() or matrix[2, 2] != 1 or matrix[0, 0] <= 0:
        raise InputError(f"{file} is no K: write fx 0 cx, 0 fy cy, 0 0 1")
    return matrix
