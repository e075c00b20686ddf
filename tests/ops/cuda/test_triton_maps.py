"""Maps on a card, in Triton, against those on the host, in numba."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neus.ops import cuda
from neus.ops.stereo import Matching
from neus.scene import Cameras, look_at
from neus.stereo.consistency import agreements
from neus.stereo.depth_maps import DepthMap
from neus.stereo.fusion import fuse
from neus.stereo.maps import HostMaps, Relief, _on_device, relief
from neus.stereo.reconstruction import reconstruct
from neus.stereo.settings import StereoSettings
from tests.helpers.textured_scenes import cone_of_cameras, look, textured_scene
from tests.helpers.triton_cases import DEVICE, large_blocks

from neus.ops.cuda.maps import DeviceMaps  # isort: skip  (after the skip without Triton)

SETTINGS = StereoSettings()
Case = tuple[Cameras, list[Relief], list[list[int]], list[np.ndarray]]


def case(shape: str) -> Case:
    """Noisy maps with holes of views of two sizes, one of them from behind, and their colours.

    The first two views are alike: their points tie, and lie in the middles of pixels.
    """
    rng = np.random.default_rng(0)
    cameras = cone_of_cameras(5, width=40, height=30, focal=50)
    poses, K = cameras.camera_to_world.copy(), cameras.intrinsics.copy()
    poses[1] = poses[0]
    poses[4] = look_at(np.array([0.5, 0.3, -3.0]), np.zeros(3), np.array([0, 1.0, 0]))
    K[3, :2] *= 0.8
    sizes = np.array([40, 40, 40, 32, 40]), np.array([30, 30, 30, 24, 30])
    cameras = Cameras(K, poses, *sizes)
    reliefs, colours = [], []
    for view in range(5):
        truth, _ = look(cameras, view, shape)
        noise = 1 + 0.02 * rng.normal(size=truth.depth.shape) * (rng.random(truth.hit.shape) < 0.5)
        depth = (truth.depth * noise).astype(np.float32)
        if view in (0, 2):  # what lies behind the surface is hidden to others
            depth[8:20, 10:28] *= np.float32(1.2)
        likely = (truth.hit * rng.uniform(0.3, 1, truth.hit.shape)).astype(np.float32)
        found = DepthMap(depth, truth.normal.astype(np.float32), likely, truth.hit)
        reliefs.append(relief(found, cameras, view, 0.4))
        colours.append(rng.integers(0, 256, (*depth.shape, 3)).astype(np.uint8))
    # The last one sees what is not there.
    neighbours = [[1, 2, 3, 4], [0, 2], [3, 1, 0, 4], [0, 1, 2], [2, 0]]
    return cameras, reliefs, neighbours, colours


def both(given: Case) -> tuple[HostMaps, DeviceMaps]:
    cameras, reliefs, neighbours, _ = given
    operands = (reliefs, cameras, neighbours, SETTINGS.tolerance)
    return HostMaps(*operands), _on_device(DEVICE, *operands)


@pytest.fixture(scope="module", params=["plane", "ball"])
def given(request: pytest.FixtureRequest) -> Case:
    return case(request.param)


def differ(one: torch.Tensor, other: torch.Tensor) -> float:
    """Share of all that is not the same; the last bits decide where a number is at a threshold."""
    assert one.shape == other.shape
    return float((one.cpu() != other.cpu()).double().mean())


def test_views_agree_and_see_through_as_on_the_host(given: Case):
    host, card = both(given)
    rng = np.random.default_rng(1)
    for mine, theirs in zip(host.sure, card.sure, strict=True):
        mine.copy_(torch.from_numpy(rng.random(mine.shape) < 0.7))
        theirs.copy_(mine)
    seen = np.zeros(3, int)
    for view in range(len(host.sure)):
        with large_blocks():
            fast = (*card.compared(view), card.hidden(view))
        slow = (*host.compared(view), host.hidden(view))
        assert [differ(a, b) < 0.002 for a, b in zip(fast, slow, strict=True)] == [True] * 3
        seen += [int(part.sum()) for part in slow]
    assert (seen > 20).all(), "some agree, some see through and some are hidden"


def test_sums_views_and_what_is_taken_are_those_of_the_host(given: Case):
    host, card = both(given)
    rng = np.random.default_rng(2)
    weights = [torch.from_numpy(rng.random(s.shape).astype(np.float32)) for s in host.sure]
    colours = [torch.from_numpy(colour) for colour in given[3]]
    host.lay_out(weights, colours)
    card.lay_out(weights, colours)
    for view, planes in enumerate(host.planes):
        pending = (planes[..., 0] > 0) & torch.from_numpy(rng.random(planes.shape[:2]) < 0.8)
        with large_blocks():
            fast = [part.cpu() for part in card.gathered(view, pending.to(DEVICE))]
        slow = host.gathered(view, pending)
        assert fast[0].shape == slow[0].shape
        same = fast[2] == slow[2]
        assert same.double().mean() > 0.998
        torch.testing.assert_close(fast[0][same], slow[0][same], rtol=1e-4, atol=1e-4)
        listed = torch.arange(fast[1].shape[1]) < slow[2][:, None]
        short = slow[1].shape[1]
        assert differ((fast[1] * listed)[:, :short], slow[1] * listed[:, :short]) < 0.002
        assert not (fast[1] * listed)[:, short:].any()
    for fast, slow in zip(card.taken, host.taken, strict=True):
        assert differ(fast, slow) < 0.002
    assert sum(int(slow.sum()) for slow in host.taken) > 300
    nothing = torch.zeros(host.sure[0].shape, dtype=torch.bool)
    assert [len(part) for part in card.gathered(0, nothing.to(DEVICE))] == [0, 0, 0]


def test_clouds_are_the_same(given: Case):
    """From the same maps: points, their views, and how far they are trusted."""
    clouds = []
    for maps in both(given):
        with large_blocks():
            said = agreements(maps, [seen.correlation for seen in given[1]], SETTINGS)
            clouds.append(fuse(maps, said, given[3], given[0]))
    slow, fast = clouds
    assert len(slow) > 100
    assert abs(len(slow) - len(fast)) < 0.005 * len(slow)
    # A tie at a threshold may add a point or take one away, and those after it move up.
    where = {tuple(np.round(p, 4)) for p in fast.position.tolist()}
    assert np.mean([tuple(np.round(p, 4)) in where for p in slow.position.tolist()]) > 0.9
    assert abs(slow.confidence.mean() - fast.confidence.mean()) < 5e-3
    assert abs(len(slow.views) - len(fast.views)) < 0.005 * len(slow.views)


def test_a_view_without_neighbours_is_alone(given: Case):
    cameras, reliefs, _, colours = given
    alone = [[] for _ in reliefs]
    card = _on_device(DEVICE, reliefs, cameras, alone, SETTINGS.tolerance)
    assert not card.compared(0)[0].any()
    assert not card.hidden(0).any()
    card.lay_out([torch.ones(s.shape, device=DEVICE) for s in card.sure],
                 [torch.from_numpy(c) for c in colours])  # fmt: skip
    sums, views, count = card.gathered(2, card.planes[2][..., 0] > 0)
    assert (count == 1).all()
    assert (views == 2).all()
    assert (sums[:, 0] == 1).all()


def test_a_reconstruction_on_a_card_is_that_of_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """From pictures and a start that is right; without a GPU all kernels are interpreted."""
    scene, truths = textured_scene(tmp_path, "plane", views=4, width=32, height=24, focal=40)
    settings = StereoSettings(sweeps=(0,), matching=Matching(radius=1))
    starts = [(truth.depth, truth.normal) for truth in truths]
    slow = reconstruct(scene, torch.device("cpu"), settings, starts=starts)
    if DEVICE.type == "cpu":
        monkeypatch.setattr("neus.stereo.depth_maps.backend_for", lambda device: cuda)
        monkeypatch.setattr("neus.stereo.reconstruction.maps_on", _on_device)
    with large_blocks():
        fast = reconstruct(scene, DEVICE, settings, starts=starts)
    for one, other in zip(fast.maps, slow.maps, strict=True):
        assert (np.abs(one.depth - other.depth) < 1e-3).mean() > 0.98
    assert fast.coverage == pytest.approx(slow.coverage, abs=0.03)
    assert len(slow.points) > 50
    assert len(fast.points) == pytest.approx(len(slow.points), rel=0.05)
    near = np.linalg.norm(fast.points.position[:, None] - slow.points.position, axis=2).min(axis=1)
    assert np.mean(near < 1e-3) > 0.9
