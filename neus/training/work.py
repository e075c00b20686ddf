"""How much of a training's work is done after a step; more levels make steps dearer."""

from __future__ import annotations

from itertools import accumulate

from neus.config import MethodConfig
from neus.models import stage_at

PLACES = 256
"""At which the work is summed up; in between it is interpolated."""
BESIDE_LEVELS = 5
"""What a step costs beside its levels, as so many of them: networks, marching and so on. In the
demo, steps of 5, 7, 10, 13 and 16 levels took 0.48, 0.6, 0.7, 0.8 and 1 times the last ones."""


SECONDS_A_STEP = 0.042
"""Of the demo on two cores; what is left is foretold by it until the first steps are done."""


class Work:
    """Shares of the work of all steps, by the levels of the grid that each of them uses."""

    def __init__(self, method: MethodConfig) -> None:
        self._steps = method.training.steps
        costs = [
            BESIDE_LEVELS + stage_at(method.model, place, PLACES).active_levels
            for place in range(PLACES)
        ]
        self._sums = [0, *accumulate(costs)]

    def share(self, step: int) -> float:
        """Of the work, when ``step`` steps are done, between 0 and 1."""
        place = PLACES * step / self._steps
        whole = min(int(place), PLACES - 1)
        low, high = self._sums[whole : whole + 2]
        return (low + (place - whole) * (high - low)) / self._sums[-1]
