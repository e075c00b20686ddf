"""Alpha, occupancy and whole views, against closed forms on a sphere."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
import torch

from neus.config import MethodConfig, load_method
from neus.models import views
from neus.models.neus import NeuS
from neus.models.schedule import stage_at
from neus.models.trained import ready
from neus.ops.alpha import section_alpha
from neus.ops.types import EMPTY, INSIDE, SURFACE
from neus.rendering.occupancy import OccupancyGrid
from neus.scene.cameras import Cameras, look_at


def test_alpha_of_a_planar_surface_telescopes_to_the_logistic_cdf():
    """Sections that tile a ray straight into a plane leave Phi(last end) / Phi(first end)."""
    step, inv_s = 0.01, torch.tensor(50.0)
    sdf = 0.3 - step * (torch.arange(60) + 0.5)
    alpha = section_alpha(sdf, torch.full_like(sdf, -1.0), step, inv_s, 1.0)
    left = float((1 - alpha).prod())
    expected = torch.sigmoid(-0.3 * inv_s) / torch.sigmoid(0.3 * inv_s)
    assert left == pytest.approx(float(expected), abs=2e-3)


def test_alpha_is_zero_in_empty_space_and_where_the_ray_leaves():
    sdf = torch.tensor([0.5, 0.9, 0.02, 0.0])
    leaving = section_alpha(sdf, torch.ones(4), 0.01, torch.tensor(300.0), 1.0)
    assert (leaving == 0).all()
    entering = section_alpha(sdf[:2], -torch.ones(2), 0.01, torch.tensor(300.0), 1.0)
    assert float(entering.max()) < 1e-6
    thousand = 1 - (1 - float(entering.max())) ** 1024
    assert thousand < 1e-3  # no fog from many empty samples


def test_alpha_passes_gradcheck():
    sdf = torch.linspace(-0.05, 0.05, 7, dtype=torch.float64).requires_grad_()
    cosine = torch.linspace(-0.9, 0.5, 7, dtype=torch.float64).requires_grad_()
    inv_s = torch.tensor(40.0, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda *a: section_alpha(a[0], a[1], 0.02, a[2], 0.4), (sdf, cosine, inv_s)
    )


def plane(normal: tuple[float, float, float], offset: float):
    direction = torch.nn.functional.normalize(torch.tensor([normal]), dim=1)[0]
    return lambda x: x @ direction - offset


@pytest.mark.parametrize("normal", [(1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.2, -0.7, 0.4)])
def test_no_cell_that_the_surface_crosses_is_skipped(normal):
    """Points of the plane inside the sphere all lie in cells that are sampled."""
    distance = plane(normal, 0.11)
    grid = OccupancyGrid(32, 3.0, torch.device("cpu"))
    grid.update(distance, inv_s=1e6)
    points = torch.rand(200_000, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    points = points[(points.norm(dim=1) < 1) & (distance(points).abs() < 1e-3)]
    cells = ((points * 0.5 + 0.5) * 32).long().clamp(0, 31)
    assert len(points) > 100
    assert (grid.state[cells.unbind(1)] == SURFACE).all()
    assert grid.surface_fraction < 0.15


def test_occupancy_states_and_partial_updates():
    grid = OccupancyGrid(16, 3.0, torch.device("cpu"))
    assert grid.surface_fraction == 1
    assert grid.state[0, 0, 0] == EMPTY  # a corner of the cube, outside the sphere
    for part in range(8):
        grid.update(lambda x: x.norm(dim=1) - 0.5, 1e6, (part, 8))
    whole = OccupancyGrid(16, 3.0, torch.device("cpu"))
    whole.update(lambda x: x.norm(dim=1) - 0.5, 1e6)
    assert torch.equal(grid.state, whole.state)
    assert whole.state[8, 8, 8] == INSIDE
    assert whole.state[1, 8, 8] == EMPTY


def sphere_model(radius: float) -> tuple[NeuS, MethodConfig]:
    """An exact sphere: the distance network is set to follow |x| closely and to be sharp."""
    method = load_method(None, {"model": {"sdf": {"initial_radius": radius, "width": 256}}})
    model = NeuS(method.model, torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.variance.fill_(math.log(2000) / 10)
        model.sdf.table.zero_()
    return model, method


def test_view_of_a_sphere_has_its_outline_depth_and_normals():
    model, method = sphere_model(0.5)
    steps = method.training.steps
    trained = ready(model, method, steps, torch.device("cpu"))
    assert trained.stage == stage_at(method.model, steps, steps)
    pose = look_at(np.array([0.0, 0.5, -2.0]), np.zeros(3), np.array([0.0, 1.0, 0.0]))
    intrinsics = np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]])
    cameras = Cameras(intrinsics[None], pose[None], np.array([64]), np.array([48]))
    view = trained.view(cameras, 0)
    assert view.rgb.shape == (48, 64, 3)
    origins, directions = cameras.rays(0, cameras.pixel_grid(0))
    middle = -(origins * directions).sum(axis=1)
    closest = np.linalg.norm(origins + middle[:, None] * directions, axis=1)
    opaque = (view.opacity > 0.5).ravel()
    assert opaque[closest < 0.45].all()
    assert not opaque[closest > 0.55].any()
    np.testing.assert_allclose(view.rgb.reshape(-1, 3)[closest > 0.6], 1.0)  # the background

    hit = closest < 0.4
    distance = middle[hit] - np.sqrt(0.25 - closest[hit] ** 2)
    points = origins[hit] + distance[:, None] * directions[hit]
    depth = distance * (directions[hit] @ pose[:, 2])
    assert np.abs(view.depth.ravel()[hit] - depth).mean() < 0.03
    normals = view.normals.reshape(-1, 3)[hit]
    assert (np.linalg.norm(normals, axis=1) > 0.9).all()
    cosine = (normals * points).sum(axis=1) / (0.5 * np.linalg.norm(normals, axis=1))
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 15


def test_a_view_is_what_all_samples_give_without_those_behind_the_surface(
    monkeypatch: pytest.MonkeyPatch,
):
    model, method = sphere_model(0.5)
    coarse = {"marching": {"occupancy_resolution": 12}}  # rays end a tenth behind the surface
    method = load_method(None, {"model": {"sdf": asdict(method.model.sdf), **coarse}})
    trained = ready(model, method, method.training.steps, torch.device("cpu"))
    pose = look_at(np.array([0.0, 0.5, -2.0]), np.zeros(3), np.array([0.0, 1.0, 0.0]))
    intrinsics = np.array([[30.0, 0, 16], [0, 30, 12], [0, 0, 1]])
    cameras = Cameras(intrinsics[None], pose[None], np.array([32]), np.array([24]))
    counts: list[int] = []
    render = model.render
    monkeypatch.setattr(model, "render", lambda *a: [counts.append(len(a[0])), render(*a)][1])
    view = trained.view(cameras, 0)
    in_sections = sum(counts)
    monkeypatch.setattr(views, "_SECTION", 1 << 20)
    monkeypatch.setattr(views, "_DARK", -1.0)
    counts.clear()
    whole = trained.view(cameras, 0)
    assert len(counts) == 1
    assert in_sections < 0.8 * counts[0]
    for name in ("rgb", "inside", "opacity", "normals"):
        np.testing.assert_allclose(getattr(view, name), getattr(whole, name), atol=2e-4)
    solid = whole.opacity > 0.9
    np.testing.assert_allclose(view.depth[solid], whole.depth[solid], atol=1e-3)


def test_cavities_are_found_and_open_space_is_not():
    """A hollow ball: the shell between radii 0.4 and 0.7 is solid, the hollow is hidden."""
    grid = OccupancyGrid(32, 3.0, torch.device("cpu"))
    grid.update(lambda x: (x.norm(dim=1) - 0.55).abs() - 0.15, 1e6)
    grid.find_cavities()
    for hidden in (grid.hidden_cells, torch.tensor(float(grid.hidden_cells))):
        points = grid.points_in_cavities(500, hidden, torch.Generator().manual_seed(0))
        assert len(points) == 500
        assert float(points.norm(dim=1).max()) < 0.4 + 2 * grid.half_diagonal
        radius = points.norm(dim=1).sort().values
        assert float(radius[0]) < 0.15  # all of the hollow, its middle too

    def pierced(x: torch.Tensor) -> torch.Tensor:
        shell = (x.norm(dim=1) - 0.55).abs() - 0.15
        return torch.maximum(shell, 0.2 - x[:, 1:].norm(dim=1))

    grid.update(pierced, 1e6)
    grid.find_cavities()
    assert grid.hidden_cells == len(grid.cavities) == 0


def test_a_tunnel_that_no_light_enters_leads_to_a_cavity():
    """A hollow ball with a hole as wide as two cells, all of them beside the surface."""

    def pierced(x: torch.Tensor) -> torch.Tensor:
        shell = (x.norm(dim=1) - 0.55).abs() - 0.15
        return torch.maximum(shell, 0.05 - x[:, 1:].norm(dim=1))

    grid = OccupancyGrid(32, 3.0, torch.device("cpu"))
    grid.update(pierced, 1e6)
    grid.find_cavities()
    assert grid.hidden_cells == 0
    generator = torch.Generator().manual_seed(0)
    points = 2 * torch.rand(200_000, 3, generator=generator) - 1
    for enters in (False, True):
        grid.forget_what_was_seen()
        in_hollow = points.norm(dim=1) < 0.7
        in_hole = (points[:, 1:].abs().amax(dim=1) < 0.0625) & (points[:, 0] > 0)
        grid.see(points, ~in_hollow | (in_hole & enters))
        grid.find_cavities()
        hidden = grid.points_in_cavities(500, grid.hidden_cells, generator)
        radius = hidden.norm(dim=1)
        assert (float(radius.min()) < 0.15) == (not enters)  # the middle of the hollow
        assert float(radius.max()) < 0.7 + 2 * grid.half_diagonal


def test_occupancy_state_goes_through_a_checkpoint():
    grid, other = (OccupancyGrid(16, 3.0, torch.device("cpu")) for _ in range(2))
    grid.update(lambda x: (x.norm(dim=1) - 0.55).abs() - 0.15, 1e6)
    grid.find_cavities()
    other.load_state_dict(grid.state_dict())
    for name, tensor in grid.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])
