"""How a budget of measuring is divided: whether a layout still fits, and how many rounds are made of it. Pure."""

import contextlib
import statistics
from collections.abc import Callable, Collection, Iterator

Clock = Callable[[], int]

LAYOUTS = 14
"""So many layouts should fit into the budget: 13 decide also where one of them is a freak."""
LEAST_ROUNDS = 3
"""A layout with fewer is left out, unless it is the only one."""


class Stopwatch:
    """Time spent measuring, in ns; it can be stopped and started again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent = 0
        self._since: int | None = None

    @property
    def spent_ns(self) -> int:
        """So far."""
        return self._spent + (0 if self._since is None else self._clock() - self._since)

    @contextlib.contextmanager
    def running(self, on: bool = True) -> Iterator[None]:
        """Run, or stand still, for as long as this lasts."""
        before = self._since is not None
        self._turn(on)
        try:
            yield
        finally:
            self._turn(before)

    def _turn(self, on: bool) -> None:
        self._spent, self._since = self.spent_ns, self._clock() if on else None


class Pace:
    """Plans rounds from what blocks and layouts have taken. All times in ns; `most_rounds` are made of a layout."""

    def __init__(self, limit_ns: int, batches: Collection[int], most_rounds: int) -> None:
        self._limit_ns = limit_ns
        self._batches = list(batches)
        self._most_rounds = most_rounds
        self._block_ns: dict[tuple[object, int], int] = {}
        self._overheads: list[float] = []

    def took(self, who: object, batch: int, block_ns: int) -> None:
        """A block of `who` at `batch` took so long."""
        self._block_ns[who, batch] = block_ns

    def laid_out(self, candidates: int, beside_ns: int) -> None:
        """A layout of so many entrants took so long beside its blocks: loading and warming up."""
        self._overheads.append(beside_ns / max(1, candidates))

    def fits_layout(self, who: Collection[object], left_ns: int) -> bool:
        """Whether the warm-up and the fewest rounds fit; always for the first layout."""
        if not self._overheads:
            return True
        rounds_ns = sum(self.round_ns(who, batch) for batch in self._batches)
        return statistics.median(self._overheads) * len(who) + LEAST_ROUNDS * rounds_ns <= left_ns

    def fits_block(self, who: object, batch: int, left_ns: int) -> bool:
        """Whether the budget's end is nearer after one more block than before it."""
        return left_ns > self._block_ns.get((who, batch), 0) / 2

    def rounds(self, who: Collection[object], batch: int, left_ns: int, done: int) -> int:
        """Rounds of a layout at `batch`, of which some are `done`, with `left_ns` of the budget left.

        As many as let the usual number of layouts fit. Where no further layout does, all that is left, shared with the
        later batch sizes. One, where it is not known how long that takes.
        """
        round_ns = self.round_ns(who, batch)
        if not round_ns:
            return 1
        later = self._batches[self._batches.index(batch) + 1 :]
        usual = round(self._limit_ns / LAYOUTS / len(self._batches) / round_ns)
        usual = max(LEAST_ROUNDS, min(self._most_rounds, usual))
        after_ns = left_ns - (usual - done) * round_ns - sum(usual * self.round_ns(who, size) for size in later)
        return usual if self.fits_layout(who, after_ns) else done + round(left_ns / (1 + len(later)) / round_ns)

    def round_ns(self, who: Collection[object], batch: int) -> int:
        """What a round takes, by the last blocks; 0 before the first."""
        return sum(self._block_ns.get((one, batch), 0) for one in who)
