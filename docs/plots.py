"""Line plots as SVG, of a few sizes and colours: what the method's page needs, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

INK, SOFT, LINE, PAPER = "#1f1d1a", "#6b665d", "#e5e1d8", "#fdfcf8"
COLOURS = ("#c4532f", "#b8860b", "#1b6076", "#2c7a4b", "#6d4c9f")


@dataclass
class Plot:
    """Axes in a picture; lines are clipped to what they show.

    Attributes:
        place: left, top, width and height in the picture.
        x, y: first and last value of the axes.
        title: above.
        ticks: values along x that are named, and along y.
    """

    place: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    title: str
    ticks: tuple[Sequence[float], Sequence[float]]
    drawn: list[str] = field(default_factory=list)

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``[n, 2]`` places of points in the picture."""
        left, top, width, height = self.place
        u = left + width * (np.asarray(x, float) - self.x[0]) / (self.x[1] - self.x[0])
        v = top + height * (self.y[1] - np.asarray(y, float)) / (self.y[1] - self.y[0])
        return np.stack([u, v.clip(top, top + height)], axis=-1)

    def line(
        self, x: np.ndarray, y: np.ndarray, colour: str, *, dashed: bool = False, width: int = 2
    ) -> None:
        path = " ".join(f"{u:.1f},{v:.1f}" for u, v in self.at(x, y))
        dash = ' stroke-dasharray="4 4"' if dashed else ""
        self.drawn.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"'
            f' stroke-linejoin="round"{dash}/>'
        )

    def area(self, corners: np.ndarray, colour: str) -> None:
        """A polygon through which what was drawn before shows."""
        path = " ".join(f"{u:.1f},{v:.1f}" for u, v in self.at(*np.asarray(corners, float).T))
        self.drawn.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="0.25"/>')

    def dots(self, x: np.ndarray, y: np.ndarray, colour: str, radius: float = 3) -> None:
        self.drawn += [
            f'<circle cx="{u:.1f}" cy="{v:.1f}" r="{radius}" fill="{colour}"/>'
            for u, v in self.at(x, y)
        ]

    def words(self, x: float, y: float, text: str, colour: str, anchor: str = "start") -> None:
        (u, v) = self.at(np.array(x), np.array(y))
        self.drawn.append(label(u, v, text, colour, anchor))

    def svg(self) -> str:
        left, top, width, _ = self.place
        frame = [label(left, top - 12, self.title, INK)]
        for value in self.ticks[0]:
            u, v = self.at(np.array(value), np.array(self.y[0]))
            frame.append(f'<path d="M{u:.1f},{top} V{v:.1f}" stroke="{LINE}"/>')
            frame.append(label(u, v + 16, f"{value:g}", SOFT, "middle", 12))
        for value in self.ticks[1]:
            u, v = self.at(np.array(self.x[0]), np.array(value))
            frame.append(f'<path d="M{u:.1f},{v:.1f} H{left + width}" stroke="{LINE}"/>')
            frame.append(label(u - 6, v + 4, f"{value:g}", SOFT, "end", 12))
        return "\n".join([*frame, *self.drawn])


def label(x: float, y: float, text: str, colour: str, anchor: str = "start", size: int = 13) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}"'
        f' font-size="{size}">{text}</text>'
    )


def picture(width: int, height: int, parts: Sequence[str]) -> str:
    """An SVG on a ground of its own, legible in the light and in the dark."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="Inter, Helvetica, sans-serif">'
    )
    ground = f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>'
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"
