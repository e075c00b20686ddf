"""What is taken from a program's folder, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from neus.errors import InputError
from neus.external import find_mesh, find_views, way_to_export


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_last_mesh_by_number_is_taken(tmp_path: Path) -> None:
    touch(tmp_path, "train/ours_7000/fuse.ply", "train/ours_30000/fuse.ply", "mesh.ply")
    found = find_mesh(tmp_path, "train/ours_*/fuse.ply")
    assert found == tmp_path / "train" / "ours_30000" / "fuse.ply"
    assert find_mesh(tmp_path, "mesh.*") == tmp_path / "mesh.ply"
    with pytest.raises(InputError, match=r"left no mesh \(nothing matches \*\.obj"):
        find_mesh(tmp_path, "*.obj")


def test_views_belong_to_images_by_name_or_by_order(tmp_path: Path) -> None:
    touch(tmp_path, "named/a.png", "named/b.jpg", "named/notes.txt", "named/extra.png")
    touch(tmp_path, "counted/9.png", "counted/10.png")
    named = find_views(tmp_path, "named", ["b", "sub/a"])
    assert named == {"b": tmp_path / "named/b.jpg", "sub/a": tmp_path / "named/a.png"}
    counted = find_views(tmp_path, "count*", ["a", "b"])
    assert [path.stem for path in counted.values()] == ["9", "10"]
    with pytest.raises(InputError, match="left 2 views, neither called as the 3 held-out"):
        find_views(tmp_path, "counted", ["a", "b", "c"])
    with pytest.raises(InputError, match="left no views"):
        find_views(tmp_path, "renders", ["a"])


def test_a_program_may_say_how_it_moved_the_cameras(tmp_path: Path) -> None:
    np.testing.assert_array_equal(way_to_export(tmp_path).matrix, np.eye(4))
    matrix = np.diag([2.0, 2, 2, 1])
    (tmp_path / "similarity.json").write_text(json.dumps(matrix.tolist()))
    np.testing.assert_allclose(way_to_export(tmp_path).matrix, matrix)
    for wrong in (np.diag([1.0, 2, 2, 1]).tolist(), [[1, 2]], "scene", None):
        (tmp_path / "similarity.json").write_text(json.dumps(wrong))
        with pytest.raises(InputError, match="is no similarity"):
            way_to_export(tmp_path)
