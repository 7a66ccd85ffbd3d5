"""How a budget of measuring is divided: whether a layout still fits, and how many rounds are made of it."""

import contextlib
import statistics
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from infer_bench.measure.candidates.candidates import Key

Clock = Callable[[], int]

RECENT_LAYOUTS = 3
"""The last ones say what the next will take: the first is often slower."""
STEP_SHARE = 0.1
"""Of what is left, for a step that can be cut short."""
SPARE_LAYOUTS = 0.5
"""So much room is left where rounds are planned so that a number of layouts fits."""
LEAST_ROUNDS = 3
"""A layout with fewer is left out, unless it is the only one."""

LEAST_WHOLE_NS = 4_000_000_000
"""Less than this is over when the first process has started: it bounds what comes then."""
LEAST_BUDGET_S = 5.0
"""From here on a budget of a bench, of which a part may be kept for rows made to find differences, ends starts."""


class Durations:
    """What blocks and layouts take, in ns."""

    def __init__(self) -> None:
        self._block_ns: dict[tuple[Key, int], int] = {}
        self._openings_ns: list[float] = []
        self._overheads_ns: list[float] = []

    def note_block(self, key: Key, batch: int, block_ns: int) -> None:
        """A block of a candidate took so long."""
        self._block_ns[key, batch] = block_ns

    def note_opening(self, candidates: int, opening_ns: int) -> None:
        """The sessions of a layout of so many candidates took so long to open."""
        self._openings_ns.append(opening_ns / max(1, candidates))

    def note_closing(self, candidates: int, closing_ns: int) -> None:
        """The sessions of the layout that was opened last took so long to close."""
        if self._openings_ns:
            self._openings_ns[-1] += closing_ns / max(1, candidates)

    def note_layout(self, candidates: int, overhead_ns: int) -> None:
        """A layout of so many candidates took so long beside its opening and its blocks: warming up."""
        self._overheads_ns.append(overhead_ns / max(1, candidates))

    def block_ns(self, key: Key, batch: int) -> int:
        """What the last block of a candidate took; 0 before the first."""
        return self._block_ns.get((key, batch), 0)

    def round_ns(self, keys: Collection[Key], batch: int) -> int:
        """What a round takes, by the last blocks; 0 before the first."""
        return sum(self.block_ns(key, batch) for key in keys)

    def opening_ns(self, candidates: int) -> float:
        """What it takes to open a layout of so many and to close it, by the last ones; 0 before the first."""
        return statistics.median(self._openings_ns[-RECENT_LAYOUTS:]) * candidates if self._openings_ns else 0.0

    def overhead_ns(self, candidates: int) -> float | None:
        """What a layout of so many takes beside its opening and its blocks; None before the first."""
        return statistics.median(self._overheads_ns[-RECENT_LAYOUTS:]) * candidates if self._overheads_ns else None


class Budget:
    """A time in ns, what of it is left, and on what it goes.

    With `begin_ns`, a reading of the clock, it is a time from then on, whatever it is spent on. Without, it is one for
    measuring alone, and stands still beside that.
    """

    def __init__(self, limit_ns: int, clock: Clock = time.perf_counter_ns, begin_ns: int | None = None) -> None:
        self.limit_ns = limit_ns
        self.durations = Durations()
        self.clock = clock
        self._begin_ns = begin_ns
        self._spent_ns = 0
        self._since_ns: int | None = None
        self.started_ns: int | None = None

    def note_start(self) -> None:
        """The first layout is open: `started_ns` is what of the budget was used by then."""
        self.started_ns = self.used_ns if self.started_ns is None else self.started_ns

    @property
    def bounds_all(self) -> bool:
        """Whether opening layouts counts as well."""
        return self._begin_ns is not None

    @property
    def spent_ns(self) -> int:
        """On measuring, so far."""
        return self._spent_ns + (0 if self._since_ns is None else self.clock() - self._since_ns)

    @property
    def used_ns(self) -> int:
        """On all that it bounds, so far."""
        return self.spent_ns if self._begin_ns is None else self.clock() - self._begin_ns

    @property
    def left_ns(self) -> int:
        """Until it ends; below zero afterwards."""
        return self.limit_ns - self.used_ns

    @property
    def bounds_starts(self) -> bool:
        """Whether it can end what opens the first layout: one below `LEAST_WHOLE_NS` holds no start at all."""
        return self.bounds_all and self.limit_ns >= LEAST_WHOLE_NS

    @property
    def is_over(self) -> bool:
        """Whether it bounds all of a run, and nothing of it is left."""
        return self.bounds_starts and self.left_ns <= 0

    def layout_ns(self, candidates: int) -> float:
        """What a layout of so many takes of it beside blocks; 0 before the first."""
        opening_ns = self.durations.opening_ns(candidates) if self.bounds_all else 0.0
        return opening_ns + (self.durations.overhead_ns(candidates) or 0.0)

    def cap_ns(self, usual_ns: int, least_ns: int = 0) -> int:
        """The time for a step that usually takes so long: no more than a part of what is left."""
        return max(least_ns, min(usual_ns, round(max(0, self.left_ns) * STEP_SHARE))) if self.bounds_all else usual_ns

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
        self._spent_ns, self._since_ns = self.spent_ns, self.clock() if on else None


class Pace:
    """Plans the rounds of a budget from what blocks and layouts have taken; `most_rounds` are made of a layout.

    The largest number of `layouts` that fits with as few rounds as count is aimed at, the least (the first one) in any
    case. `total_ns` is what was left for them when the first one began.
    """

    def __init__(self, budget: Budget, batches: Collection[int], most_rounds: int, layouts: Sequence[int]) -> None:
        self._budget = budget
        self._durations = budget.durations
        self._batches = list(batches)
        self._most_rounds = most_rounds
        self._layouts = tuple(layouts)
        self.total_ns = self._share_ns = budget.limit_ns

    def begin_layout(self, count: int, keys: Collection[Key]) -> None:
        """A layout is about to be opened, `count` are over: it has its part of what is left for all that should fit."""
        left_ns = max(1, self._budget.left_ns)
        if count == 0:
            self.total_ns = left_ns
        fitting = count + self.count_layouts(keys)
        aim = max((number for number in self._layouts if number <= fitting), default=self._layouts[0])
        further = aim - count
        self._share_ns = round(left_ns / (further + SPARE_LAYOUTS)) if further > 0 else self.total_ns // aim

    def fits_layout(self, keys: Collection[Key], left_ns: int | None = None) -> bool:
        """Whether the opening, the warm-up and the fewest rounds fit; always for the first layout."""
        if self._durations.overhead_ns(len(keys)) is None:
            return True
        left_ns = self._budget.left_ns if left_ns is None else left_ns
        return self._budget.layout_ns(len(keys)) + LEAST_ROUNDS * self._all_batches_ns(keys) <= left_ns

    def count_layouts(self, keys: Collection[Key]) -> int:
        """How many more layouts fit, with as few rounds as count; none before the first has shown what they take."""
        layout_ns = self._budget.layout_ns(len(keys)) + LEAST_ROUNDS * self._all_batches_ns(keys)
        return int(max(0, self._budget.left_ns) / layout_ns) if layout_ns else 0

    def fits_block(self, key: Key, batch: int) -> bool:
        """Whether the budget's end is nearer after one more block than before it."""
        return self._budget.left_ns > self._durations.block_ns(key, batch) / 2

    def longest_block_ns(self, candidates: int) -> int:
        """How long a block may be, so that the usual number of layouts fits with the fewest rounds.

        Where opening takes nearly all of the budget, a third is for blocks all the same, of fewer layouts.
        """
        least = self._layouts[0]
        openings_ns = least * self._durations.opening_ns(candidates) if self._budget.bounds_all else 0.0
        blocks = least * LEAST_ROUNDS * max(1, candidates) * len(self._batches)
        return int(max(self.total_ns - openings_ns, self.total_ns / 3) / blocks)

    def plan_rounds(self, keys: Collection[Key], batch: int, count: int) -> int:
        """The rounds of a layout at `batch`, of which `count` are made.

        As many as let the usual number of layouts fit. Where no further layout does, all that is left, shared with the
        later batch sizes. One, where it is not known how long that takes.
        """
        round_ns, left_ns = self._durations.round_ns(keys, batch), self._budget.left_ns
        if not round_ns:
            return 1
        later = self._batches[self._batches.index(batch) + 1 :]
        usual = round((self._share_ns - self._budget.layout_ns(len(keys))) / len(self._batches) / round_ns)
        usual = max(LEAST_ROUNDS, min(self._most_rounds, usual))
        later_ns = sum(usual * self._durations.round_ns(keys, size) for size in later)
        after_ns = left_ns - (usual - count) * round_ns - later_ns
        return usual if self.fits_layout(keys, after_ns) else count + round(left_ns / (1 + len(later)) / round_ns)

    def _all_batches_ns(self, keys: Collection[Key]) -> int:
        return sum(self._durations.round_ns(keys, batch) for batch in self._batches)
