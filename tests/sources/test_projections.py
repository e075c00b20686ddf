"""Matrices are read as NumPy reads them, however it has written them; cameras as one by one."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from neus.errors import InputError
from neus.sources.projections import cameras_of, read_matrices

MATRIX = np.array([[320.0, 2, 160, 7], [0, 310, 120, -3], [0, 0, 1, 5], [0, 0, 0, 1]])


def test_matrices_are_those_that_numpy_reads(tmp_path: Path) -> None:
    file, kinds = tmp_path / "cameras.npz", (np.float64, np.float32, ">f8", np.int16)
    written = {f"world_mat_{i}": MATRIX.astype(kind) for i, kind in enumerate(kinds)}
    written |= {"world_mat_4": np.asfortranarray(MATRIX), "world_mat_005": MATRIX[:3]}
    np.savez_compressed(file, allow_pickle=False, **written)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        of_version_2 = BytesIO()
        np.lib.format.write_array(of_version_2, MATRIX, version=(2, 0))
        archive.writestr("world_mat_6.npy", of_version_2.getvalue())
        archive.writestr("notes.txt", "no matrix")
    matrices = read_matrices(file)
    assert list(matrices) == [f"world_mat_{i}" for i in range(7)]
    with np.load(file) as content:
        for key, by_numpy in zip(matrices, content.values(), strict=False):
            assert matrices[key].dtype == np.float64
            np.testing.assert_array_equal(matrices[key], by_numpy)


def test_objects_are_refused(tmp_path: Path) -> None:
    matrix = np.array([[{"a": 1}]], dtype=object)
    np.savez(tmp_path / "cameras.npz", allow_pickle=True, world_mat_0=matrix)
    with pytest.raises(InputError, match="what NumPy cannot read"):
        read_matrices(tmp_path / "cameras.npz")


def test_each_camera_that_is_none_is_named() -> None:
    matrices = {f"world_mat_{i}": MATRIX * [[s], [s], [s], [1]] for i, s in enumerate((1, -1, 1))}
    matrices["world_mat_0"] = np.zeros((4, 4))
    matrices["world_mat_2"] = np.eye(4)
    with pytest.raises(InputError) as refused:
        cameras_of(Path("c.npz"), matrices, [0, 1, 2, 3], [(320, 240)] * 4)
    told = [sentence.split(": found ")[0] for sentence in refused.value.sentences]
    assert told == [f"c.npz, key world_mat_{i}" for i in (3, 0, 1, 2)]
    assert "sheared pixels" in refused.value.sentences[2]
