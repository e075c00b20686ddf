"""Draw the plots of docs/: those of the method by the operators and schedules that training uses.

python -m docs.draw_plots        writes docs/images/{method-*,capture}.svg
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from docs.plots import COLOURS, INK, LINE, SOFT, Plot, label, picture
from neus.config import load_method
from neus.models.schedule import Stage, stage_at
from neus.ops.alpha import section_alpha
from neus.ops.contraction import contract
from neus.ops.outside import growth
from neus.ops.reference.outside import outside_start
from neus.ops.reference.rays import composite

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
SHARPNESS = (20.0, 60.0, 300.0)
STEP = 0.009
RATIO = 0.3
"""By which sections outside grow when training begins."""


def along_a_ray(inv_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """t, distance, alpha and weights of a ray through two sheets: solid from t = 1 to 1.5."""
    t = torch.arange(0.6, 1.9, STEP)
    sdf = torch.maximum(1.0 - t, t - 1.5)
    cosine = torch.where(t < 1.25, -1.0, 1.0)
    alpha = section_alpha(sdf, cosine, STEP, torch.tensor(inv_s), 1.0)
    offsets = torch.tensor([0, len(t)])
    weights, _, _ = composite(alpha, torch.zeros(len(t), 1), offsets)
    return t.numpy(), sdf.numpy(), alpha.numpy(), weights.numpy()


def draw_alpha() -> str:
    """From distance to weights, for three sharpnesses."""
    ticks = (0.75, 1, 1.25, 1.5, 1.75)
    distance = Plot((60, 45, 220, 170), (0.6, 1.9), (-0.3, 0.4), "distance f(t)", (ticks, (0,)))
    opacity = Plot(
        (350, 45, 220, 170), (0.6, 1.9), (0, 1), "opacity α of each section", (ticks, (0, 0.5, 1))
    )
    weight = Plot(
        (640, 45, 220, 170), (0.6, 1.9), (0, 1), "weight w, of its greatest", (ticks, (0, 0.5, 1))
    )
    t, sdf, _, _ = along_a_ray(SHARPNESS[0])
    distance.line(t, sdf, INK)
    for inv_s, colour in zip(SHARPNESS, COLOURS, strict=False):
        _, _, alpha, weights = along_a_ray(inv_s)
        opacity.line(t, alpha, colour)
        weight.line(t, weights / weights.max(), colour)
    names = [
        label(350 + 190 * i, 258, f"1/s = {inv_s:g} per scene unit", colour)
        for i, (inv_s, colour) in enumerate(zip(SHARPNESS, COLOURS, strict=False))
    ]
    axis = label(60, 258, "t along the ray; the solid is from 1 to 1.5", SOFT)
    return picture(900, 280, [*(p.svg() for p in (distance, opacity, weight)), axis, *names])


def draw_schedules() -> str:
    """What changes while the methods `neus-mask` and `neus-colour` train."""
    panels = {
        "levels of the hash grid": ((0, 16), (0, 8, 16), lambda stage: stage.active_levels),
        "step between samples": ((0, 0.025), (0, 0.01, 0.02), lambda stage: stage.step_length),
        "1/s where it is led": ((0, 300), (0, 100, 200, 300), lambda stage: stage.led_inv_s),
    }
    drawn = []
    for i, (title, (y, ticks, value)) in enumerate(panels.items()):
        plot = Plot(
            (60 + 290 * i, 45, 220, 170), (0, 1), y, title, ((0, 0.25, 0.5, 0.75, 1), ticks)
        )
        for name, colour in zip(("neus-mask", "neus-colour"), COLOURS[::2], strict=False):
            stages = stages_of(name)
            values = [(p, value(s)) for p, s in stages if value(s) is not None]
            if values:
                x, height = np.array(values, float).T
                plot.line(x, height, colour, width=2 if name == "neus-colour" else 6)
        drawn.append(plot.svg())
    names = [label(60, 258, "fraction of the budget", SOFT)]
    names += [label(350, 258, "neus-mask", COLOURS[0]), label(450, 258, "neus-colour", COLOURS[2])]
    return picture(900, 280, [*drawn, *names])


def stages_of(name: str) -> list[tuple[float, Stage]]:
    model = load_method(ROOT / "config" / "methods" / f"{name}.yaml").model
    return [(i / 400, stage_at(model, i, 400)) for i in range(401)]


def draw_outside() -> str:
    """Contraction, and the sections of a ray that leaves the sphere."""
    radius = np.geomspace(0.05, 1000, 200)
    points = torch.tensor(np.stack([radius, 0 * radius, 0 * radius], axis=1))
    plot = Plot(
        (60, 45, 330, 230),
        (-1.3, 3),
        (0, 1),
        "radius in contracted space, of log₁₀ of that in the scene",
        ((-1, 0, 1, 2, 3), (0, 0.5, 1)),
    )
    plot.line(np.log10(radius), contract(points)[:, 0].numpy(), COLOURS[2])
    plot.line(np.array([0.0, 0.0]), np.array([0.0, 1.0]), SOFT, dashed=True)
    plot.words(0.08, 0.08, "the unit sphere", SOFT)
    ball = Plot((500, 45, 230, 230), (-1, 1), (-1, 1), "sections of rays, contracted", ((), ()))
    turn = np.linspace(0, 2 * np.pi, 181)
    for size, colour in ((0.5, COLOURS[0]), (1.0, SOFT)):
        ball.line(size * np.cos(turn), size * np.sin(turn), colour, dashed=size == 1)
    origins = torch.tensor([[-2.6, 0.2, 0.0]]).repeat(4, 1)
    turns = torch.tensor([-0.45, -0.2, 0.1, 0.55])
    directions = torch.stack([turns.cos(), turns.sin(), 0 * turns], dim=1)
    starts = outside_start(origins, directions)
    steps = growth(RATIO, 1000.0, torch.device("cpu")) - 1
    for origin, direction, start in zip(origins, directions, starts, strict=True):
        near = torch.linspace(0, float(start), 60)
        whole = contract(origin + torch.cat([near, start + steps])[:, None] * direction).numpy()
        ball.line(whole[:, 0], whole[:, 1], SOFT)
        ball.dots(whole[60:, 0], whole[60:, 1], COLOURS[2], 2.5)
    notes = [
        label(745, 75, "in it: the object", COLOURS[0]),
        label(745, 100, "dots: sections behind", COLOURS[2]),
        label(745, 125, "rim: infinity", SOFT),
    ]
    return picture(900, 310, [plot.svg(), ball.svg(), *notes])


def draw_capture() -> str:
    """How to walk around an object: from above, and from the side."""
    above = Plot(
        (40, 45, 300, 300), (-1, 1), (-1, 1), "from above: a photo every ten degrees", ((), ())
    )
    turn = np.radians(np.arange(0, 360, 10))
    for degrees, colour in ((250, COLOURS[0]), (260, COLOURS[2])):
        eye = 0.9 * np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
        ends = [eye + 1.5 * direction(degrees + 180 + off) for off in (-17, 17)]
        above.area(np.array([eye, *ends]), colour)
    above.area(0.24 * np.stack([np.cos(turn), np.sin(turn)], axis=1), INK)
    above.dots(0.9 * np.cos(turn), 0.9 * np.sin(turn), COLOURS[2], 4)
    side = Plot(
        (420, 45, 300, 300), (-1, 1), (-1, 1), "from the side: two or three rounds", ((), ())
    )
    side.area(np.array([[-0.2, -0.6], [0.2, -0.6], [0.12, 0.1], [-0.12, 0.1]]), INK)
    side.line(np.array([-1.0, 1.0]), np.array([-0.6, -0.6]), SOFT)
    for height, reach, colour in (
        (-0.35, 0.92, COLOURS[2]),
        (0.15, 0.86, COLOURS[2]),
        (0.7, 0.6, COLOURS[2]),
    ):
        for x in (-reach, reach):
            side.line(np.array([x, 0.0]), np.array([height, -0.25]), LINE)
            side.dots(np.array([x]), np.array([height]), colour, 5)
    notes = [
        label(745, 90, "each place in three photos", INK),
        label(745, 112, "or more: neighbours share", INK),
        label(745, 134, "two thirds of what they show", INK),
        label(745, 170, "a ruler in the picture", SOFT),
        label(745, 192, "gives the scale", SOFT),
    ]
    return picture(960, 370, [above.svg(), side.svg(), *notes])


def direction(degrees: float) -> np.ndarray:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


PICTURES = {
    "capture.svg": draw_capture,
    "method-alpha.svg": draw_alpha,
    "method-schedules.svg": draw_schedules,
    "method-outside.svg": draw_outside,
}


def main() -> None:
    for name, draw in PICTURES.items():
        (IMAGES / name).write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
