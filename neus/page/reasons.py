"""What a run has left, and why the rest is missing, in the words of its own logs."""

from __future__ import annotations

import json
from pathlib import Path

from neus.watch import last_words

SCAN_STAGES = (
    ("the frames of the video", "extract_frames", "frames"),
    ("the camera poses", "estimate_poses", "poses"),
    ("the scene", "normalize_scene", "scene"),
    ("stereo", "dense_stereo", "stereo"),
)
RUN_STAGES = (
    ("the training", "train", "model.pt"),
    ("the program", "run_external", "outcome.json"),
    ("the mesh", "extract_mesh", "mesh.ply"),
    ("the held-out views", "render_views", "views"),
    ("the flight", "render_path", "path.mp4"),
    ("the figures of the views", "evaluate_views", "views.json"),
)
"""What failed, the name of its log, and what it should have left; in the order of the work."""


def failure(folder: Path, stages: tuple[tuple[str, str, str], ...]) -> str | None:
    """The first stage that left a log but no result, and the last words of that log.

    Returns:
        ``the training failed: …``, or None where every stage that began has ended well.
    """
    for what, log, result in stages:
        file = folder / "logs" / f"{log}.log"
        if file.is_file() and not (folder / result).exists():
            said = last_words(file.read_text(errors="replace"))
            return f"{what} failed: {said or f'it said nothing; see {file.name}'}"
    return None


def absences(scan: Path, run: Path) -> str:
    """Why a run has no figures: what failed, or that it was not reached."""
    found = failure(scan, SCAN_STAGES) or _of_others(run) or failure(run, RUN_STAGES)
    return found or "not run yet"


def _of_others(run: Path) -> str | None:
    """What the record of a program of others says."""
    try:
        return json.loads((run / "taken.json").read_text(encoding="utf-8"))["mesh_reason"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
