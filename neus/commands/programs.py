"""Commands that hand a finished run, or a scan, to a program of scripts/."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neus.commands.numbers import positive
from neus.commands.project import program_command
from neus.errors import InputError

FORMATS = ("blender", "colmap-binary", "colmap-text", "dtu", "instant-ngp", "nerfstudio")
"""Those of ``neus.exports``, which takes long to import."""
SCENE = "transforms.json"
"""By which the folder of a scene is known."""


@dataclass(frozen=True)
class Option:
    """What most will want to say; all else of the program goes after ``--``."""

    name: str
    text: str
    kind: Callable[[str], int | str] = str
    choices: tuple[str, ...] | None = None
    is_needed: bool = False


@dataclass(frozen=True)
class Program:
    """A program that takes a scene, and a model where ``of_model``; more words after ``--``."""

    text: str
    name: str
    of_model: bool
    output: str
    option: Option

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        what = (
            "folder of a run, of its scan, or of results with one run"
            if self.of_model
            else "folder of a scan, of its scene, of a run, or of results with one scan"
        )
        parser.add_argument("run", type=Path, help=what)
        parser.add_argument("-o", "--output", required=True, help=self.output)
        option = self.option
        parser.add_argument(
            f"--{option.name}", help=option.text, type=option.kind, choices=option.choices
        )
        parser.epilog = (
            f"Words after -- are for scripts/{self.name}.py: `-- --help` lists what it takes."
        )

    def call(self, options: argparse.Namespace) -> int:
        from neus.commands.run import run_to_its_end

        if self.of_model:
            run = run_of(options.run)
            words = ["--scene", str(run.parents[1] / "scene"), "--model", str(run / "model.pt")]
            words += ["--threads", str(len(os.sched_getaffinity(0)))]
            words += self._stereo(run)
        else:
            words = ["--scene", str(scene_of(options.run))]
        words += ["--output", options.output, *self._chosen(options)]
        status = run_to_its_end(program_command(self.name, [*words, *options.passed_on]))
        if status == 0 and Path(options.output).exists():
            print(options.output)
        return status

    def _chosen(self, options: argparse.Namespace) -> list[str]:
        value, flag = getattr(options, self.option.name), f"--{self.option.name}"
        if value is not None:
            return [flag, str(value)]
        asks_help = {"-h", "--help"} & set(options.passed_on)
        if self.option.is_needed and flag not in options.passed_on and not asks_help:
            names = ", ".join(self.option.choices or ())
            raise InputError(f"{flag} is missing: name one of {names}")
        return []

    def _stereo(self, run: Path) -> list[str]:
        """What keeps parts of the surface that stand apart, where the training rested on it."""
        folder, figures = run.parents[1] / "stereo", run / "train.json"
        if self.name != "extract_mesh" or not (folder.is_dir() and figures.is_file()):
            return []
        rests_on_it = "stereo_seconds" in json.loads(figures.read_text(encoding="utf-8"))
        return ["--stereo", str(folder)] if rests_on_it else []


PROGRAMS = {
    "mesh": Program(
        "Extract the surface of a trained run again: neus mesh RUN -o m.glb --resolution 1024",
        "extract_mesh",
        True,
        "a file: .ply, .glb or .obj",
        Option("resolution", "cells along a side [512]", positive),
    ),
    "render": Program(
        "Render a flight around a trained run: neus render RUN -o path.mp4 --frames 240",
        "render_path",
        True,
        "a video: .mp4 or .gif",
        Option("frames", "of one turn [60]", positive),
    ),
    "export": Program(
        "Write a scene for other programs: neus export SCAN -o out --format colmap-text",
        "export_scene",
        False,
        "a folder",
        Option("format", "of that program", choices=FORMATS, is_needed=True),
    ),
}


def run_of(path: Path) -> Path:
    """The folder of the one run that a path names, or that lies below it.

    Raises:
        InputError: there is none, or there are several.
    """
    path = existing(path)
    if (path / "model.pt").is_file():
        return path
    depth = ("seed*", "*/seed*", "*/*/seed*")
    runs = [run for pattern in depth for run in sorted(path.glob(pattern)) if run.is_dir()]
    runs = [run for run in runs if (run / "model.pt").is_file()]
    if not runs:
        raise InputError(f"{path} holds no trained run: name results/SCAN/METHOD/seed0")
    if len(runs) > 1:
        raise InputError(f"{path} holds {len(runs)} runs, {runs[0]} among them: name one")
    return runs[0]


def scene_of(path: Path) -> Path:
    """The folder of the one scene that a path names, that lies below it, or that its run is of.

    Raises:
        InputError: there is none, or there are several.
    """
    path = existing(path)
    for near in (path, path / "scene", path.parents[1] / "scene" if len(path.parts) > 2 else path):
        if (near / SCENE).is_file():
            return near
    scenes = sorted(file.parent for file in path.glob(f"*/scene/{SCENE}"))
    if not scenes:
        raise InputError(f"{path} holds no scene: name results/SCAN, once neus run has made it")
    if len(scenes) > 1:
        raise InputError(
            f"{path} holds {len(scenes)} scans, {scenes[0].parent} among them: name one"
        )
    return scenes[0]


def existing(path: Path) -> Path:
    """A path in full, so that `.` has parents.

    Raises:
        InputError: nothing is there.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist: name a folder of results, of a scan or of a run")
    return path.resolve()
