"""What a user can do about a stage that ended for want of memory or of time."""

from __future__ import annotations

LEVERS = {
    "make_demo": "the size of the demo (demo.width, demo.height)",
    "extract_frames": "the number of frames (poses.frames)",
    "estimate_poses": "the size of photos for features (poses.max_size)",
    "normalize_scene": "the size of images (a larger downscale of the scan)",
    "dense_stereo": "the size of images (a larger downscale of the scan)",
    "train": "training.samples, model.hash_grid.log2_entries or the size of images (downscale)",
    "extract_mesh": "the resolution of the mesh (mesh.resolution)",
    "texture_mesh": "the size of the texture (mesh.texture)",
    "render_views": "the size of images (a larger downscale of the scan)",
    "render_path": "the number of frames (video.frames)",
    "evaluate_mesh": "the number of samples (evaluation.samples) or mesh.resolution",
    "place_mesh": "the size of the mesh that is given",
    "page": "mesh.resolution",
}
"""The keys that lower what a stage needs."""


def for_want_of_memory(stage: str, used: float, asked: float | None) -> str:
    """The sentence for a stage that had no memory left, both figures in MiB."""
    had = f"it took {used:.0f} MB" + (
        "" if asked is None else f" of the {asked:.0f} MB it asked for"
    )
    more = f"ask for more (set-resources, {stage}: mem_mb, in the profile)"
    lever = LEVERS.get(stage)
    lower = "" if lever is None else f"lower {lever}"
    remedies = [lower] if asked is None else [more, lower]
    told = " or ".join(remedy for remedy in remedies if remedy)
    return f"out of memory: {had}" + (f"; {told}" if told else "")


def for_want_of_time(stage: str) -> str:
    """The sentence for a stage that Slurm ended at its time limit."""
    goes_on = "; a new run goes on from its last checkpoint" if stage == "train" else ""
    return f"out of time: ask for more (set-resources, {stage}: runtime, in the profile){goes_on}"
