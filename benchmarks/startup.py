"""How long `snakemake -n` takes for a DAG of thousands of jobs, beside Snakemake's own time for it.

    python -m benchmarks.startup --output benchmarks/results/DATE-startup.md

128 scans of 49 views, by 3 methods and 3 seeds. The plain workflow has as many jobs, rules, inputs
and outputs and no functions, nothing to look at and no programs: what is left is Snakemake itself.
Times are of a fresh process, in seconds on the clock and of the processor; the first run looks at
every image and mask, later ones know them (`.snakemake/neus-files.json`).
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml

from benchmarks.report import circumstances, table
from neus.files import written_whole
from neus.images.files import write_image

ROOT = Path(__file__).parents[1]
METHODS = ["neus", "neus-mask", "neus-mask-colour"]
SEEDS = [0, 1, 2]
VIEWS = 49
LIMIT, MORE = 10.0, 5.0
"""Seconds: in all, or beyond Snakemake's own; one of them must hold."""


@dataclass(frozen=True)
class Timing:
    """One dry run: its jobs, and seconds on the clock and of the processor."""

    jobs: int
    clock: float
    processor: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=128)
    parser.add_argument("--output", type=Path, help="the table, as Markdown")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    names = [f"scan{number:03}" for number in range(options.scans)]
    with tempfile.TemporaryDirectory() as scratch:
        ours, plain = Path(scratch, "ours"), Path(scratch, "plain")
        write_scans(ours, names)
        write_plain(plain, names)
        first = timed(ours, "-s", str(ROOT / "Snakefile"), "--configfile", "many.yaml")
        again = timed(ours, "-s", str(ROOT / "Snakefile"), "--configfile", "many.yaml")
        own = timed(plain, "-s", "Snakefile")
    rows = [
        (what, timing.jobs, f"{timing.clock:.1f}", f"{timing.processor:.1f}")
        for what, timing in (
            ("this workflow, the first time", first),
            ("this workflow, again", again),
            ("a plain workflow of that size", own),
        )
    ]
    text = table(["`snakemake -n`", "jobs", "seconds on the clock", "of the processor"], rows)
    print(text)
    if options.output is not None:
        where = ", ".join(circumstances(torch.device("cpu")).values())
        with written_whole(options.output) as partial:
            partial.write_text(f"# Start-up of thousands of jobs\n\n{where}\n\n{text}\n")
    holds = again.processor <= max(LIMIT, own.processor + MORE)
    print(f"{'within' if holds else 'OVER'} {LIMIT:.0f} s, or Snakemake's own and {MORE:.0f} s")
    return int(not holds)


def timed(folder: Path, *words: str) -> Timing:
    """A dry run in a folder.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--cores", "2", *words]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    total = re.search(r"^total +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    if done.returncode != 0 or total is None:
        raise RuntimeError(done.stdout + done.stderr)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(int(total[1]), clock, used)


def write_scans(folder: Path, names: list[str]) -> None:
    """One scan of tiny images in DTU's layout under many names, and a configuration of them all."""
    scan, matrices, mask = folder / "scan", {}, np.zeros((24, 32), np.uint8)
    mask[6:18, 10:22] = 255
    for i in range(VIEWS):
        image = np.random.default_rng(i).integers(0, 255, (24, 32, 3), np.uint8)
        write_image(scan / "image" / f"{i:06}.png", image)
        write_image(scan / "mask" / f"{i:03}.png", mask)
        camera = [[32.0, 0, 16, i / VIEWS], [0, 32, 12, 0], [0, 0, 1, 5], [0, 0, 0, 1]]
        matrices |= {f"world_mat_{i}": np.array(camera), f"scale_mat_{i}": np.eye(4)}
    np.savez(scan / "cameras_sphere.npz", allow_pickle=False, **matrices)
    reference = {"kind": "mesh", "path": "truth.ply"}
    (folder / "truth.ply").touch()
    for name in names:
        (folder / name).symlink_to(scan)
    scans = [{"name": n, "source": "dtu", "path": n, "reference": reference} for n in names]
    config = {"scans": scans, "methods": METHODS, "seeds": SEEDS}
    (folder / "many.yaml").write_text(yaml.safe_dump(config))


def write_plain(folder: Path, names: list[str]) -> None:
    """The same graph without anything of ours."""
    folder.mkdir()
    of_scan = {"scene": [], "stereo": ["scene"]}
    of_run = {
        "model": ["../../scene", "../../stereo"],
        "mesh": ["../../scene", "model"],
        "views": ["../../scene", "model"],
        "flight": ["../../scene", "model"],
        "views_json": ["../../scene", "views"],
        "mesh_json": ["../../scene", "mesh"],
    }
    parts = [f"NAMES = {names!r}", f"METHODS = {METHODS!r}", f"SEEDS = {SEEDS!r}"]
    run = "results/{scan}/{method}/seed{seed}"
    runs = "scan=NAMES, method=METHODS, seed=SEEDS"
    wanted = [f"expand({f'{run}/{name}'!r}, {runs})" for name in of_run]
    parts.append(f"rule all:\n    input: {', '.join(wanted)}")
    for base, rules in (("results/{scan}", of_scan), (run, of_run)):
        for name, inputs in rules.items():
            paths = [_joined(base, path) for path in inputs]
            given = f"    input: {', '.join(map(repr, paths))}\n" if paths else ""
            log = f"    log: {f'{base}/logs/{name}.log'!r}\n"
            log += f"    benchmark: {f'{base}/benchmarks/{name}.tsv'!r}\n"
            shell = "    shell: 'touch {output}'"
            parts.append(f"rule {name}:\n{given}    output: {f'{base}/{name}'!r}\n{log}{shell}")
    (folder / "Snakefile").write_text("\n\n".join(parts) + "\n")


def _joined(base: str, path: str) -> str:
    parts = base.split("/")
    while path.startswith("../"):
        parts, path = parts[:-1], path.removeprefix("../")
    return "/".join([*parts, path])


if __name__ == "__main__":
    raise SystemExit(main())
