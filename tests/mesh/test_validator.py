"""Khronos's validator has nothing to say of our GLB files. `make test-gltf` installs it, by npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from neus.mesh import Mesh
from neus.mesh.export import write_mesh
from neus.mesh.handover import handed_over
from neus.mesh.handover_files import write_handover
from tests.helpers.painted_sphere import TO_SOURCE, painted_scene, sphere
from tests.helpers.places import ROOT

MODULES = Path(os.environ.get("NEUS_NODE_MODULES", ROOT / ".tools" / "gltf" / "node_modules"))
VALIDATE = ROOT / "tests" / "helpers" / "gltf" / "validate.js"
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (MODULES / "gltf-validator").is_dir(),
    reason="no glTF validator: make test-gltf",
)


def issues(path: Path) -> dict:
    done = subprocess.run(
        ["node", str(VALIDATE), str(path)],
        env=os.environ | {"NEUS_NODE_MODULES": str(MODULES)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["issues"]


def assert_sound(path: Path) -> None:
    found = issues(path)
    assert (found["numErrors"], found["numWarnings"]) == (0, 0), found["messages"]


@pytest.fixture(scope="module")
def of_source() -> Mesh:
    ball = sphere()
    normals = TO_SOURCE.apply_to_directions(ball.vertices / 0.6)
    return replace(ball, vertices=TO_SOURCE.apply(ball.vertices), normals=normals)


@pytest.mark.parametrize("seconds", [60, 0.01], ids=["texture", "colours of vertices"])
def test_handed_over_meshes_are_sound(of_source: Mesh, tmp_path: Path, seconds: float) -> None:
    scene = painted_scene(tmp_path)
    content = handed_over(of_source, scene, faces=2000, side=256, seconds=seconds)
    assert (content.picture is None) == (seconds < 1)
    write_handover(tmp_path / "ball.glb", content)
    assert_sound(tmp_path / "ball.glb")


def test_meshes_without_texture_are_sound(of_source: Mesh, tmp_path: Path) -> None:
    write_mesh(tmp_path / "colours.glb", of_source)
    write_mesh(tmp_path / "bare.glb", Mesh(of_source.vertices, of_source.faces))
    assert_sound(tmp_path / "colours.glb")
    assert_sound(tmp_path / "bare.glb")


def test_a_damaged_file_is_found_out(of_source: Mesh, tmp_path: Path) -> None:
    """The validator does look: an index beyond the vertices is an error."""
    broken = replace(of_source, faces=of_source.faces + 1)
    write_mesh(tmp_path / "broken.glb", broken)
    assert issues(tmp_path / "broken.glb")["numErrors"] > 0
