"""The highest rate at which a limit holds, by trials that may come out either way. Pure."""

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

Outcome = Literal["holds", "broken", "undecided"]
End = Literal["precision", "generator", "nothing-holds", "trials", "rate"]

PRECISION = 0.05
MOST_TRIALS = 60
MOST_RATE = 1e6
_GROWTH = 2.0
_RETREAT = 4.0
_AGREE = 3
"""Trials that must agree, and none say otherwise, before a rate counts as held or broken."""
_STUCK = 2
"""Trials of a rate that cannot be judged before it counts as one that cannot."""


@dataclass
class RateSearch:
    """Doubles the rate from `start` until the limit breaks, then bisects until the bounds lie `precision` apart.

    Where the limit breaks at `start` it looks for a rate at which it holds, down to `least`.

    Near the highest rate a limit holds in some trials and breaks in others. A rate is broken when three trials say so
    and none that it holds, there or at a higher rate. It counts as held after one trial, and the rate that is told in
    the end has held in three. Between the two lie rates of which trials differed; each bound is sought on its own side
    of them. `outcomes` are those of every rate.
    """

    start: float
    precision: float = PRECISION
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
        """The lowest rate that is broken, of those above every rate that has held at all."""
        held = max((rate for rate in self.outcomes if self._count(rate)["holds"]), default=0.0)
        return min((rate for rate in self.outcomes if rate > held and self._is_broken(rate)), default=None)

    @property
    def low(self) -> float | None:
        """The highest rate below it that has held whenever it was tried."""
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
            return "nothing-holds" if self.high == min(self.outcomes, default=None) else "trials"
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
            lower = _round(min(self.outcomes) / _RETREAT)
            return lower if lower >= self.least else None
        return self._bisect(self.low, self.high) or self._confirm()

    def _grow(self) -> float | None:
        """The next rate above the highest; none was broken."""
        highest = max(self.outcomes)
        return _round(highest * _GROWTH) if highest * _GROWTH <= MOST_RATE else self._confirm()

    def _bisect(self, low: float, high: float) -> float | None:
        """Between `low` and the next rate that was tried, else `high` and the one before; None where they are close."""
        steps = list(pairwise([low, *sorted(rate for rate in self.outcomes if low < rate < high), high]))
        for least, most in (steps[0], steps[-1]):
            middle = _round(math.sqrt(least * most))
            if most / least > 1 + self.precision and least < middle < most:
                return middle
        return None

    def _confirm(self) -> float | None:
        return self.low if self.low is not None and not self.is_confirmed else None

    def _count(self, rate: float) -> Counter[Outcome]:
        return Counter(self.outcomes[rate])

    def _has_held(self, rate: float) -> bool:
        count = self._count(rate)
        return count["holds"] > 0 and not count["broken"] and count["undecided"] < _STUCK

    def _is_broken(self, rate: float) -> bool:
        return self._count(rate)["broken"] >= _AGREE

    @property
    def _is_stuck(self) -> bool:
        """Whether a rate that is not broken could not be judged."""
        high = self.high
        return any(self._count(rate)["undecided"] >= _STUCK for rate in self.outcomes if high is None or rate < high)

    def _is_settled(self, rate: float) -> bool:
        """A rate that holds is gone beyond; whether it holds again is asked of the highest one only."""
        count = self._count(rate)
        return count["holds"] > 0 or count["broken"] >= _AGREE or count["undecided"] >= _STUCK


def _round(rate: float) -> float:
    """Three significant digits."""
    return float(f"{rate:.3g}")
