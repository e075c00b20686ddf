"""Commands that hand a finished run to a program of scripts/."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from neus.commands.project import program_command
from neus.errors import InputError


@dataclass(frozen=True)
class Program:
    """A program that takes a scene, and a model where ``of_model``; more words after ``--``."""

    text: str
    name: str
    of_model: bool
    output: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        what = "folder of a run, of its scan, or of results with one run"
        parser.add_argument("run", type=Path, help=what)
        parser.add_argument("-o", "--output", required=True, help=self.output)

    def call(self, options: argparse.Namespace) -> int:
        from neus.commands.run import run_to_its_end

        run = run_of(options.run)
        words = ["--scene", str(run.parent.parent / "scene"), "--output", options.output]
        words += ["--model", str(run / "model.pt")] if self.of_model else []
        return run_to_its_end(program_command(self.name, [*words, *options.passed_on]))


PROGRAMS = {
    "mesh": Program(
        "Extract the surface of a trained run again: neus mesh RUN -o m.glb -- --resolution 1024",
        "extract_mesh",
        True,
        "a file: .ply, .glb or .obj",
    ),
    "render": Program(
        "Render a flight around a trained run: neus render RUN -o path.mp4 -- --frames 240",
        "render_path",
        True,
        "a video: .mp4",
    ),
    "export": Program(
        "Write a scene for other programs: neus export SCAN -o out -- --format colmap-text",
        "export_scene",
        False,
        "a folder",
    ),
}


def run_of(path: Path) -> Path:
    """The folder of the one run that a path names, or that lies below it.

    Raises:
        InputError: there is none, or there are several.
    """
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
