"""Seconds left of work in parts, some of which are done, one under way and others still to come."""

from __future__ import annotations

from collections.abc import Mapping

from neus.progress.pace import Measured, Pace

TRUSTED = 0.1
"""Share of a part from where its own pace counts alone, and no more what was expected."""
APART = 1 / 512
"""Share between moments that are remembered."""


class Estimate:
    """Learns the pace of a machine while parts of known proportions go by.

    A part's own pace is that of the later half of what was done of it: work that gets slower as it
    goes on, as a training whose levels are switched on one after another, would otherwise promise
    too much. Parts to come are as much slower than expected as those before them, of which short
    ones, as the reading of a file, say little.

    Args:
        expected: seconds of each part, in their order. Only their proportions matter once a part
            has been measured.
    """

    def __init__(self, expected: Mapping[str, float]) -> None:
        self._expected = dict(expected)
        self._spent: dict[str, float] = {}
        self._part: str | None = None
        self._seen: list[tuple[float, float]] = []
        self._kept = 0.0

    @property
    def kept(self) -> float:
        """Share of the expected work that an earlier run had done before this one began."""
        return self._kept / max(sum(self._expected.values()), 1e-9)

    @property
    def part(self) -> str | None:
        """The part under way."""
        return self._part

    def update(self, part: str, share: float, now: float) -> None:
        """Note that ``share`` of a part, between 0 and 1, is done at ``now``, in seconds.

        The first share of a part is what an earlier run did of it. Parts that never begin, since
        their results are there already, count for nothing.

        Raises:
            KeyError: nothing was expected of the part.
        """
        if part not in self._expected:
            raise KeyError(f"{part} is none of the parts {', '.join(self._expected)}")
        if part != self._part:
            if self._part is None:
                names = list(self._expected)
                self._kept = sum(self._expected[name] for name in names[: names.index(part)])
                self._kept += share * self._expected[part]
            self._close(now)
            self._part, self._seen = part, [(now, share)]
        if len(self._seen) > 1 and self._seen[-1][1] - self._seen[-2][1] < APART:
            self._seen.pop()
        self._seen.append((now, min(max(share, self._seen[-1][1]), 1.0)))

    def left(self, now: float) -> float:
        """Seconds until all is done; before the first part, those that are expected."""
        return self.later() + (0.0 if self._part is None else self._left_of_part(now))

    def later(self) -> float:
        """Seconds of the parts that have not begun."""
        names = list(self._expected)
        begun = 0 if self._part is None else names.index(self._part) + 1
        return self._pace() * sum(self._expected[name] for name in names[begun:])

    def _close(self, now: float) -> None:
        if self._part is not None:
            self._spent[self._part] = now - self._seen[0][0]

    def _pace(self) -> float:
        """Seconds that an expected second takes, by all that was done up to now."""
        measured = [
            Measured(part, seconds / self._expected[part], self._expected[part])
            for part, seconds in self._spent.items()
            if self._expected[part]
        ]
        if self._part is not None:
            (begin, first), (then, share) = self._seen[0], self._seen[-1]
            done = (share - first) * self._expected[self._part]
            if done:
                measured.append(Measured(self._part, (then - begin) / done, done))
        return Pace(measured).of("")

    def _left_of_part(self, now: float) -> float:
        assert self._part is not None
        (begin, first), (then, share) = self._seen[0], self._seen[-1]
        done, to_do = share - first, 1 - share
        planned = self._expected[self._part] * self._pace()
        if not done:
            return max(planned * to_do - (now - begin), 0.05 * planned)
        half = next(seen for seen in reversed(self._seen) if seen[1] <= first + done / 2)
        own = (then - half[0]) / (share - half[1]) * to_do
        looks = len(self._seen) - 1
        trust = min(1.0, done / TRUSTED) * (1 - 0.5**looks)  # first items may have warmed up
        return max(trust * own + (1 - trust) * planned * to_do - (now - then), 0.0)
