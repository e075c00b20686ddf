"""Where pictures, scenes and runs lie, and the stages before training, each made once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.generate import make_scan
from benchmarks.quality.requests import Request
from benchmarks.quality.scans import HOLDOUT, Scan
from benchmarks.quality.surface_figures import measure_mesh
from neus.config import load_method
from neus.files import written_whole
from neus.metrics.geometry import load_surface

Say = Callable[[str], None]
PYTHON = (sys.executable,)
"""Words that a program's file follows."""


class Workshop:
    """Where everything lies, and how programs are run.

    Attributes:
        cache: folder of pictures, scenes and runs.
        checkout: whose programs are run; this one's, or an older one's to compare with.
        threads: of every program.
        curve: meshes on the way of a training, besides the last.
    """

    def __init__(self, cache: Path, checkout: Path, threads: int, curve: int, say: Say) -> None:
        self.cache, self.checkout, self.threads, self.curve = cache, checkout, threads, curve
        self.say = say

    def scan(self, scan: Scan, seed: int) -> Path:
        """The scan's pictures and ground truth, rendered if they are missing."""
        folder = self.cache / "scans" / f"{scan.name}-{scan.key(seed)}"
        if not (folder / "scan.json").is_file():
            self.say(f"rendering {scan.name}")
            make_scan(scan, folder, seed, self.say)
        return folder

    def record(self, scan: Scan, seed: int) -> dict[str, Any]:
        return json.loads((self.scan(scan, seed) / "scan.json").read_text())

    def floor(self, scan: Scan, seed: int) -> dict[str, Any]:
        """Figures of the exact surface by the same protocol: no mesh can do better."""
        file = self.cache / "floors" / f"{scan.name}-{scan.key(seed)}.json"
        if not file.is_file():
            folder = self.scan(scan, seed)
            exact = load_surface(folder / "reference" / "mesh.ply")
            diameter = self.record(scan, seed)["diameter_mm"]
            write_json(file, measure_mesh(exact, folder, diameter, threads=self.threads))
        return json.loads(file.read_text())

    def scene(self, request: Request) -> Path:
        """The canonical scene, its seconds beside it in ``scene.json``."""
        scan, pictures = request.scan, self.scan(request.scan, request.scan_seed)
        home = self.cache / "scenes" / f"{pictures.name}-{request.code}"
        if (home / "scene.json").is_file():
            return home / "scene"
        started = time.perf_counter()
        words = ["--holdout", HOLDOUT, "--threads", self.threads, "--output", home / "scene"]
        words += ["--masks", "all" if scan.masks else "none"]
        if scan.poses:
            poses = ["--images", pictures / "photos" / "images", "--output", home / "poses"]
            poses += ["--work", home / "work", "--threads", self.threads]
            self.run("estimate_poses", poses, home / "poses.log")
            source = [
                "--source",
                "photos",
                "--path",
                pictures / "photos",
                "--model",
                home / "poses",
            ]
        else:
            source = ["--source", "dtu", "--path", pictures]
        self.run("normalize_scene", [*source, *words], home / "scene.log")
        write_json(home / "scene.json", {"seconds": time.perf_counter() - started})
        return home / "scene"

    def stereo(self, request: Request, scene: Path) -> tuple[Path | None, float]:
        """The stage between scene and training, where the method rests on it, and its seconds."""
        method = load_method(request.method_file, request.lever.overrides)
        if not method.training.losses.uses_stereo:
            return None, 0.0
        return self.clouds(scene)

    def clouds(self, scene: Path) -> tuple[Path, float]:
        """What stereo finds in a scene, beside it, and its seconds."""
        home = scene.parent
        file = home / "stereo.json"
        if not file.is_file():
            started = time.perf_counter()
            words = ["--scene", scene, "--threads", self.threads, "--output", home / "stereo"]
            self.run("dense_stereo", words, home / "stereo.log")
            write_json(file, {"seconds": time.perf_counter() - started})
        return home / "stereo", json.loads(file.read_text())["seconds"]

    def run(self, program: str, words: Sequence[Any], log: Path) -> None:
        """One of the project's programs; what it says goes to ``log``."""
        log.parent.mkdir(parents=True, exist_ok=True)
        script = self.checkout / "scripts" / f"{program}.py"
        command = [*PYTHON, str(script), *map(str, words)]
        environment = {"OMP_WAIT_POLICY": "passive"} | os.environ
        environment["PYTHONPATH"] = str(self.checkout)
        with log.open("w") as stream:
            status = subprocess.run(command, env=environment, stderr=stream, stdout=stream)
        if status.returncode:
            tail = "\n".join(log.read_text().splitlines()[-5:])
            raise SystemExit(f"{program} failed with status {status.returncode}: {log}\n{tail}")


def write_json(file: Path, content: dict[str, Any]) -> None:
    with written_whole(file) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")
