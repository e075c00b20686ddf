"""Seconds of dense stereo on a scan, twice in one process: the first time compiles the kernels."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device, peak_memory_gib
from neus.files import written_whole


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="canonical scene")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--output", type=Path, required=True, help="JSON")
    options = parser.parse_args(argv)
    with leased_device(options.device) as device:
        result: dict[str, Any] = {"scan": options.scene.name, "device": device_name(device)}
        for turn in ("first", "second"):
            result[turn] = timed(options.scene, device)
        result["peak_memory_gib"] = peak_memory_gib(device)
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    return 0


def timed(folder: Path, device: torch.device) -> dict[str, float]:
    """Seconds of the parts and the number of points; what is written goes again."""
    from neus.scene import load_scene
    from neus.stereo.folder import write_stereo
    from neus.stereo.reconstruction import reconstruct
    from neus.stereo.side_by_side import host_threads

    scene = load_scene(folder)
    stereo = reconstruct(scene, device)
    with tempfile.TemporaryDirectory() as written:
        start = time.perf_counter()
        write_stereo(stereo, scene, Path(written) / "stereo", threads=host_threads(device))
        writing = time.perf_counter() - start
    return {
        "views": len(stereo.views),
        "depth_maps_s": stereo.seconds[0],
        "cloud_s": stereo.seconds[1],
        "writing_s": writing,
        "points": len(stereo.points),
    }


if __name__ == "__main__":
    run(main)
