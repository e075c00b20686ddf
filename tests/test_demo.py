"""The demo scan: its distance, its tracer, its photographs, its ground truth and its files."""

from __future__ import annotations

import json
import os
import runpy
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import cfunc, float64
from scipy.io import loadmat
from scipy.spatial import KDTree

from neus.cameras import from_projection
from neus.errors import InputError
from neus.metrics.dtu import load_reference
from neus.similarity import Similarity
from neus.sources.demo import _forget_stale_kernels, make_demo, primitives, scan, sculpture
from neus.sources.demo.reference import surface_mesh
from neus.sources.demo.tracer import (
    TOLERANCE,
    distance_grid,
    project,
    sample_box,
    trace,
    visible,
)
from neus.sources.demo.viewpoints import place_cameras
from neus.sources.dtu import read_dtu

VIEWS, WIDTH, HEIGHT = 5, 64, 48
SMALL = {"views": VIEWS, "width": WIDTH, "height": HEIGHT}
coordinate = st.floats(-2, 2)


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
    """A coarser mesh and fewer points, which take less time; nothing else changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "MESH_CELL", 0.016)
        patch.setattr(scan, "POINT_SPACING", 0.02)
        yield


@pytest.fixture(scope="module")
def demo(coarse: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "scan"
    make_demo(folder, **SMALL)
    return folder


@pytest.fixture(scope="module")
def matrices(demo: Path) -> dict[str, np.ndarray]:
    return dict(np.load(demo / "cameras_sphere.npz"))


def sdf(points: np.ndarray) -> np.ndarray:
    return np.array([sculpture.sdf(*point) for point in points])


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def masks(folder: Path) -> np.ndarray:
    return np.array([cv2.imread(str(path)) for path in sorted((folder / "mask").iterdir())])


def first_hit(
    distance: Callable, grid: np.ndarray, origin: np.ndarray, direction: np.ndarray
) -> tuple[float, float, float]:
    """:func:`trace` from a camera, with a cone of a hundredth."""
    (ox, oy, oz), (dx, dy, dz) = origin, direction
    return trace(distance, grid, ox, oy, oz, dx, dy, dz, 0.0, 0.01)


# The distance


def test_the_distance_changes_no_faster_than_the_point_moves(distance: Callable) -> None:
    cell = 2.2 / 199
    values = sample_box(distance, -1.1, cell, 200, np.inf)
    for axis in range(3):
        assert np.abs(np.diff(values, axis=axis)).max() <= cell + 1e-6
    rng = np.random.default_rng(0)
    start, end = rng.uniform(-1.1, 1.1, (2, 10_000, 3))
    change = np.abs(sdf(end) - sdf(start))
    assert (change <= np.linalg.norm(end - start, axis=1) + 1e-12).all()


def test_the_distance_bounds_the_way_to_the_surface_and_is_tight_near_it(
    surface: trimesh.Trimesh,
) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, (5_000, 3))
    nearest = KDTree(surface.vertices).query(points)[0]
    assert (np.abs(sdf(points)) <= nearest + 1e-9).all()
    chosen = rng.choice(len(surface.vertices), 5_000)
    vertices, normals = surface.vertices[chosen], surface.vertex_normals[chosen]
    assert np.median(sdf(vertices + 0.002 * normals)) > 0.0018
    assert np.median(sdf(vertices - 0.002 * normals)) < -0.0018


@settings(deadline=None)  # the first example compiles
@given(coordinate, coordinate, st.integers(1, primitives.WEDGES))
def test_the_dihedral_fold_is_the_largest_of_all_turned_copies(
    x: float, y: float, order: int
) -> None:
    u, v = primitives.dihedral_fold(x, y, order)
    angles = np.arange(2**order) * (2 * np.pi / 2**order)
    assert u == pytest.approx((x * np.cos(angles) + y * np.sin(angles)).max(), abs=1e-12)
    assert np.hypot(u, v) == pytest.approx(np.hypot(x, y), abs=1e-12)
    assert v >= -1e-12


def icosahedron() -> np.ndarray:
    """The 12 vertices with two-fold axes along x, y and z, of length 1."""
    golden = (1 + np.sqrt(5)) / 2
    corners = [
        np.roll((0, a, b * golden), turn) for a, b, turn in product((-1, 1), (-1, 1), range(3))
    ]
    return np.array(corners) / np.hypot(1, golden)


@settings(deadline=None)  # the first example compiles
@given(coordinate, coordinate, coordinate)
def test_the_icosahedral_fold_meets_the_nearest_of_twelve_vertices(
    x: float, y: float, z: float
) -> None:
    u, v, w = primitives.icosahedral_fold(x, y, z)
    along = u * primitives.VERTEX_X + w * primitives.VERTEX_Z
    mirrored = icosahedron() @ (x, y, z), icosahedron()[:, [1, 0, 2]] @ (x, y, z)
    assert along == pytest.approx(min((m.max() for m in mirrored), key=lambda m: abs(m - along)))
    assert np.linalg.norm((u, v, w)) == pytest.approx(np.linalg.norm((x, y, z)), abs=1e-12)


# The tracer


@pytest.fixture(scope="module")
def ball() -> Callable:
    """A sphere of radius 0.5 about (0.1, -0.2, 0.05)."""
    return cfunc(float64(float64, float64, float64))(
        lambda x, y, z: ((x - 0.1) ** 2 + (y + 0.2) ** 2 + (z - 0.05) ** 2) ** 0.5 - 0.5
    )


BALL_CENTRE = np.array([0.1, -0.2, 0.05])


def test_rays_meet_a_sphere_where_the_quadratic_says(ball: Callable) -> None:
    rng = np.random.default_rng(2)
    grid = distance_grid(ball, 40)
    origin = np.array([2.0, 1.5, -1.0])
    for target in rng.uniform(-0.7, 0.7, (300, 3)):
        direction = (target - origin) / np.linalg.norm(target - origin)
        half = direction @ (origin - BALL_CENTRE)
        root = half**2 - (origin - BALL_CENTRE) @ (origin - BALL_CENTRE) + 0.25
        if abs(root) < 1e-3:
            continue  # so oblique that the tolerance decides
        t, nearest, clear = first_hit(ball, grid, origin, direction)
        if root < 0:
            assert t == np.inf
            foot = origin - half * direction
            miss = (np.linalg.norm(foot - BALL_CENTRE) - 0.5) / -half
            assert 0 < nearest < miss * 1.1 + 1e-3
        else:
            assert t == pytest.approx(-half - np.sqrt(root), abs=TOLERANCE / np.sqrt(root))
            assert clear < t


def test_points_of_a_sphere_are_projected_and_seen_from_their_side_alone(ball: Callable) -> None:
    rng = np.random.default_rng(3)
    grid = distance_grid(ball, 40)
    outwards = rng.normal(size=(500, 3))
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    points, normals = project(ball, BALL_CENTRE + rng.uniform(0.45, 0.55, (500, 1)) * outwards)
    np.testing.assert_allclose(points, BALL_CENTRE + 0.5 * outwards, atol=1e-7)
    np.testing.assert_allclose(normals, outwards, atol=1e-5)
    centres = np.array([[2.0, 0, 0], [0, 0, 3.0]])
    views = centres - points[:, None]
    cosines = (views * normals[:, None]).sum(axis=2) / np.linalg.norm(views, axis=2)
    seen = visible(ball, grid, points, normals, centres, 0.1)
    np.testing.assert_array_equal(seen, (cosines >= 0.1).any(axis=1))


def plain_march(origin: np.ndarray, direction: np.ndarray) -> float:
    """Textbook sphere tracing, without grid and relaxation."""
    t = 0.0
    while t < 6:
        step = sculpture.sdf(*(origin + t * direction))
        if step < TOLERANCE:
            return t
        t += step
    return np.inf


def test_rays_meet_the_sculpture_on_its_surface_as_by_plain_marching(
    distance: Callable, grid: np.ndarray
) -> None:
    rng = np.random.default_rng(4)
    origins = rng.normal(size=(400, 3))
    origins *= 3 / np.linalg.norm(origins, axis=1, keepdims=True)
    directions = rng.uniform(-0.6, 0.6, (400, 3)) - origins
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    hits = 0
    for origin, direction in zip(origins, directions, strict=True):
        t = first_hit(distance, grid, origin, direction)[0]
        assert t == pytest.approx(plain_march(origin, direction), abs=1e-3)
        if t < np.inf:
            hits += 1
            assert abs(sculpture.sdf(*(origin + t * direction))) <= TOLERANCE
    assert hits > 100


# The photographs


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
        intrinsics, pose = from_projection(matrices[f"world_mat_{index}"][:3])
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


# The ground truth


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


# The files


def test_compiled_code_older_than_any_module_is_dropped(tmp_path: Path) -> None:
    module, index = tmp_path / "module.py", tmp_path / "__pycache__" / "kernel.nbi"
    index.parent.mkdir()
    module.touch()
    index.touch()
    os.utime(module, (1000, 1000))
    _forget_stale_kernels(tmp_path)
    assert index.exists()
    os.utime(index, (999, 999))
    _forget_stale_kernels(tmp_path)
    assert not index.exists()


def test_the_reader_of_the_layout_finds_centred_cameras_and_the_unit_sphere(demo: Path) -> None:
    capture = read_dtu(demo, masks=True)
    cameras = capture.scene.cameras
    assert len(cameras) == VIEWS
    np.testing.assert_allclose(cameras.intrinsics[:, :2, 2], [[WIDTH / 2, HEIGHT / 2]] * VIEWS)
    assert capture.sphere is not None
    axes = capture.sphere.inverse().apply(cameras.centres)
    assert (np.abs(np.linalg.norm(axes, axis=1) - 3.1) < 0.2).all()


def test_a_seed_says_all(demo: Path, coarse: None, tmp_path: Path) -> None:
    make_demo(tmp_path / "again", **SMALL)
    make_demo(tmp_path / "other", **SMALL, seed=1)
    first, again, other = (files(f) for f in (demo, tmp_path / "again", tmp_path / "other"))
    dated = {name for name in first if name.endswith(".mat")}  # MATLAB files say when
    assert first.keys() == again.keys() == other.keys()
    assert {name for name in first if first[name] != again[name]} <= dated
    same = {name for name in first if first[name] == other[name]}
    assert same == {"reference/mesh.ply"}


def test_a_demo_is_replaced_and_nothing_else_is(demo: Path, coarse: None, tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    (folder / "image").mkdir(parents=True)  # as a workflow may prepare it
    make_demo(folder, **SMALL)
    (folder / "image" / "stray.png").touch()
    make_demo(folder, **SMALL)
    assert files(folder).keys() == files(demo).keys()
    assert [path.name for path in tmp_path.iterdir()] == ["scan"]
    real = tmp_path / "real"
    (real / "image").mkdir(parents=True)
    (real / "image" / "000000.png").touch()
    with pytest.raises(InputError, match="real exists and is not a demo scan"):
        make_demo(real, **SMALL)
    assert files(real) == {"image/000000.png": b""}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"views": 3}, "views is 3: a demo scan needs 4 or more"),
        ({"width": 8}, "width is 8: a demo scan needs 16 or more pixels"),
        ({"height": 15}, "height is 15: a demo scan needs 16 or more pixels"),
        ({"seed": -1}, "seed is -1: use 0 or a positive number"),
    ],
)
def test_arguments_out_of_range_are_refused_before_anything_is_written(
    arguments: dict[str, int], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=sentence):
        make_demo(tmp_path / "scan", **arguments)
    assert not list(tmp_path.iterdir())


def test_the_program_writes_where_it_is_told(coarse: None, tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "scripts" / "make_demo.py"
    options = ["--views", "4", "--width", "32", "--height", "24", "--seed", "2"]
    main = runpy.run_path(str(script))["main"]
    assert main([*options, "--output", str(tmp_path / "scan")]) == 0
    record = json.loads((tmp_path / "scan/scan.json").read_text())
    assert record["unit"] == "mm"
    assert [record[key] for key in ("views", "width", "height", "seed")] == [4, 32, 24, 2]
