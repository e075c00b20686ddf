"""Texels from photos: the training's alone, by angle and distance, without what stands out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from neus.images.files import write_image
from neus.mesh import Mesh
from neus.mesh.baking import BEST, baked
from neus.mesh.baking_kernels import OFF, blend
from neus.mesh.texels import Texels, texels_of
from neus.mesh.unwrapping import Unwrapped, unwrapped
from neus.scene import Frame, Scene
from tests.helpers.painted_sphere import RADIUS, SIDE, painted, painted_scene, sphere


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return painted_scene(tmp_path_factory.mktemp("sphere"))


@pytest.fixture(scope="module")
def layout() -> Unwrapped:
    ball = sphere()
    return unwrapped(ball.vertices, ball.faces, 100, 60)


@pytest.fixture(scope="module")
def texels(layout: Unwrapped) -> Texels:
    return texels_of(sphere(), layout)


@pytest.fixture(scope="module")
def of_all(scene: Scene, texels: Texels) -> tuple[np.ndarray, float]:
    return baked(scene, sphere(), texels, scene.train, workers=2)


def test_texels_lie_on_the_surface_with_its_normals(texels: Texels) -> None:
    radii = np.linalg.norm(texels.points, axis=1)
    assert 0.99 * RADIUS < radii.min() <= radii.max() < 1.001 * RADIUS
    assert ((texels.points / radii[:, None] * texels.normals).sum(axis=1) > 0.999).all()
    assert (texels.colours == 7).all()
    # The area of a texel is what was asked for: charts have one scale.
    assert len(texels.points) == pytest.approx(4 * np.pi * (100 * RADIUS) ** 2, rel=0.1)


def test_photos_colour_the_texture_and_held_out_ones_do_not(
    scene: Scene, texels: Texels, of_all: tuple[np.ndarray, float]
) -> None:
    found, seen = of_all
    assert seen > 0.97
    off = np.abs(found.astype(int) - painted(texels.points)).max(axis=1)
    assert np.median(off) < 6
    assert np.quantile(off, 0.97) < 20
    with pytest.raises(ValueError, match="held out"):
        baked(scene, sphere(), texels, range(len(scene.frames)))


def test_both_sides_of_a_seam_look_alike(
    layout: Unwrapped, texels: Texels, of_all: tuple[np.ndarray, float]
) -> None:
    picture = texels.picture(of_all[0])
    at = (layout.uv * layout.size - 0.5).astype(np.float32)
    shown = cv2.remap(picture, at[:, None], None, cv2.INTER_LINEAR)[:, 0].astype(int)  # pyright: ignore
    order = np.argsort(layout.origins, kind="stable")
    pairs = order[:-1], order[1:]
    is_seam = layout.origins[pairs[0]] == layout.origins[pairs[1]]
    apart = np.abs(shown[pairs[0]] - shown[pairs[1]]).max(axis=1)[is_seam]
    assert len(apart) > 100
    assert np.quantile(apart, 0.95) < 12


def test_what_differs_from_most_views_is_left_out(
    scene: Scene, texels: Texels, of_all: tuple[np.ndarray, float], tmp_path: Path
) -> None:
    """A highlight in one photo, as bright as it gets, leaves the texture as it was."""
    frames = list(scene.frames)
    write_image(tmp_path / "shiny.png", np.full((SIDE, SIDE, 3), 255, np.uint8))
    frames[4] = Frame("shiny", tmp_path / "shiny.png", frames[4].mask)
    after, _ = baked(replace(scene, frames=tuple(frames)), sphere(), texels, scene.train)
    assert (np.abs(after.astype(int) - of_all[0]).max(axis=1) > 25).mean() < 0.01


def test_what_stands_in_front_of_a_texel_lends_it_no_colour(scene: Scene, texels: Texels) -> None:
    """A shield of the mesh before the sphere: views that look through it say nothing."""
    view = scene.train[0]
    found, seen = baked(scene, sphere(), texels, [view])
    ball, shield = sphere(), sphere(0.9, 2)
    vertices = np.concatenate([ball.vertices, shield.vertices + scene.cameras.centres[view] / 3])
    both = Mesh(vertices, np.concatenate([ball.faces, shield.faces + len(ball.vertices)]))
    hidden, still_seen = baked(scene, both, texels, [view])
    assert seen > 0.2
    assert still_seen == 0
    assert (hidden == 7).all()
    assert (found != 7).any()


def test_views_count_by_angle_and_distance(scene: Scene, texels: Texels, tmp_path: Path) -> None:
    """Two photos of one colour each: the mean is weighted by (cosine focal / distance) squared."""
    frames = list(scene.frames)
    for index, level in ((0, 100), (3, 200)):
        write_image(tmp_path / f"{index}.png", np.full((SIDE, SIDE, 3), level, np.uint8))
        frames[index] = Frame(str(index), tmp_path / f"{index}.png", None)
    flat = replace(scene, frames=tuple(frames))
    middle = replace(texels, colours=np.full(texels.colours.shape, 150, np.uint8))
    found, _ = baked(flat, sphere(), middle, [0, 3])
    weights = []
    for index in (0, 3):
        towards = scene.cameras.centres[index] - texels.points
        distance = np.linalg.norm(towards, axis=1)
        cosine = (towards * texels.normals).sum(axis=1) / distance
        weights.append(np.where(cosine > 0.7, (cosine / distance) ** 2, 0))  # far from every edge
    inner = (weights[0] > 0) & (weights[1] > 0)
    wanted = (100 * weights[0] + 200 * weights[1])[inner] / (weights[0] + weights[1])[inner]
    assert inner.sum() > 1000
    np.testing.assert_allclose(found[inner, 0], wanted, atol=1)


def test_blending_is_that_of_a_loop_in_numpy() -> None:
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.1, 1, (200, BEST)).astype(np.float32)
    weights[rng.uniform(size=weights.shape) < 0.4] = 0
    seen = rng.integers(0, 60, (200, BEST, 3)).astype(np.uint8)
    seen[rng.uniform(size=weights.shape) < 0.15] += 150
    found, rest = np.full((200, 3), 9, np.uint8), 0.2
    blend(0, 200, weights, seen, rest, found)
    for weight, colours, result in zip(weights, seen.astype(float), found, strict=True):
        known = weight > 0
        if not known.any():
            assert (result == 9).all()
            continue
        colours, weight = colours[known], weight[known].astype(float)
        off = np.abs(colours - np.quantile(colours, 0.5, axis=0, method="lower")).max(axis=1)
        limit = max(OFF, 3 * np.quantile(off, 0.5, method="lower")) if known.sum() > 2 else 255
        kept = off <= limit
        wanted = (weight[kept, None] * colours[kept]).sum(axis=0) + rest * 9
        wanted /= weight[kept].sum() + rest
        np.testing.assert_allclose(result, wanted, atol=0.51)
