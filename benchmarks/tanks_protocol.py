"""Time and memory of Tanks and Temples' protocol: two clouds of 2 million points, as one JSON line.

A wavy sheet of 30 m as a laser and a reconstruction would have it, both with 2 mm of noise, cropped
by an outline of twelve corners and measured at the threshold of Ignatius, 3 mm.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time

import numpy as np

from neus.metrics.geometry import Surface
from neus.metrics.tanks import tanks_distances, tanks_figures
from neus.metrics.tanks_reference import CropVolume, TanksReference

SIDE, NOISE, TAU, CORNERS = 30.0, 0.002, 0.003, 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=2_000_000, help="of each cloud")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    laser, ours = (sheet(options.points, seed) for seed in (0, 1))
    reference = TanksReference(laser, outline(), np.zeros((0, 3)), TAU)
    began = time.perf_counter()
    distances = tanks_distances(Surface(ours), reference, workers=options.threads)
    figures = tanks_figures(distances, reference)
    result = {
        "benchmark": "tanks_protocol",
        "points": options.points,
        "processor": platform.processor() or platform.machine(),
        "threads": options.threads,
        "seconds": round(time.perf_counter() - began, 1),
        "gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "fscore": round(figures.fscore, 4),
    }
    print(json.dumps(result))
    return 0


def sheet(count: int, seed: int) -> np.ndarray:
    """Points ``[count, 3]`` in metres, noisy along the height."""
    rng = np.random.default_rng(seed)
    plan = rng.random((count, 2)) * SIDE
    height = np.sin(plan).sum(axis=1) + NOISE * rng.standard_normal(count)
    return np.column_stack([plan, height])


def outline() -> CropVolume:
    """A dodecagon within the sheet, from below to above it."""
    angle = 2 * np.pi * np.arange(CORNERS) / CORNERS
    corners = SIDE / 2 * (1 + 0.95 * np.column_stack([np.cos(angle), np.sin(angle)]))
    return CropVolume(corners, (0, 1, 2), -3.0, 3.0)


if __name__ == "__main__":
    raise SystemExit(main())
