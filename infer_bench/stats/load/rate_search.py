"""The highest rate at which a limit holds, by trials that may come out either way. Pure."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["holds", "broken", "undecided"]
End = Literal["precision", "generator", "nothing-holds", "trials", "rate"]

MOST_TRIALS = 60
MOST_RATE = 1e6
_GROWTH = 2.0
_RETREAT = 4.0
_AGREE = 2
"""Trials that must agree before a rate counts as held or broken."""


@dataclass
class RateSearch:
    """Doubles the rate from `start` until the limit breaks, then bisects until the bounds lie `precision` apart.

    Where the limit breaks at `start` it looks for a rate at which it holds, down to `least`.

    A rate is broken when two trials say so, of three at the most. It counts as held after one trial while the rate is
    doubled; the rate that is told in the end has held in two. `outcomes` are those of every rate.
    """

    start: float
    precision: float = 0.05
    least: float = 0.1
    outcomes: dict[float, list[Outcome]] = field(default_factory=dict)
    _last: float = 0.0

    def record(self, rate: float, outcome: Outcome) -> None:
        """Add a trial."""
        self.outcomes.setdefault(rate, []).append(outcome)
        self._last = rate

    @property
    def trials(self) -> int:
        """How many there were."""
        return sum(map(len, self.outcomes.values()))

    @property
    def high(self) -> float | None:
        """The lowest rate that is broken."""
        return min((rate for rate in self.outcomes if self._count(rate)["broken"] >= _AGREE), default=None)

    @property
    def low(self) -> float | None:
        """The highest rate below it that has held more often than not."""
        high = self.high
        rates = [rate for rate in self.outcomes if self._has_held(rate) and (high is None or rate < high)]
        return max(rates, default=None)

    @property
    def is_confirmed(self) -> bool:
        """Whether `low` has held as often as it takes."""
        return self.low is not None and self._count(self.low)["holds"] >= _AGREE

    @property
    def end(self) -> End:
        """Why there is no next rate."""
        if self._is_stuck:
            return "generator"
        if self.low is None:
            return "nothing-holds"
        if self.trials >= MOST_TRIALS:
            return "trials"
        return "rate" if self.high is None else "precision"

    def next_rate(self) -> float | None:
        """What to try next; None at the end."""
        if self.trials >= MOST_TRIALS:
            return None
        if not self.outcomes:
            return self.start
        if not self._is_settled(self._last):
            return self._last
        if self._is_stuck:
            return self._confirm()
        if self.high is None:
            return self._grow()
        if self.low is None:
            lower = _round(self.high / _RETREAT)
            return lower if lower >= self.least else None
        middle = _round(math.sqrt(self.low * self.high))
        if self.high / self.low <= 1 + self.precision or not self.low < middle < self.high:
            return self._confirm()
        return middle

    def _grow(self) -> float | None:
        """The next rate above the highest; none was broken."""
        highest = max(self.outcomes)
        return _round(highest * _GROWTH) if highest * _GROWTH <= MOST_RATE else self._confirm()

    def _confirm(self) -> float | None:
        return self.low if self.low is not None and not self.is_confirmed else None

    def _count(self, rate: float) -> Counter[Outcome]:
        return Counter(self.outcomes[rate])

    def _has_held(self, rate: float) -> bool:
        count = self._count(rate)
        return count["holds"] > count["broken"]

    @property
    def _is_stuck(self) -> bool:
        """Whether a rate that is not broken could not be judged."""
        return any(
            self._count(rate)["undecided"] >= _AGREE for rate in self.outcomes if self.high is None or rate < self.high
        )

    def _is_settled(self, rate: float) -> bool:
        count = self._count(rate)
        if max(count.values()) >= _AGREE:
            return True
        return self.high is None and count["holds"] > 0 and not count["broken"]


def _round(rate: float) -> float:
    """Three significant digits."""
    return float(f"{rate:.3g}")
