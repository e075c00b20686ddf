"""How long `snakemake -n` takes for a DAG of thousands of jobs, beside Snakemake's own time for it.

    python -m benchmarks.startup --output benchmarks/results/DATE-startup.md

128 scans of 49 views, by 3 methods and 3 seeds. The plain workflow has the same rules, inputs,
outputs, logs, threads and resources, and no functions, nothing to look at and nothing to check:
what is left is Snakemake itself.
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
from neus.images import write_image

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
        (what, str(timing.jobs), f"{timing.clock:.1f}", f"{timing.processor:.1f}")
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
        image[: i // 2, : 31 * (i % 2 + 1)] = 0  # files of other sizes, as real ones are
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


SCAN, RUN = "results/{scan}", "results/{scan}/{method}/seed{seed}"
GRAPH = {
    "normalize_scene": ([], [f"{SCAN}/scene"]),
    "dense_stereo": ([f"{SCAN}/scene"], [f"{SCAN}/stereo"]),
    "train": (
        [f"{SCAN}/scene", f"{SCAN}/stereo"],
        [f"{RUN}/model.pt", f"{RUN}/config.yaml", f"{RUN}/train.json"],
    ),
    "extract_mesh": (
        [f"{SCAN}/scene", f"{RUN}/model.pt", f"{SCAN}/stereo"],
        [f"{RUN}/mesh.ply"],
    ),
    "texture_mesh": ([f"{SCAN}/scene", f"{RUN}/mesh.ply"], [f"{RUN}/mesh.glb"]),
    "render_views": ([f"{SCAN}/scene", f"{RUN}/model.pt"], [f"{RUN}/views"]),
    "render_path": ([f"{SCAN}/scene", f"{RUN}/model.pt"], [f"{RUN}/path.mp4"]),
    "evaluate_views": (
        [f"{SCAN}/scene", f"{RUN}/views", f"{RUN}/config.yaml"],
        [f"{RUN}/views.json"],
    ),
    "evaluate_mesh": (
        [f"{SCAN}/scene", f"{RUN}/mesh.ply"],
        [f"{RUN}/mesh-none.json", f"{RUN}/errors-none"],
    ),
}
"""Our rules for a posed scan: what goes in and what comes out."""
COLLECTED = {
    "results_table": [f"{RUN}/{name}" for name in ("views.json", "mesh-none.json", "train.json")],
    "page": [f"{RUN}/{name}" for name in ("mesh.ply", "mesh.glb", "path.mp4", "views")],
    "all": [f"{RUN}/{name}" for name in ("mesh.ply", "mesh.glb", "path.mp4", "views")],
}
"""What waits for all runs."""


def write_plain(folder: Path, names: list[str]) -> None:
    """The same graph with the same kinds of declarations, and nothing that is found out."""
    folder.mkdir()
    head = f"NAMES = {names!r}\nMETHODS = {METHODS!r}\nSEEDS = {SEEDS!r}"
    runs = "scan=NAMES, method=METHODS, seed=SEEDS"
    collected = [
        _rule(
            name,
            [f"expand({path!r}, {runs})" for path in inputs]
            + [repr(f"results/{other}") for other in COLLECTED if name == "all" and other != name],
            [] if name == "all" else [f"results/{name}"],
        )
        for name, inputs in reversed(COLLECTED.items())
    ]
    rules = [_rule(name, list(map(repr, given)), made) for name, (given, made) in GRAPH.items()]
    (folder / "Snakefile").write_text("\n\n".join([head, *collected, *rules]) + "\n")


def _rule(name: str, given: list[str], made: list[str]) -> str:
    lines = [f"rule {name}:"]
    lines += [f"    input: {', '.join(given)}"] if given else []
    if made:
        base = made[0].rsplit("/", 1)[0]
        lines += [
            f"    output: {', '.join(map(repr, made))}",
            "    params: one=1, two='--two'",
            f"    log: {f'{base}/logs/{name}.log'!r}",
            f"    benchmark: {f'{base}/benchmarks/{name}.tsv'!r}",
            "    threads: 8",
            "    resources: gpu=1, mem_mb=8000, runtime=60",
            "    shell: 'program {params.one} {params.two} --threads {threads} {output:q}'",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
