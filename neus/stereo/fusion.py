"""One cloud from the depth maps of all views: points that several views have become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.scene import Cameras
from neus.stereo.consistency import Agreement
from neus.stereo.maps import HostMaps
from neus.stereo.points import StereoPoints
from neus.stereo.side_by_side import host_threads
from neus.stereo.support import support_of_points

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

    from neus.ops.cuda.maps import DeviceMaps

LEAST_WEIGHT = 0.05
"""Confidence that a depth counts with which agrees with a kept one and is not kept itself."""
SUPPORTED = 0.2
"""Of a point by the cloud around it, from which its confidence stays as it is: thin struts have
little more, and what scatters on gloss and bare walls has less."""


def fuse(
    maps: HostMaps | DeviceMaps,
    agreements: list[Agreement],
    colours: list[UInt8[np.ndarray, "h w 3"]],
    cameras: Cameras,
) -> StereoPoints:
    """Merge what the views agree on.

    View by view, each kept pixel that no earlier point has taken becomes a point: the mean of its
    own position and those that agree with it, weighted by confidence over footprint. Points outside
    the unit sphere are left out, and what the cloud around does not bear out loses confidence.

    Args:
        maps: of all views; the pixels that points have taken stay noted in them.
        agreements, colours: of each view, at the size of ``cameras``.
        cameras: of the views, in the scene frame.
    """
    device, parts = maps.device, []
    trusts = [torch.from_numpy(said.confidence).to(device) for said in agreements]
    weights = [
        trust.clamp(min=LEAST_WEIGHT) * planes[..., 0] * focal
        for trust, planes, focal in zip(trusts, maps.planes, maps.focals, strict=True)
    ]
    maps.lay_out(weights, [torch.from_numpy(colour).to(device) for colour in colours])
    tables = (cameras.centres, cameras.optical_axes, np.array(maps.focals))
    lenses = tuple(torch.from_numpy(table).to(device) for table in tables)
    for view, trust in enumerate(trusts):
        pending = (trust > 0) & ~maps.taken[view]
        sums, views, count = maps.gathered(view, pending)
        parts.append(_merged(sums, views, count, trust[pending], *lenses))
    joined = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
    position, normal, colour, trust, footprint, count, views = joined
    support = support_of_points(position, normal, footprint, host_threads(device))
    borne_out = np.minimum(support / SUPPORTED, 1)
    return StereoPoints(
        position,
        normal,
        colour,
        (trust * borne_out).astype(np.float32),
        footprint.astype(np.float32),
        np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        views,
    )


def _merged(
    sums: Float[Tensor, "p 10"],
    views: Int[Tensor, "p k"],
    count: Int[Tensor, "p"],
    trust: Float[Tensor, "p"],
    centres: Float[Tensor, "n 3"],
    axes: Float[Tensor, "n 3"],
    focals: Float[Tensor, "n"],
) -> tuple[Tensor, ...]:
    """The points of a view within the unit sphere, as their sums say.

    Returns position, normal, colour, trust, footprint (float64), number of views, and these.
    """
    inside = _squared(sums[:, 1:4] / sums[:, :1]) < 1
    sums, views, count, trust = (part[inside] for part in (sums, views, count, trust))
    position = sums[:, 1:4] / sums[:, :1]
    # In float64, since torch's vectorised root of float32 may be off in the last bit.
    length = _squared(sums[:, 4:7]).double().sqrt().float().clamp(min=1e-12)
    normal = sums[:, 4:7] / length[:, None]
    colour = (sums[:, 7:10] / sums[:, :1]).clamp(0, 255).round().to(torch.uint8)
    footprint = torch.zeros(len(sums), dtype=torch.float64, device=sums.device)
    for k, view in enumerate(views.T):
        apart = [(position[:, i] - centres[view, i]) * axes[view, i] for i in range(3)]
        pixel = (apart[0] + apart[1] + apart[2]) / focals[view]
        footprint += torch.where(k < count, pixel, 0)
    listed = torch.arange(views.shape[1], device=views.device) < count[:, None]
    return position, normal, colour, trust, footprint / count, count, views[listed]


def _squared(vectors: Float[Tensor, "p 3"]) -> Float[Tensor, "p"]:
    x, y, z = vectors.unbind(1)
    return x * x + y * y + z * z
