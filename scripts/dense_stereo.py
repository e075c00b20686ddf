"""Depth maps of a scene's training views by stereo, and one cloud of what they agree on."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device, peak_memory_gib, set_threads
from neus.progress import Progress
from neus.scene import load_scene
from neus.stereo.folder import write_stereo
from neus.stereo.reconstruction import expected, reconstruct
from neus.stereo.side_by_side import host_threads
from neus.stereo.warm_up import compile_kernels, compiled_before


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument(
        "--learn-from",
        choices=["split", "all"],
        default="split",
        help="images to look at: all but those that the scene holds out, or all",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder: fused.ply (source frame), points.npz and views/NAME.npz (scene frame), "
        "figures.json",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    report = partial(print, file=sys.stderr, flush=True)
    scene = load_scene(options.scene)
    scene = scene.learned_whole() if options.learn_from == "all" else scene
    with leased_device(options.device) as device:
        set_threads(options.threads)
        is_compiled = compiled_before(device)
        compiling = {"compiling": 0.0 if is_compiled else 9.0}
        progress = Progress(compiling | expected(scene) | {"files": 1.7})
        if not is_compiled:
            progress.at("compiling")
            report("compiling the kernels of stereo, once: some ten seconds")
            compile_kernels()
        stereo = reconstruct(scene, device, seed=options.seed, report=report, advance=progress.at)
        progress.at("files")
        write_stereo(
            stereo,
            scene,
            options.output,
            threads=host_threads(device),
            device=device_name(device),
            seed=options.seed,
            peak_memory_gib=peak_memory_gib(device),
        )
    if stereo.sentence is not None:
        report(stereo.sentence)
    return 0


if __name__ == "__main__":
    run(main)
