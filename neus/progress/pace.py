"""How much slower than expected work is on this machine, kind by kind, learned from little of it.

The logarithm of measured over expected seconds is thought of as a sum: how slow the machine is and
how large the scans are, how much a kind of work differs from that, and what is peculiar to one
piece. Each is normal about 0, the first one wide; what a kind of work will take is then its
posterior mean, in closed form but for outliers (Gelman et al., "Bayesian Data Analysis", 3rd ed.,
section 5.4; kinds have a Student's t in the place of a normal distribution, section 17.2). So one
job says nearly all about a machine that is three times slower, a training about the next training,
and a stall little.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

OF_MACHINES = 1.0
"""Standard deviation of the logarithm between machines: two in three are within a factor of e."""
OF_KINDS = 0.25
"""The same between kinds of work on one machine."""
OF_JOBS = 0.1
"""The same between pieces of a kind, as jobs of one rule."""
MOMENT = 2.0
"""Seconds, at the expected pace, of which little can be learned: a start, a stall."""
TAIL = 4.0
"""Degrees of freedom of the kinds: one far off the others counts the less, the farther it is."""
ROUNDS = 8


@dataclass(frozen=True)
class Measured:
    """A piece of work, or what was seen of it.

    Attributes:
        kind: of work: a rule, a part of a program.
        ratio: of its seconds to those that were expected.
        weight: expected seconds of what was measured; few say little.
    """

    kind: str
    ratio: float
    weight: float

    @property
    def variance(self) -> float:
        """Of the logarithm of the ratio, about that of its kind."""
        return OF_JOBS**2 + (MOMENT / self.weight) ** 2


class Pace:
    """Seconds that an expected second takes.

    Args:
        measured: up to now; nothing leaves every pace at 1.
    """

    def __init__(self, measured: Iterable[Measured] = ()) -> None:
        by_kind: dict[str, list[Measured]] = defaultdict(list)
        for piece in measured:
            if piece.ratio > 0 and piece.weight > 0:
                by_kind[piece.kind].append(piece)
        self._kinds = {kind: _pooled(pieces) for kind, pieces in by_kind.items()}
        self._machine = _centre(list(self._kinds.values()))

    def of(self, kind: str) -> float:
        """Of a kind: its own where it was measured often or for long, else the machine's."""
        if kind not in self._kinds:
            return math.exp(self._machine)
        own, variance = self._kinds[kind]
        trust = OF_KINDS**2 / (OF_KINDS**2 + variance)
        # Far from all others it is a kind of its own, and no longer drawn to them.
        apart = (own - self._machine) ** 2 / (OF_KINDS**2 + variance)
        trust += (1 - trust) * apart / (TAIL + apart)
        return math.exp(self._machine + trust * (own - self._machine))


def _pooled(pieces: list[Measured]) -> tuple[float, float]:
    """Mean logarithm of a kind's ratios, and its variance about the kind's."""
    precision = sum(1 / piece.variance for piece in pieces)
    mean = sum(math.log(piece.ratio) / piece.variance for piece in pieces) / precision
    return mean, 1 / precision


def _centre(kinds: list[tuple[float, float]]) -> float:
    """The machine's logarithm, by reweighted means that begin at the median."""
    if not kinds:
        return 0.0
    centre = sorted(kinds)[(len(kinds) - 1) // 2][0]
    for _ in range(ROUNDS):
        top, below = 0.0, 1 / OF_MACHINES**2
        for own, variance in kinds:
            whole = OF_KINDS**2 + variance
            weight = (TAIL + 1) / (TAIL + (own - centre) ** 2 / whole) / whole
            top, below = top + weight * own, below + weight
        centre = top / below
    return centre
