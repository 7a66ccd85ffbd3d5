"""How a budget of measuring is divided: whether a layout still fits, and how many rounds are made of it."""

import contextlib
import statistics
import time
from collections.abc import Callable, Collection, Iterator

from infer_bench.measure.candidates.candidates import Key

Clock = Callable[[], int]

LAYOUTS = 14
"""So many layouts should fit into the budget: 13 decide also where one of them is a freak."""
LEAST_ROUNDS = 3
"""A layout with fewer is left out, unless it is the only one."""


class Durations:
    """What blocks and layouts take, in ns."""

    def __init__(self) -> None:
        self._block_ns: dict[tuple[Key, int], int] = {}
        self._overheads_ns: list[float] = []

    def note_block(self, key: Key, batch: int, block_ns: int) -> None:
        """A block of a candidate took so long."""
        self._block_ns[key, batch] = block_ns

    def note_layout(self, candidates: int, overhead_ns: int) -> None:
        """A layout of so many candidates took so long beside its blocks: warming up."""
        self._overheads_ns.append(overhead_ns / max(1, candidates))

    def block_ns(self, key: Key, batch: int) -> int:
        """What the last block of a candidate took; 0 before the first."""
        return self._block_ns.get((key, batch), 0)

    def round_ns(self, keys: Collection[Key], batch: int) -> int:
        """What a round takes, by the last blocks; 0 before the first."""
        return sum(self.block_ns(key, batch) for key in keys)

    def overhead_ns(self, candidates: int) -> float | None:
        """What a layout of so many takes beside its blocks; None before the first."""
        return statistics.median(self._overheads_ns) * candidates if self._overheads_ns else None


class Budget:
    """The time for measuring, in ns, what of it is spent, and on what: the clock can be stopped and started again."""

    def __init__(self, limit_ns: int, clock: Clock = time.perf_counter_ns) -> None:
        self.limit_ns = limit_ns
        self.durations = Durations()
        self._clock = clock
        self._spent_ns = 0
        self._since_ns: int | None = None

    @property
    def spent_ns(self) -> int:
        """So far."""
        return self._spent_ns + (0 if self._since_ns is None else self._clock() - self._since_ns)

    @property
    def left_ns(self) -> int:
        """Until it ends; below zero afterwards."""
        return self.limit_ns - self.spent_ns

    @contextlib.contextmanager
    def running(self, on: bool = True) -> Iterator[None]:
        """Run, or stand still, for as long as this lasts."""
        before = self._since_ns is not None
        self._turn(on)
        try:
            yield
        finally:
            self._turn(before)

    def _turn(self, on: bool) -> None:
        self._spent_ns, self._since_ns = self.spent_ns, self._clock() if on else None


class Pace:
    """Plans the rounds of a budget from what blocks and layouts have taken; `most_rounds` are made of a layout."""

    def __init__(self, budget: Budget, batches: Collection[int], most_rounds: int) -> None:
        self._budget = budget
        self._durations = budget.durations
        self._batches = list(batches)
        self._most_rounds = most_rounds

    def fits_layout(self, keys: Collection[Key], left_ns: int | None = None) -> bool:
        """Whether the warm-up and the fewest rounds fit; always for the first layout."""
        overhead_ns = self._durations.overhead_ns(len(keys))
        if overhead_ns is None:
            return True
        rounds_ns = sum(self._durations.round_ns(keys, batch) for batch in self._batches)
        left_ns = self._budget.left_ns if left_ns is None else left_ns
        return overhead_ns + LEAST_ROUNDS * rounds_ns <= left_ns

    def fits_block(self, key: Key, batch: int) -> bool:
        """Whether the budget's end is nearer after one more block than before it."""
        return self._budget.left_ns > self._durations.block_ns(key, batch) / 2

    def plan_rounds(self, keys: Collection[Key], batch: int, count: int) -> int:
        """The rounds of a layout at `batch`, of which `count` are made.

        As many as let the usual number of layouts fit. Where no further layout does, all that is left, shared with the
        later batch sizes. One, where it is not known how long that takes.
        """
        round_ns, left_ns = self._durations.round_ns(keys, batch), self._budget.left_ns
        if not round_ns:
            return 1
        later = self._batches[self._batches.index(batch) + 1 :]
        usual = round(self._budget.limit_ns / LAYOUTS / len(self._batches) / round_ns)
        usual = max(LEAST_ROUNDS, min(self._most_rounds, usual))
        later_ns = sum(usual * self._durations.round_ns(keys, size) for size in later)
        after_ns = left_ns - (usual - count) * round_ns - later_ns
        return usual if self.fits_layout(keys, after_ns) else count + round(left_ns / (1 + len(later)) / round_ns)
