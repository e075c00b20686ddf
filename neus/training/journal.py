"""What a person sees of a run: a line of progress, a CSV file and TensorBoard."""

from __future__ import annotations

import csv
import math
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from neus.training.board import curves_of

COLUMNS: tuple[str, ...] = (
    "step",
    "seconds",
    "loss",
    "colour",
    "eikonal",
    "cavity",
    "mask",
    "affine_colours",
    "psnr",
    "inv_s",
    "rays",
    "samples_per_second",
    "active_levels",
    "colour_squared",
    "opaque",
    "sparsity",
    "curvature",
    "distortion",
    "surface",
    "free_space",
    "normals",
    "distortion_outside",
    "patch",
    "smoothness",
)
FIGURES: tuple[str, ...] = ("step", "psnr")


class Journal:
    """Records of one run in ``metrics.csv``, ``validation.csv`` and ``tensorboard/`` in its folder.

    A resumed run first drops the records past its checkpoint, so that no step stands twice.
    """

    def __init__(self, folder: Path, first_step: int, steps: int, names: str = "own") -> None:
        """``names`` are of TensorBoard's curves, see :func:`neus.training.board.curves_of`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.steps, self._names = steps, names
        self._csv = _continued(folder / "metrics.csv", COLUMNS, first_step)
        self._figures = _continued(folder / "validation.csv", FIGURES, first_step)
        self._board = _summary_writer(folder / "tensorboard", first_step)
        self._line = StatusLine(sys.stderr)

    def record(self, values: dict[str, float], seconds_left: float) -> None:
        """Write one record (keys of ``COLUMNS``) everywhere, and show it when it is time."""
        csv.DictWriter(self._csv, COLUMNS).writerow({k: f"{v:.6g}" for k, v in values.items()})
        self._csv.flush()
        step = int(values["step"])
        if self._board is not None:
            for name, value in curves_of(values, self._names).items():
                self._board.add_scalar(name, value, step)
        sharpness = f"inv_s {values['inv_s']:.0f}  " if math.isfinite(values["inv_s"]) else ""
        self._line.show(
            f"step {step}/{self.steps}  loss {values['loss']:.4f}  psnr {values['psnr']:.2f} dB  "
            f"{sharpness}rays {values['rays']:.0f}  "
            f"{values['samples_per_second'] / 1e3:.0f}k samples/s  {duration(seconds_left)} left",
            last=step >= self.steps,
        )

    def figures(self, step: int, values: dict[str, float]) -> None:
        """Write figures of views that training does not see (keys of ``FIGURES``), if any."""
        if not values:
            return
        row = {"step": f"{step}"} | {name: f"{value:.6g}" for name, value in values.items()}
        csv.DictWriter(self._figures, FIGURES).writerow(row)
        self._figures.flush()
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(f"val/{name}", value, step)

    def say(self, text: str) -> None:
        """One line of text among the progress."""
        self._line.say(text)

    def close(self) -> None:
        self._csv.close()
        self._figures.close()
        if self._board is not None:
            self._board.close()


class Silence:
    """The journal of a process that keeps none, since another one does."""

    def record(self, values: dict[str, float], seconds_left: float) -> None:
        del values, seconds_left

    def figures(self, step: int, values: dict[str, float]) -> None:
        del step, values

    def say(self, text: str) -> None:
        del text

    def close(self) -> None:
        pass


class StatusLine:
    """A line that renews itself on a terminal, and every ten seconds elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._terminal = stream, stream.isatty()
        self._shown = -math.inf

    def show(self, text: str, *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self._shown < (0.2 if self._terminal else 10.0):
            return
        self._shown = now
        start, end = ("\r\x1b[K", "\n" if last else "") if self._terminal else ("", "\n")
        self._stream.write(start + text + end)
        self._stream.flush()

    def say(self, text: str) -> None:
        self._stream.write(("\r\x1b[K" if self._terminal else "") + text + "\n")
        self._stream.flush()


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{rest:02d}s"


def _continued(path: Path, columns: tuple[str, ...], first_step: int) -> TextIO:
    """Open a CSV file for appending after the record of ``first_step``."""
    rows = []
    if first_step > 0 and path.is_file():
        with path.open(newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if float(row["step"]) <= first_step]
    stream = path.open("w", newline="")
    writer = csv.DictWriter(stream, columns)
    writer.writeheader()
    writer.writerows(rows)
    return stream


def _summary_writer(folder: Path, first_step: int) -> Any | None:
    """TensorBoard's writer, or None where the package is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=first_step or None)
