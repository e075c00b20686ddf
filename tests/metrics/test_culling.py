"""Culling by the papers' rules: which vertices and faces each of them keeps."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from neus.errors import InputError
from neus.metrics.culling import CULLINGS, cull, dilated
from neus.metrics.geometry import Surface
from neus.scene.cameras import Cameras
from tests.helpers.places import ROOT

WIDTH, HEIGHT = 160, 120
FOCAL, DEPTH = 100.0, 10.0
"""A pixel is 0.1 at this depth; the papers' 50, 12 and 24 pixels are 5, 1.2 and 2.4 here."""


def cameras(*shifts: float) -> Cameras:
    """Cameras that look along z from the plane z = 0, moved along x."""
    count = len(shifts)
    poses = np.tile(np.eye(3, 4), (count, 1, 1))
    poses[:, 0, 3] = shifts
    matrix = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    sizes = np.full(count, WIDTH), np.full(count, HEIGHT)
    return Cameras(np.tile(matrix, (count, 1, 1)), poses, *sizes)


def half_mask() -> np.ndarray:
    """Object where x < 0: columns 0 to 79."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH // 2] = 255
    return mask


def triangle(start: float, end: float) -> Surface:
    """Along x, with two corners at its start and one at its end."""
    vertices = [[start, -0.3, DEPTH], [start, 0.3, DEPTH], [end, 0, DEPTH]]
    return Surface(np.array(vertices), np.array([[0, 1, 2]]))


def zigzag(start: float, end: float, count: int) -> Surface:
    """So many triangles side by side along x, in one component."""
    x = np.linspace(start, end, count + 2)
    y = np.where(np.arange(count + 2) % 2, 0.1, -0.1)
    corners = np.arange(count)[:, None] + [0, 1, 2]
    return Surface(np.column_stack([x, y, np.full(count + 2, DEPTH)]), corners)


def joined(first: Surface, second: Surface) -> Surface:
    assert first.faces is not None
    assert second.faces is not None
    faces = np.concatenate([first.faces, second.faces + len(first.vertices)])
    return Surface(np.concatenate([first.vertices, second.vertices]), faces)


def reach(surface: Surface) -> float:
    return float(surface.vertices[:, 0].max())


@pytest.mark.parametrize(
    ("name", "beyond"), [("neus", 0.5), ("neuralwarp", 0.12), ("2dgs", 0.24), ("none", np.inf)]
)
def test_points_are_kept_as_far_beyond_the_mask_as_the_dilation(name: str, beyond: float) -> None:
    x = np.linspace(-1, 2, 301)
    cloud = Surface(np.column_stack([x, np.zeros(301), np.full(301, DEPTH)]))
    kept = cull(cloud, name, cameras(0, 0), [half_mask()] * 2)
    if name == "none":
        assert kept is cloud
    else:
        assert beyond - 0.11 < reach(kept) <= beyond + 0.01  # to a pixel
        assert kept.vertices[:, 0].min() == -1


def test_a_face_stays_with_all_or_with_any_of_its_corners() -> None:
    one = triangle(-0.5, 1.5)  # two corners in the mask, one far off it
    views, masks = cameras(0, 0), [half_mask()] * 2
    assert len(cull(one, "neuralwarp", views, masks).vertices) == 3
    for name in ("neus", "2dgs"):
        with pytest.raises(InputError, match=f"culling {name} leaves nothing"):
            cull(one, name, views, masks)


def test_outside_of_an_image_counts_as_inside_but_two_views_must_see_a_vertex() -> None:
    """The second camera is far to the left and does not see the strip at all."""
    surface = triangle(-1.0, -0.5)
    views, masks = cameras(0, -100), [half_mask()] * 2
    for name in ("neus", "2dgs"):
        assert len(cull(surface, name, views, masks).vertices) == 3
    with pytest.raises(InputError, match="culling neuralwarp leaves nothing"):
        cull(surface, "neuralwarp", views, masks)
    behind = Surface(surface.vertices * [1, 1, -1], surface.faces)
    assert len(cull(behind, "neus", views, masks).vertices) == 3


def test_the_largest_component_is_that_of_most_faces_or_of_most_area() -> None:
    many, large = zigzag(-3, -2, count=4), triangle(-7, -4)
    both = joined(many, large)
    views, masks = cameras(0, 0), [half_mask()] * 2
    by_faces = cull(both, "neus", views, masks)
    by_area = cull(both, "neuralwarp", views, masks)
    assert by_faces.faces is not None
    assert (len(by_faces.faces), reach(by_faces)) == (4, reach(many))
    assert by_area.faces is not None
    assert (len(by_area.faces), reach(by_area)) == (1, reach(large))


def test_2dgs_drops_smaller_components_before_it_looks_at_masks() -> None:
    """Most faces lie off the mask: nothing is left, where NeuS's rule keeps the rest."""
    both = joined(zigzag(3, 5, count=2), triangle(-2, -1))
    views, masks = cameras(0, 0), [half_mask()] * 2
    assert reach(cull(both, "neus", views, masks)) == -1
    with pytest.raises(InputError, match="culling 2dgs leaves nothing"):
        cull(both, "2dgs", views, masks)


@pytest.mark.parametrize(("name", "radius"), [("neus", 50), ("neuralwarp", 12), ("2dgs", 24)])
def test_dilations_are_the_papers_at_full_size_and_shrink_with_the_image(
    name: str, radius: int
) -> None:
    rule = CULLINGS[name]
    assert rule is not None
    mask = np.zeros((201, 1600), np.uint8)
    mask[100, 800] = 255
    grown = dilated(mask, rule)
    rows, columns = np.nonzero(grown)
    assert (rows.min(), rows.max()) == (100 - radius, 100 + radius)
    assert (columns.min(), columns.max()) == (800 - radius, 800 + radius)
    if rule.kernel == "disk":
        y, x = np.mgrid[-100:101, -800:800]
        np.testing.assert_array_equal(grown, x * x + y * y <= radius * radius)
    half = dilated(mask[::2, ::2], rule)
    assert np.nonzero(half)[1].max() == 400 + radius // 2
    assert not dilated(np.zeros((20, 30), np.uint8), rule).any()


def test_the_schema_knows_the_same_names() -> None:
    path = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    reference = yaml.safe_load(path.read_text())["$defs"]["reference"]["properties"]
    assert reference["culling"]["items"]["enum"] == list(CULLINGS)
