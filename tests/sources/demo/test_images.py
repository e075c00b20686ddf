"""The demo's cameras, masks, photographs and true surface, against each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from scipy.io import loadmat

from neus.metrics.dtu_reference import load_reference
from neus.scene.cameras import from_projections
from neus.scene.similarity import Similarity
from neus.sources.demo import make_demo, scan, sculpture
from neus.sources.demo.reference import surface_mesh
from neus.sources.demo.tracer import distance_grid
from neus.sources.demo.viewpoints import place_cameras
from tests.helpers.demo_scan import HEIGHT, SMALL, VIEWS, WIDTH, coarse_reference, first_hit, sdf


@pytest.fixture(scope="module")
def distance() -> Callable:
    return sculpture.compiled()[0]


@pytest.fixture(scope="module")
def grid(distance: Callable) -> np.ndarray:
    return distance_grid(distance, 96)


@pytest.fixture(scope="module")
def surface(distance: Callable) -> trimesh.Trimesh:
    """The reference mesh at its full resolution, in the sculpture's frame."""
    return trimesh.Trimesh(*surface_mesh(distance, scan.MESH_CELL), process=False)


@pytest.fixture(scope="module")
def coarse() -> Iterator[None]:
    with coarse_reference():
        yield


@pytest.fixture(scope="module")
def demo(coarse: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "scan"
    make_demo(folder, **SMALL)
    return folder


@pytest.fixture(scope="module")
def matrices(demo: Path) -> dict[str, np.ndarray]:
    return dict(np.load(demo / "cameras_sphere.npz"))


def masks(folder: Path) -> np.ndarray:
    return np.array([cv2.imread(str(path)) for path in sorted((folder / "mask").iterdir())])


def test_cameras_go_all_around_and_never_cut_the_sculpture_off(surface: trimesh.Trimesh) -> None:
    cameras = place_cameras(48, 400, 300, surface.convex_hull.vertices, np.random.default_rng(5))
    outwards = -cameras.optical_axes
    neighbour = (outwards @ outwards.T - 2 * np.eye(48)).max(axis=1)
    assert np.degrees(np.arccos(neighbour)).max() < 22
    assert (outwards[:, 2] > 0).all()
    pixels = np.array([cameras.project(i, surface.vertices[::7])[0] for i in range(48)])
    assert pixels.min() > 0
    assert (pixels.max(axis=(0, 1)) < (400, 300)).all()
    assert np.ptp(pixels, axis=1).max(axis=0)[1] > 0.9 * 300


def test_the_matrices_of_the_file_count_pixel_centres_from_zero() -> None:
    corners = np.random.default_rng(6).uniform(-0.9, 0.9, (50, 3))
    cameras = place_cameras(7, WIDTH, HEIGHT, corners, np.random.default_rng(7))
    to_world = scan.sculpture_to_world()
    matrices = scan._neus_matrices(cameras, to_world)
    pixels = np.array([[0.5, 0.5], [WIDTH - 0.5, HEIGHT - 0.5]])
    for index in range(7):
        origins, directions = cameras.rays(index, pixels)
        on_ray = to_world.apply(origins + 2.7 * directions)
        projected = np.c_[on_ray, np.ones(2)] @ matrices[f"world_mat_{index}"].T
        in_file = projected[:, :2] / projected[:, 2:3]
        np.testing.assert_allclose(in_file, [[0, 0], [WIDTH - 1, HEIGHT - 1]], atol=1e-9)


def test_masks_agree_with_rays_through_integer_pixel_centres_and_no_others(
    demo: Path, matrices: dict[str, np.ndarray], distance: Callable, grid: np.ndarray
) -> None:
    to_sculpture = scan.sculpture_to_world().inverse()
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    errors = dict.fromkeys([(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)], 0)
    for index, mask in enumerate(masks(demo)[:2]):
        (intrinsics,), (pose,) = from_projections(matrices[f"world_mat_{index}"][None, :3])
        origin = to_sculpture.apply(pose[None, :, 3])[0]
        for du, dv in errors:
            pixels = np.stack([columns + du, rows + dv, np.ones_like(rows)], axis=-1).reshape(-1, 3)
            rays = pixels @ np.linalg.inv(intrinsics).T @ pose[:, :3].T
            rays = to_sculpture.apply_to_directions(rays)
            rays /= np.linalg.norm(rays, axis=1, keepdims=True)
            hit = [first_hit(distance, grid, origin, ray)[0] < np.inf for ray in rays]
            errors[du, dv] += int((np.reshape(hit, rows.shape) != (mask[:, :, 0] > 127)).sum())
    best = errors.pop((0.0, 0.0))
    assert best < 0.01 * 2 * WIDTH * HEIGHT
    assert best < 0.5 * min(errors.values())


def test_surface_points_lie_inside_the_masks(demo: Path, matrices: dict[str, np.ndarray]) -> None:
    points = trimesh.load(demo / "reference/mesh.ply", process=False).vertices  # pyright: ignore
    for index, mask in enumerate(masks(demo)):
        projected = np.c_[points, np.ones(len(points))] @ matrices[f"world_mat_{index}"].T
        u, v = np.around(projected[:, :2] / projected[:, 2:3]).astype(int).T
        around = cv2.dilate(mask[:, :, 0], np.ones((3, 3), np.uint8))
        assert (mask[v, u, 0] > 0).mean() > 0.99
        assert (around[v, u] > 0).all()


def test_photographs_are_black_outside_and_bright_and_coloured_inside(demo: Path) -> None:
    assert masks(demo).shape == (VIEWS, HEIGHT, WIDTH, 3)
    for index, mask in enumerate(masks(demo)):
        image = cv2.imread(str(demo / f"image/{index:06d}.png"))
        assert image is not None
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert (image[mask == 0] == 0).all()
        inside = image[mask[:, :, 0] == 255].astype(float)
        assert 70 < inside.mean() < 180
        assert inside.std(axis=0).min() > 25
        assert np.ptp(inside, axis=1).mean() > 25
        assert (mask[[0, -1]] == 0).all()
        assert (mask[:, [0, -1]] == 0).all()
        assert set(np.unique(mask)) > {0, 255}


def test_the_reference_mesh_is_one_closed_surface_on_the_zero_level(
    surface: trimesh.Trimesh,
) -> None:
    assert 200_000 < len(surface.vertices) < 400_000
    assert surface.is_watertight
    assert surface.is_winding_consistent
    assert surface.body_count == 1
    assert surface.volume > 0
    assert np.abs(sdf(surface.vertices[::5])).max() * scan.sculpture_to_world().scale < 1e-3


def test_the_reference_mesh_is_the_sculpture_in_the_world(
    demo: Path, matrices: dict[str, np.ndarray]
) -> None:
    mesh = trimesh.load(demo / "reference/mesh.ply", process=False)
    assert isinstance(mesh, trimesh.Trimesh)
    assert mesh.is_watertight
    in_sculpture = scan.sculpture_to_world().inverse().apply(mesh.vertices)
    assert np.abs(sdf(in_sculpture)).max() * scan.sculpture_to_world().scale < 1e-3
    in_sphere = Similarity.from_matrix(matrices["scale_mat_0"]).inverse().apply(mesh.vertices)
    assert 0.6 < np.linalg.norm(in_sphere, axis=1).max() < 0.95
    diameter = json.loads((demo / "scan.json").read_text())["diameter_mm"]
    one_end = mesh.vertices[np.linalg.norm(mesh.vertices - mesh.centroid, axis=1).argmax()]
    from_there = np.linalg.norm(mesh.vertices - one_end, axis=1).max()
    assert from_there - 1e-3 <= diameter <= 1.1 * from_there


def test_the_dtu_reference_covers_what_the_cameras_see(
    demo: Path, matrices: dict[str, np.ndarray]
) -> None:
    mask = loadmat(demo / "reference/dtu/ObsMask/ObsMask1_10.mat")
    plane = loadmat(demo / "reference/dtu/ObsMask/Plane1.mat")["P"]
    assert mask["ObsMask"].ndim == 3
    assert mask["BB"].shape == (2, 3)
    assert plane.shape == (4, 1)
    reference = load_reference(demo / "reference/dtu", 1)
    voxels = np.around((reference.points - reference.bounds[0]) / reference.resolution).astype(int)
    above = np.c_[reference.points, np.ones(len(reference.points))] @ reference.plane > 0
    assert above.mean() > 0.95
    assert reference.observed[tuple(voxels[above].T)].mean() > 0.99
    foot = scan.sculpture_to_world().apply(np.array([[0.2, 0.1, sculpture.FOOT_Z]]))[0]
    assert np.append(foot, 1) @ reference.plane == pytest.approx(-1.5)
    assert not reference.observed[
        tuple(np.around((foot - reference.bounds[0]) / reference.resolution).astype(int))
    ]
    in_sculpture = scan.sculpture_to_world().inverse().apply(reference.points)
    assert np.abs(sdf(in_sculpture)).max() < 1e-5
    assert (in_sculpture[:, 2] > sculpture.FOOT_Z + 1e-4).all()  # nothing of the underside
