"""From a request to its figures: the project's own programs, one after the other, each kept.

Whatever is finished is not done again: the scan's pictures, its scene, the training, which goes on
from its last checkpoint, meshes and figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality.generate import make_scan
from benchmarks.quality.requests import Request
from benchmarks.quality.scans import HOLDOUT, Scan
from benchmarks.quality.surface_figures import measure_mesh
from benchmarks.quality.view_figures import measure_views
from neus.files import written_whole
from neus.metrics.evaluation import align_by_cameras
from neus.metrics.geometry import Surface, load_surface
from neus.scene import load_scene
from neus.sources import read_dtu

RESOLUTION, CURVE_RESOLUTION = 384, 256
"""Cells along a side of the final mesh, and of those on the way."""
CHECKPOINT_SECONDS = 5.0
TRIAL_STEPS = 300
"""Of the short training that tells how many steps fit into a budget of seconds."""
Say = Callable[[str], None]


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
        """The stage between scene and training, where this code has it, and its seconds."""
        if '"--stereo"' not in (self.checkout / "scripts" / "train.py").read_text():
            return None, 0.0
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
        command = [sys.executable, str(script), *map(str, words)]
        environment = {"OMP_WAIT_POLICY": "passive"} | os.environ
        environment["PYTHONPATH"] = str(self.checkout)
        with log.open("w") as stream:
            status = subprocess.run(command, env=environment, stderr=stream, stdout=stream)
        if status.returncode:
            tail = "\n".join(log.read_text().splitlines()[-5:])
            raise SystemExit(f"{program} failed with status {status.returncode}: {log}\n{tail}")


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
    home = home_of(workshop, request)
    pictures = workshop.scan(request.scan, request.scan_seed)
    scene = workshop.scene(request)
    stereo, stereo_seconds = workshop.stereo(request, scene)
    steps = request.budget.steps
    if steps is None:
        assert request.budget.seconds is not None
        steps = fitting_steps(
            workshop, request, scene, stereo, request.budget.seconds - stereo_seconds
        )
    workshop.say(f"{home.name}: {steps} steps")
    kept = train(workshop, request, scene, stereo, steps, home)
    model, words = home / "model.pt", ["--scene", scene, "--threads", workshop.threads]
    diameter = workshop.record(request.scan, request.scan_seed)["diameter_mm"]

    def figures_of(network: Path, resolution: int, name: str) -> dict[str, Any]:
        mesh, file = home / f"{name}.ply", home / f"{name}.json"
        if not file.is_file():
            given = ["--model", network, "--resolution", resolution, "--output", mesh]
            workshop.run("extract_mesh", [*words, *given], home / f"{name}.log")
            surface = in_world(load_surface(mesh), request.scan, scene, pictures)
            write_json(file, measure_mesh(surface, pictures, diameter, threads=workshop.threads))
        return json.loads(file.read_text())

    surface = figures_of(model, RESOLUTION, "mesh")
    curve = []
    for file in kept:
        state = torch.load(file, map_location="cpu", weights_only=True)["state"]
        overall = figures_of(file, CURVE_RESOLUTION, file.stem)["overall"]
        curve.append([stereo_seconds + state["clock"]["seconds"], overall])
    workshop.run(
        "render_views", [*words, "--model", model, "--output", home / "views"], home / "views.log"
    )
    trained = json.loads((home / "train.json").read_text())
    seconds = stereo_seconds + trained["train_seconds"]
    curve.append([seconds, surface["overall"]])
    record = {
        "scan": request.scan.name,
        "method": request.method_name,
        "lever": request.lever.name,
        "seed": request.seed,
        "steps": steps,
        "code": request.code,
        "commit": commit(workshop.checkout),
        "device": trained["device"],
        "seconds": seconds,
        "seconds_of_stereo": stereo_seconds,
        "surface": surface,
        "views": measure_views(home / "views", scene, home / "config.yaml", pictures),
        "curve": curve,
    }
    write_json(home / "run.json", record)
    return record


def train(
    workshop: Workshop, request: Request, scene: Path, stereo: Path | None, steps: int, home: Path
) -> list[Path]:
    """Train, and keep the first checkpoint past each part of the budget; returns those."""
    parts = [steps * (k + 1) // (workshop.curve + 1) for k in range(workshop.curve)]
    kept = home / "kept"
    if not (home / "model.pt").is_file():
        with keeping_checkpoints(home / "run" / "checkpoints", kept, parts):
            words = training_words(workshop, request, scene, stereo, steps, home)
            workshop.run("train", words, home / "train.log")
    return sorted(kept.glob("step-*.pt"))


def training_words(
    workshop: Workshop, request: Request, scene: Path, stereo: Path | None, steps: int, home: Path
) -> list[Any]:
    keys = {"steps": steps, "checkpoint_seconds": CHECKPOINT_SECONDS, "validations": 0}
    overrides = dict(request.lever.overrides)
    overrides["training"] = overrides.get("training", {}) | keys
    method = workshop.checkout / "config" / "methods" / request.method_file.name
    words = ["--scene", scene, "--method", method, "--seed", request.seed]
    words += ["--overrides", json.dumps(overrides), "--threads", workshop.threads]
    words += ["--output", home / "model.pt", "--config", home / "config.yaml"]
    words += ["--metrics", home / "train.json", "--run-dir", home / "run"]
    return words if stereo is None else [*words, "--stereo", stereo]


def fitting_steps(
    workshop: Workshop, request: Request, scene: Path, stereo: Path | None, seconds: float
) -> int:
    """How many steps fit into ``seconds``, by the rate of a short training.

    Its schedules are those of the whole one, pressed together, so that all stages have their part.
    """
    home = home_of(workshop, request) / "trial"
    if not (home / "train.json").is_file():
        words = training_words(workshop, request, scene, stereo, TRIAL_STEPS, home)
        workshop.run("train", words, home / "train.log")
    trial = json.loads((home / "train.json").read_text())
    return max(1, int(seconds * trial["steps"] / trial["train_seconds"]))


@contextmanager
def keeping_checkpoints(folder: Path, kept: Path, parts: Sequence[int]) -> Iterator[None]:
    """While the block runs, link the first checkpoint past each of ``parts`` into ``kept``."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            keep(folder, kept, parts)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def keep(folder: Path, kept: Path, parts: Sequence[int]) -> None:
    """Link what :func:`keeping_checkpoints` wants of the checkpoints that there are."""
    step_of = {path: int(path.stem.removeprefix("step-")) for path in folder.glob("step-*.pt")}
    have = [int(path.stem.removeprefix("step-")) for path in kept.glob("step-*.pt")]
    for part, end in zip(parts, [*parts[1:], sys.maxsize], strict=False):
        if any(part <= step < end for step in have):
            continue
        fitting = sorted(step for step in step_of.values() if part <= step < end)
        for path, step in step_of.items():
            if fitting and step == fitting[0]:
                kept.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(path, kept / path.name)
                except FileNotFoundError:  # training has just dropped it: the next one will do
                    continue


def in_world(mesh: Surface, scan: Scan, scene: Path, pictures: Path) -> Surface:
    """A mesh in the scan's world frame, which estimated cameras know nothing of."""
    if not scan.poses:
        return mesh
    known = read_dtu(pictures, masks=False).scene
    return mesh.transformed(align_by_cameras(load_scene(scene), known).similarity)


def write_json(file: Path, content: dict[str, Any]) -> None:
    with written_whole(file) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n")


def commit(checkout: Path) -> str:
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=7"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
