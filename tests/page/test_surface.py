"""A surface of blocks: every triangle once, texels where they belong, looks from the full mesh."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neus.mesh import Mesh
from neus.mesh.handover import handed_over
from neus.metrics.error_clouds import error_colours, shares_of_colours
from neus.page import surface
from neus.page.packing import points_of, unpacked
from neus.page.surface import COUNTED, NOT_COUNTED, Errors, error_bytes, surface_of_page
from neus.page.textures import texture_points
from neus.page.tiles import SIDE, atlas, paired, texel_points
from tests.helpers.painted_sphere import TO_SOURCE, painted, painted_scene, sphere
from tests.helpers.shapes import mesh_of, torus
from tests.helpers.shown_results import ball


def as_set(faces: np.ndarray) -> set[tuple[int, ...]]:
    """Triangles whichever corner comes first, but not which way round."""
    return {tuple(np.roll(face, -face.argmin()).tolist()) for face in faces}


@pytest.mark.parametrize("mesh", [ball(24), mesh_of(torus, 20)], ids=["ball", "torus"])
def test_pairs_hold_every_triangle_once_and_the_right_way_round(mesh: Mesh) -> None:
    quads = paired(mesh.faces, mesh.vertices)
    assert len(quads.triangles) == len(mesh.faces)
    assert as_set(quads.triangles) == as_set(mesh.faces)
    assert quads.pairs > 0.42 * len(mesh.faces)  # of a half at most


def test_triangles_without_partners_stay() -> None:
    vertices = np.eye(4, 3)
    apart = paired(np.array([[0, 1, 2]]), vertices)
    assert (apart.pairs, len(apart.triangles)) == (0, 1)
    turned = paired(np.array([[0, 1, 2], [0, 1, 3]]), vertices)  # both run along 0-1: one is wrong
    assert turned.pairs == 0
    assert as_set(turned.triangles) == {(0, 1, 2), (0, 1, 3)}


def test_texels_lie_on_the_triangles_and_neighbours_agree_on_their_edge() -> None:
    mesh = ball(16)
    quads = paired(mesh.faces, mesh.vertices)
    texels = texel_points(quads, mesh.vertices)
    a, b, c, d = (mesh.vertices[quads.corners[:, i]] for i in range(4))
    np.testing.assert_allclose(texels[:, 0, 0], a)
    np.testing.assert_allclose(texels[:, 0, -1], b)
    np.testing.assert_allclose(texels[:, -1, 0], c)
    np.testing.assert_allclose(texels[: quads.pairs, -1, -1], d[: quads.pairs])
    diagonal = texels[:, np.arange(SIDE), np.arange(SIDE)[::-1]]  # both triangles' common edge
    share = np.linspace(0, 1, SIDE)[None, :, None]
    np.testing.assert_allclose(diagonal, (1 - share) * b[:, None] + share * c[:, None], atol=1e-12)
    edge = texels[:, 0]  # the same points as the neighbour's, in one order or the other
    ends = a[:, None] + np.linspace(0, 1, SIDE)[None, :, None] * (b - a)[:, None]
    np.testing.assert_allclose(edge, ends, atol=1e-12)


def test_blocks_stand_row_by_row() -> None:
    blocks = np.arange(5)[:, None, None] * np.ones((1, SIDE, SIDE), int)
    picture = atlas(blocks, 2)
    assert picture.shape == (3 * SIDE, 2 * SIDE)
    np.testing.assert_array_equal(picture[::SIDE, ::SIDE], [[0, 1], [2, 3], [4, 0]])


def decoded(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))))


def test_few_triangles_look_like_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surface, "MOST_FACES", 1200)
    full = ball(64)
    rng = np.random.default_rng(0)
    errors = Errors(full.vertices, np.where(full.vertices[:, 2] > 0, 0.5, np.nan))
    content = surface_of_page(full, errors)
    corners, points = unpacked(content["corners"]), points_of(content["points"])
    assert 1000 <= len(corners) + content["pairs"] <= 1200
    assert content["faces"] == len(full.faces) > 10_000
    columns = content["columns"]
    colour, normal, error = (decoded(content[name]) for name in ("colour", "normal", "error"))
    for q in rng.choice(content["pairs"], 60, replace=False):
        row, column = SIDE * (q // columns), SIDE * (q % columns)
        for corner, (dy, dx) in enumerate(
            ((0, 0), (0, SIDE - 1), (SIDE - 1, 0), (SIDE - 1, SIDE - 1))
        ):
            at, place = (row + dy, column + dx), points[corners[q, corner]]
            outwards = place / np.linalg.norm(place)
            wanted = 255 * (outwards + 1) / 2
            assert np.abs(colour[at] - wanted).max() < 30
            assert np.abs(normal[at] - wanted).max() < 30
            if abs(place[2]) > 0.15:
                assert abs(int(error[at]) - (COUNTED // 2 if place[2] > 0 else NOT_COUNTED)) < 12


def test_the_texture_of_photos_is_shown_where_there_is_one(tmp_path: Path) -> None:
    """A grey mesh in the colours that photos show, at the places of the scene."""
    scene, grey = painted_scene(tmp_path), sphere()
    assert grey.normals is not None
    normals = TO_SOURCE.apply_to_directions(grey.normals)
    of_source = Mesh(TO_SOURCE.apply(grey.vertices), grey.faces, normals, grey.colours)
    handed = handed_over(of_source, scene, faces=2000, side=256, seconds=60)
    points = texture_points(handed, scene)
    assert points is not None
    assert np.abs(np.linalg.norm(points.vertices, axis=1) - 0.6).max() < 0.01
    content = surface_of_page(grey, None, photographed=points)
    assert content["textured"]
    colour, corners = decoded(content["colour"]), unpacked(content["corners"])
    where, columns = points_of(content["points"]), content["columns"]
    first = corners[:, 0]
    quads = np.arange(len(corners))
    shown = colour[SIDE * (quads // columns), SIDE * (quads % columns)].astype(int)
    off = np.abs(shown - painted(where[first])).max(axis=1)
    assert np.median(off) < 15
    bare = replace(handed, uv=None, picture=None)
    assert texture_points(bare, scene) is None


def test_a_small_mesh_is_shown_as_it_is() -> None:
    mesh = ball(16)
    content = surface_of_page(mesh, None)
    assert "error" not in content
    assert len(unpacked(content["corners"])) + content["pairs"] == len(mesh.faces)
    np.testing.assert_allclose(
        np.sort(points_of(content["points"]), axis=0), np.sort(mesh.vertices, axis=0), atol=1e-4
    )


def test_the_other_side_of_a_sheet_is_not_what_is_seen() -> None:
    """Two layers, red above and blue below, nearer to each other than their vertices."""
    x, y = np.meshgrid(np.linspace(0, 1, 6), np.linspace(0, 1, 6))
    flat = np.stack([x.ravel(), y.ravel(), np.zeros(36)], axis=1)
    vertices = np.concatenate([flat, flat - [0.02, 0.02, 0.001]])
    normals = np.repeat([[0.0, 0, 1], [0, 0, -1]], 36, axis=0)
    colours = np.repeat(np.array([[255, 0, 0], [0, 0, 255]], np.uint8), 36, axis=0)
    sheet = Mesh(vertices, np.array([[0, 1, 6]]), normals, colours)
    points = np.random.default_rng(0).uniform(0.1, 0.9, (200, 3)) * [1, 1, 0]
    colour, normal = surface.looks(sheet, points, np.tile([0.0, 0, 1], (200, 1)), 1)
    seen = colour[:, 0] > 0  # a red vertex is among the nearest
    assert seen.mean() > 0.9
    assert (colour[seen, 0] > 200).all()
    assert (normal[seen, 2] > 0.9).all()


def test_errors_beyond_the_cloud_are_not_counted() -> None:
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0), [0.0]), axis=-1).reshape(-1, 3)
    errors = Errors(grid, np.where(grid[:, 0] < 10, 0.25, 2.0))
    points = np.array([[3.0, 3, 0.2], [15, 3, 0.2], [3, 3, 9], [60, 3, 0]])
    found = error_bytes(errors, points, 1)
    assert found.tolist() == [COUNTED // 4, COUNTED, NOT_COUNTED, NOT_COUNTED]


def test_colours_of_clouds_say_how_far_points_are() -> None:
    shares = np.concatenate([np.random.default_rng(0).uniform(0, 1.5, 500), [np.nan, np.inf]])
    found = shares_of_colours(error_colours(shares, 1.0))
    np.testing.assert_allclose(found[:500], np.clip(shares[:500], 0, 1), atol=1 / 200)
    assert np.isnan(found[500:]).all()
    assert np.isnan(shares_of_colours(np.array([[1, 2, 3]], np.uint8))).all()
