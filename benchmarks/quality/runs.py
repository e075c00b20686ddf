"""From a request to its figures: the project's own programs, one after the other, each kept.

Whatever is finished is not done again: the scan's pictures, its scene, the training, which goes on
from its last checkpoint, meshes and figures.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality.checkpoints import keeping_checkpoints
from benchmarks.quality.requests import Request
from benchmarks.quality.scans import Scan
from benchmarks.quality.surface_figures import measure_mesh
from benchmarks.quality.view_figures import measure_views
from benchmarks.quality.workshop import Workshop, write_json
from neus.metrics.evaluation import align_by_cameras
from neus.metrics.geometry import Surface, load_surface
from neus.scene import load_scene
from neus.sources import read_dtu

RESOLUTION, CURVE_RESOLUTION = 384, 256
"""Cells along a side of the final mesh, and of those on the way."""
CHECKPOINT_SECONDS = 5.0
TRIAL_STEPS = 300
"""Of the short training that tells how many steps fit into a budget of seconds."""


def finished(workshop: Workshop, request: Request) -> dict[str, Any] | None:
    """The figures of a run that was made before."""
    file = home_of(workshop, request) / "run.json"
    return json.loads(file.read_text()) if file.is_file() else None


def home_of(workshop: Workshop, request: Request) -> Path:
    names = (request.scan.name, request.method_name, request.lever.name, f"seed{request.seed}")
    return workshop.cache / "runs" / ("-".join(names) + f"-{request.key()}")


def perform(workshop: Workshop, request: Request) -> dict[str, Any]:
    """Train, extract, render and measure; or what came of it before."""
    found = finished(workshop, request)
    if found is not None:
        return found
    scene = workshop.scene(request)
    stereo, stereo_seconds = workshop.stereo(request, scene)
    pictures = workshop.scan(request.scan, request.scan_seed)
    home = home_of(workshop, request)
    run = Run(workshop, request, home, pictures, scene, stereo, stereo_seconds)
    steps = run.steps()
    workshop.say(f"{home.name}: {steps} steps")
    kept = run.train(steps)
    surface = run.surface(home / "model.pt", RESOLUTION, "mesh")
    record = {
        "scan": request.scan.name,
        "method": request.method_name,
        "lever": request.lever.name,
        "seed": request.seed,
        "steps": steps,
        "code": request.code,
        "commit": commit(workshop.checkout),
        "device": run.trained()["device"],
        "seconds": run.seconds(),
        "seconds_of_stereo": stereo_seconds,
        "surface": surface,
        "views": run.views(),
        "curve": [*map(run.point_of_curve, kept), [run.seconds(), surface["overall"]]],
    }
    write_json(home / "run.json", record)
    return record


@dataclass(frozen=True)
class Run:
    """One request at work.

    Attributes:
        home: folder of all that it makes.
        pictures, scene, stereo: what it is made from; ``stereo`` is None for methods without.
    """

    workshop: Workshop
    request: Request
    home: Path
    pictures: Path
    scene: Path
    stereo: Path | None
    stereo_seconds: float

    def steps(self) -> int:
        """Those of the budget, or as many as fit into its seconds after stereo.

        A short training tells the rate. Its schedules are those of the whole one, pressed
        together, so that all stages have their part.
        """
        budget = self.request.budget
        if budget.steps is not None:
            return budget.steps
        assert budget.seconds is not None
        trial = self.home / "trial"
        if not (trial / "train.json").is_file():
            self.workshop.run("train", self._words(TRIAL_STEPS, trial), trial / "train.log")
        found = json.loads((trial / "train.json").read_text())
        seconds = budget.seconds - self.stereo_seconds
        return max(1, int(seconds * found["steps"] / found["train_seconds"]))

    def train(self, steps: int) -> list[Path]:
        """Train, and keep the first checkpoint past each part of the budget; returns those."""
        parts = self.workshop.curve
        wanted = [steps * (part + 1) // (parts + 1) for part in range(parts)]
        kept = self.home / "kept"
        if not (self.home / "model.pt").is_file():
            with keeping_checkpoints(self.home / "run" / "checkpoints", kept, wanted):
                self.workshop.run("train", self._words(steps, self.home), self.home / "train.log")
        return sorted(kept.glob("step-*.pt"))

    def _words(self, steps: int, home: Path) -> list[Any]:
        request = self.request
        keys = {"steps": steps, "checkpoint_seconds": CHECKPOINT_SECONDS, "validations": 0}
        overrides = dict(request.lever.overrides)
        overrides["training"] = overrides.get("training", {}) | keys
        words = ["--scene", self.scene, "--method", request.method_file, "--seed", request.seed]
        words += ["--overrides", json.dumps(overrides), "--threads", self.workshop.threads]
        words += ["--output", home / "model.pt", "--config", home / "config.yaml"]
        words += ["--metrics", home / "train.json", "--run-dir", home / "run"]
        return words if self.stereo is None else [*words, "--stereo", self.stereo]

    def trained(self) -> dict[str, Any]:
        return json.loads((self.home / "train.json").read_text())

    def seconds(self) -> float:
        """Of stereo and of the training's steps."""
        return self.stereo_seconds + self.trained()["train_seconds"]

    def surface(self, network: Path, resolution: int, name: str) -> dict[str, Any]:
        """Figures of the mesh of a model or a checkpoint."""
        mesh, file = self.home / f"{name}.ply", self.home / f"{name}.json"
        if not file.is_file():
            given = ["--model", network, "--resolution", resolution, "--output", mesh]
            if not mesh.is_file():
                known = [] if self.stereo is None else ["--stereo", self.stereo]
                words = [*self._scene_words(), *given, *known]
                self.workshop.run("extract_mesh", words, self.home / f"{name}.log")
            diameter = json.loads((self.pictures / "scan.json").read_text())["diameter_mm"]
            surface = in_world(load_surface(mesh), self.request.scan, self.scene, self.pictures)
            threads = self.workshop.threads
            write_json(file, measure_mesh(surface, self.pictures, diameter, threads=threads))
        return json.loads(file.read_text())

    def point_of_curve(self, checkpoint: Path) -> list[float]:
        """Seconds and overall at a kept checkpoint."""
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state"]
        overall = self.surface(checkpoint, CURVE_RESOLUTION, checkpoint.stem)["overall"]
        return [self.stereo_seconds + state["clock"]["seconds"], overall]

    def views(self) -> dict[str, Any]:
        """Figures of the held-out views."""
        folder = self.home / "views"
        if not folder.is_dir():
            words = [*self._scene_words(), "--model", self.home / "model.pt", "--output", folder]
            self.workshop.run("render_views", words, self.home / "views.log")
        return measure_views(folder, self.scene, self.home / "config.yaml", self.pictures)

    def _scene_words(self) -> list[Any]:
        return ["--scene", self.scene, "--threads", self.workshop.threads]


def in_world(surface: Surface, scan: Scan, scene: Path, pictures: Path) -> Surface:
    """A surface in the scan's world frame, which estimated cameras know nothing of."""
    if not scan.poses:
        return surface
    known = read_dtu(pictures, masks=False).scene
    return surface.transformed(align_by_cameras(load_scene(scene), known).similarity)


def commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=7"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
