"""Time and memory of DTU's protocol: 2 million faces against 3 million points, as one JSON line.

Each case runs ``scripts/evaluate_mesh.py`` on files, reading and compiling included: a surface of
the size of DTU's objects, the same 15 mm off, where a k-d tree is slow, and one of seven times the
area, which gives thirteen million points to thin.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.io import savemat

from neus.mesh import Mesh
from neus.mesh.export import write_mesh

FACES, POINTS = 2_000_000, 3_000_000
CASES = {
    "object": {"side": 300.0, "offset": 0.0},
    "object, 15 mm off": {"side": 300.0, "offset": 15.0},
    "large surface": {"side": 800.0, "offset": 0.0},
    "large surface, 15 mm off": {"side": 800.0, "offset": 15.0},
}
"""Side of the surface and its distance from the reference, in mm."""
LIMITS = {"seconds": 60.0, "gib": 3.0}
NOISE = 0.05
PROGRAM = Path(__file__).parents[1] / "scripts" / "evaluate_mesh.py"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.cases:
            write_case(Path(folder), **CASES[name])
            found[name] = measured(Path(folder), options.threads)
    within = all(case[key] <= limit for case in found.values() for key, limit in LIMITS.items())
    machine = {"processor": platform.processor() or platform.machine(), "threads": options.threads}
    result = {"benchmark": "dtu_protocol", "faces": FACES, "points": POINTS, **machine}
    print(json.dumps(result | {"cases": found, "limits": LIMITS, "within": within}))
    return 0


def write_case(folder: Path, side: float, offset: float) -> None:
    """A wavy surface as a mesh, and its points in the official layout, both with noise."""
    rng = np.random.default_rng(0)
    steps = round((FACES / 2) ** 0.5)
    axis = np.linspace(0, side, steps + 1)
    x, y = (values.ravel() for values in np.meshgrid(axis, axis, indexing="ij"))
    vertices = with_height(np.column_stack([x, y]), rng)
    vertices[:, 2] += offset
    corner = (np.arange(steps)[:, None] * (steps + 1) + np.arange(steps)).ravel()
    across, along = corner + steps + 1, corner + 1
    faces = np.concatenate(
        [np.column_stack([corner, across, along]), np.column_stack([along, across, across + 1])]
    )
    write_mesh(folder / "mesh.ply", Mesh(vertices, faces))
    points = with_height(rng.random((POINTS, 2)) * side, rng)
    no_faces = np.zeros((0, 3), np.int32)
    (folder / "ObsMask").mkdir(exist_ok=True)
    write_mesh(folder / "Points" / "stl" / "stl001_total.ply", Mesh(points, no_faces))
    bounds = np.array([[0.0, 0, -40], [side, side, 40]])
    mask = np.ones(np.round((bounds[1] - bounds[0]) / 4).astype(int) + 1, np.uint8)
    savemat(folder / "ObsMask" / "ObsMask1_10.mat", {"ObsMask": mask, "BB": bounds, "Res": 4.0})
    savemat(folder / "ObsMask" / "Plane1.mat", {"P": np.array([[0.0], [0], [1], [100]])})


def with_height(plan: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    waves = 8 * np.sin(plan[:, 0] / 15) * np.cos(plan[:, 1] / 19)
    return np.column_stack([plan, waves + NOISE * rng.standard_normal(len(plan))])


def measured(folder: Path, threads: int) -> dict[str, float]:
    """Wall time and peak memory of the program on a case."""
    words = ["--mesh", folder / "mesh.ply", "--reference-root", folder, "--scan", 1]
    words += ["--culling", "none", "--threads", threads, "--output", folder / "mesh.json"]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, PROGRAM, *map(str, words)])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(process.returncode)
    seconds = time.perf_counter() - start
    chamfer = json.loads((folder / "mesh.json").read_text())["chamfer"]
    gib = usage.ru_maxrss * resource_unit() / 2**30
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "gib": round(gib, 2),
        "chamfer_mm": round(chamfer, 4),
    }


def resource_unit() -> int:
    """Bytes in which ``ru_maxrss`` counts: bytes on macOS, kibibytes elsewhere."""
    return 1 if sys.platform == "darwin" else 1024


if __name__ == "__main__":
    raise SystemExit(main())
