"""How much a job has to do beside the demo's of its rule: it is expected to take as much longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neus.pipeline.pictures import Pictures

if TYPE_CHECKING:
    from neus.config import MethodConfig

DEMO = Pictures(count=48, pixels=400 * 300, stored=400 * 300)
STEPS, SAMPLES, FRAMES = 4000, 8192, 60
"""Of the demo's training, of one of its steps, of its flight."""
STEREO_PIXELS, ALL_STEREO_PIXELS = 500_000, 40_000_000
"""What stereo looks at, at most: of a picture and of all, as in neus.stereo.StereoSettings, which
takes a second to load."""
SURROUNDINGS = 3.5
"""How much longer a picture takes whose surroundings are learnt, too."""
STEP_ALONE, PHOTO_ALONE, ALONE = 0.35, 0.85, 0.15
"""Shares of the demo's seconds that do not grow: of a step with its samples, of a photo's pose with
the pixels of its file, of a job with its work."""


def training_size(method: MethodConfig, on_card: bool) -> float:
    """By its steps, and by their samples, which hardly matter on a card."""
    samples = 1.0 if on_card else method.training.samples / SAMPLES
    return method.training.steps / STEPS * _grown(samples, STEP_ALONE)


def poses_size(pictures: Pictures) -> float:
    larger = _grown(pictures.stored / DEMO.stored, PHOTO_ALONE)
    return _grown(pictures.count / DEMO.count * larger)


def stereo_size(pictures: Pictures) -> float:
    pixels = pictures.count * min(pictures.pixels, STEREO_PIXELS)
    return _grown(min(pixels, ALL_STEREO_PIXELS) / _all_pixels(DEMO))


def views_size(pictures: Pictures, learned: bool = False) -> float:
    """Of held-out views: rendered, where their surroundings may be learnt, or measured."""
    return _grown(_all_pixels(pictures) / _all_pixels(DEMO) * (SURROUNDINGS if learned else 1.0))


def flight_size(pictures: Pictures, frames: int, side: int | None, learned: bool) -> float:
    """Of frames whose longer side is ``side`` at most, as if they were three quarters as high."""
    pixels = pictures.pixels if side is None else min(pictures.pixels, 0.75 * side**2)
    larger = pixels / DEMO.pixels * (SURROUNDINGS if learned else 1.0)
    return _grown(frames / FRAMES * larger)


def _all_pixels(pictures: Pictures) -> float:
    return pictures.count * pictures.pixels


def _grown(times: float, alone: float = ALONE) -> float:
    return alone + (1 - alone) * times
