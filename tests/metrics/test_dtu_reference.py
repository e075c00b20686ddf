"""Reading the reference files of the DTU benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from neus.errors import InputError
from neus.metrics.dtu_reference import load_reference
from tests.helpers.dtu_loops import lattice, reference_of, write_reference


def test_reference_is_read_from_the_benchmarks_files(tmp_path: Path) -> None:
    wanted = reference_of(lattice(2), resolution=2.0, plane=(1, 2, 3, 4))
    wanted.observed[1, 2, 3] = False
    write_reference(tmp_path, wanted, 24)
    found = load_reference(tmp_path, 24)
    np.testing.assert_array_equal(found.points, wanted.points)
    np.testing.assert_array_equal(found.observed, wanted.observed)
    np.testing.assert_array_equal(found.bounds, wanted.bounds)
    np.testing.assert_array_equal(found.plane, wanted.plane)
    assert found.resolution == 2.0
    assert found.observed.dtype == bool


def test_all_missing_files_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_reference(tmp_path, 9)
    for name in ("stl009_total.ply", "ObsMask9_10.mat", "Plane9.mat", "Points.zip"):
        assert name in str(caught.value)


def test_damaged_reference_files_are_refused(tmp_path: Path) -> None:
    write_reference(tmp_path, reference_of(lattice(2)), 24)
    savemat(tmp_path / "ObsMask" / "Plane24.mat", {"Q": np.zeros(4)})
    with pytest.raises(InputError, match=r"Plane24.mat: lacks P"):
        load_reference(tmp_path, 24)
    (tmp_path / "ObsMask" / "Plane24.mat").write_bytes(b"no")
    with pytest.raises(InputError, match=r"Plane24.mat: is no MATLAB file"):
        load_reference(tmp_path, 24)
