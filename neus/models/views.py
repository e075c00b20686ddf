"""Whole images of a trained model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.models.kinds import Model
from neus.models.outside import LEAST_LIGHT, OutsideField, Surroundings
from neus.models.rendering import SurfaceRendering
from neus.models.schedule import Stage
from neus.ops.types import Samples
from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

_RAYS, _SECTION = 1 << 14, 16
"""Rays that are marched at once, and samples of each that are evaluated at once."""
_DARK = 1e-4
"""Transmittance below which nothing behind changes a picture of 8 bits."""


@dataclass(frozen=True)
class View:
    """One rendered image.

    Attributes:
        rgb: ``[h, w, 3]`` in [0, 1] over the background.
        inside: ``[h, w, 3]`` premultiplied colour of what lies in the unit sphere alone.
        opacity: ``[h, w]`` in [0, 1], of what lies in the unit sphere.
        depth: ``[h, w]`` along the optical axis, in scene units; 0 where nothing is seen.
        normals: ``[h, w, 3]`` in the scene frame, summed with the samples' weights; zeros of a
            density, which has none.
    """

    rgb: Float[np.ndarray, "h w 3"]
    inside: Float[np.ndarray, "h w 3"]
    opacity: Float[np.ndarray, "h w"]
    depth: Float[np.ndarray, "h w"]
    normals: Float[np.ndarray, "h w 3"]


@torch.no_grad()
def render_view(
    model: Model,
    occupancy: UInt8[Tensor, "g g g"],
    stage: Stage,
    backend: ModuleType,
    cameras: Cameras,
    index: int,
    background: float,
) -> View:
    """Render what camera ``index`` sees over a grey ``background`` (1 is white).

    A learned background is put before it.
    """
    origins, directions = _rays(cameras, index, occupancy.device)
    parts = [
        _render_rays(model, occupancy, stage, backend, *chunk)
        for chunk in zip(origins.split(_RAYS), directions.split(_RAYS), strict=True)
    ]
    rgb, inside, normals, distance, transmittance, left = (
        torch.cat(part) for part in zip(*parts, strict=True)
    )
    optical_axis = torch.from_numpy(cameras.optical_axes[index]).to(directions)
    opacity = 1 - transmittance
    mean_distance = distance / opacity.clamp(min=1e-6)
    depth = torch.where(opacity > 0.5, mean_distance * (directions @ optical_axis), 0.0)
    shape = (int(cameras.heights[index]), int(cameras.widths[index]))
    return View(
        (rgb + left[:, None] * background).clamp(0, 1).view(*shape, 3).cpu().numpy(),
        inside.view(*shape, 3).cpu().numpy(),
        opacity.view(shape).cpu().numpy(),
        depth.view(shape).cpu().numpy(),
        normals.view(*shape, 3).cpu().numpy(),
    )


@torch.no_grad()
def render_surroundings(
    outside: OutsideField,
    stage: Stage,
    backend: ModuleType,
    cameras: Cameras,
    index: int,
    device: torch.device,
) -> Float[np.ndarray, "h w 3"]:
    """What camera ``index`` would see of a learned background if the sphere were empty."""
    origins, directions = _rays(cameras, index, device)
    parts = [
        _behind(outside, *chunk, torch.ones_like(chunk[0][:, 0]), stage, backend).rgb
        for chunk in zip(origins.split(_RAYS), directions.split(_RAYS), strict=True)
    ]
    shape = (int(cameras.heights[index]), int(cameras.widths[index]), 3)
    return torch.cat(parts).clamp(0, 1).view(shape).cpu().numpy()


def _rays(cameras: Cameras, index: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Origins and directions of all pixels of a camera, row by row."""
    rays = cameras.rays(index, cameras.pixel_grid(index))
    origins, directions = (torch.from_numpy(ray.astype(np.float32)).to(device) for ray in rays)
    return origins, directions


def geometry_pictures(
    view: View, cameras: Cameras, index: int, palette: str = "turbo"
) -> list[np.ndarray]:
    """Normals and depth of a view as pictures; depths are coloured over the unit sphere."""
    from neus.images import depth_to_colour, normals_to_colour

    distance = float(np.linalg.norm(cameras.centres[index]))
    near, far = max(distance - 1, 0.0), distance + 1
    return [
        normals_to_colour(view.normals, view.opacity, cameras.camera_to_world[index]),
        depth_to_colour(view.depth, view.opacity * (view.depth > 0), near, far, palette),
    ]


def _render_rays(model, occupancy, stage, backend, origins, directions):
    """Premultiplied colours, normal and distance sums, and transmittance, of a chunk of rays.

    The first colour is of all that is seen, the second of what lies in the sphere. What light is
    left in the end, behind a learned background, is not the transmittance.
    """
    jitter = torch.full_like(origins[:, 0], 0.5)
    origins = origins + stage.near * directions
    samples = backend.march_rays(origins, directions, occupancy, stage.step_length, jitter, None)
    sums, light = origins.new_zeros(len(origins), 7), torch.ones_like(jitter)
    for rays, section in _front_to_back(samples, light):
        seen = _composite(model, section, origins[rays], directions[rays], stage, backend)
        sums[rays] += light[rays, None] * seen[:, :-1]
        light[rays] *= seen[:, -1]
    inside, normals, distance = sums[:, :3], sums[:, 3:6], sums[:, 6]
    rgb, left = inside, light
    if model.outside is not None:
        behind = _behind(model.outside, origins, directions, left, stage, backend)
        rgb = rgb + left[:, None] * behind.rgb
        left = left * behind.transmittance
    return rgb, inside, normals, distance, light, left


def _front_to_back(samples: Samples, light: Tensor) -> Iterator[tuple[Tensor, Samples]]:
    """Rays that have samples and ``light`` left, which who takes them dims, and their next samples.

    What lies behind an opaque surface is never evaluated.
    """
    first, end = samples.offsets[:-1], samples.offsets[1:]
    while len(rays := ((first < end) & (light > _DARK)).nonzero()[:, 0]):
        counts = (end - first)[rays].clamp(max=_SECTION)
        offsets = torch.nn.functional.pad(counts.cumsum(0), (1, 0))
        each = torch.arange(len(rays), device=light.device).repeat_interleave(counts)
        places = torch.arange(len(each), device=light.device) + (first[rays] - offsets[:-1])[each]
        yield rays, Samples(each, samples.t[places], offsets, torch.ones_like(rays).bool())
        first = first + _SECTION


def _composite(model, samples, origins, directions, stage, backend):
    """``[r, 8]``: colour, normal and distance, summed with the weights, and transmittance."""
    ray = samples.ray_index
    points = torch.addcmul(origins[ray], samples.t[:, None], directions[ray])
    rendering = model.render(points, samples, directions, stage, backend)
    normals = torch.zeros_like(points)
    if isinstance(rendering, SurfaceRendering):
        normals = rendering.gradient / rendering.gradient_norms[:, None]
    geometry = torch.cat([normals, stage.near + samples.t[:, None]], dim=1)
    sums = geometry.new_zeros(len(origins), 4)
    sums.index_add_(0, ray, rendering.weights[:, None] * geometry)
    return torch.cat([rendering.rgb, sums, rendering.transmittance[:, None]], dim=1)


def _behind(outside, origins, directions, light, stage, backend) -> Surroundings:
    """What lies outside the sphere along rays that have some light left."""
    # Without the jitter of training, a floor thinner than a section would show specks.
    finer = replace(stage, outside_ratio=stage.outside_ratio / 2)
    jitter = torch.full_like(light, 0.5)
    return outside.render(origins, directions, light > LEAST_LIGHT, jitter, finer, backend, None)
