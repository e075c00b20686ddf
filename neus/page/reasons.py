"""What a run has left, and why the rest is missing, in the words of its own logs."""

from __future__ import annotations

from pathlib import Path

SCAN_STAGES = (
    ("the frames of the video", "extract_frames", "frames"),
    ("the camera poses", "estimate_poses", "poses"),
    ("the scene", "normalize_scene", "scene"),
    ("stereo", "dense_stereo", "stereo"),
)
RUN_STAGES = (
    ("the training", "train", "model.pt"),
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
            return f"{what} failed: {last_words(file)}"
    return None


def last_words(log: Path) -> str:
    """The sentence that a program ended with: its ``error:``, or the last line of all.

    Sentences that an error lists below itself belong to it.
    """
    lines = [line.rstrip() for line in log.read_text(errors="replace").splitlines()]
    lines = [line for line in lines if line.strip()]
    starts = [i for i, line in enumerate(lines) if line.startswith("error: ")]
    if not starts:
        return lines[-1].strip() if lines else f"it said nothing; see {log.name}"
    first = starts[-1]
    more = [line.strip() for line in lines[first + 1 :] if line.startswith("  ")]
    return " ".join([lines[first].removeprefix("error: "), *more])


def absences(scan: Path, run: Path) -> str:
    """Why a run has no figures: what failed, or that it was not reached."""
    found = failure(scan, SCAN_STAGES) or failure(run, RUN_STAGES)
    return found or "not run yet"
