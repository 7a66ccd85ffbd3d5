"""The duel: candidates and baselines, block against block, on one layout after the other, until it is decided."""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.environment import throttled_ns
from infer_bench.errors import InferBenchError
from infer_bench.measure.desk import PACKAGES
from infer_bench.measure.entrants import Entrant, Key
from infer_bench.measure.lanes import Lane, Run, Shape, shape_for
from infer_bench.measure.progress import Progress
from infer_bench.measure.race import ANSWERS_LIMIT_S, asked, round_of, taken_round
from infer_bench.measure.seating import Layout, Seating, Taken
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec

ROUNDS = 4
"""Rounds a layout: with 4 the ratio of two medians is known to about 0.4 %, below what layouts differ by. Twice as many
in fresh processes, which take long to start, and twice as many where a tail is judged, which blocks know less well."""
LEAST_ROUNDS = 3
LAYOUTS = 14
"""So many layouts should fit into the budget: 13 decide also where one of them is a freak."""
WARM: Mapping[bool, Mapping[str, int]] = {
    True: {"limit_ns": 120_000_000},
    False: {"limit_ns": 8_000_000, "window_ns": 4_000_000},
}
"""How to warm up: a fresh process, and a session in a worker whose library is warm already."""
AT_ONCE_NS = 200_000_000
"""So long a worker may be left to itself between two words."""
STRIDE = 211
"""Every round begins so many rows further on (a prime), and all sides with the same row: they answer the same ones."""


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate and what it is compared with; no baseline where only absolute limits hold."""

    candidate: Entrant
    baseline: Entrant | None

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        """Both, the baseline first."""
        return (self.candidate,) if self.baseline is None else (self.baseline, self.candidate)


class Stopwatch:
    """Time spent measuring, in ns; it can be stopped and started again."""

    def __init__(self) -> None:
        self._spent = 0
        self._since: int | None = None

    @property
    def spent_ns(self) -> int:
        """So far."""
        return self._spent + (0 if self._since is None else time.perf_counter_ns() - self._since)

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
        self._spent, self._since = self.spent_ns, time.perf_counter_ns() if on else None


class Duel:
    """Runs layouts until every match is decided or the budget is spent.

    `lanes`, `specs` and `failed` always hold what is known so far. `samples` is what a block must hold for the
    percentiles that are judged.
    """

    def __init__(
        self, matches: Sequence[Match], seating: Seating, settings: Settings, samples: int, progress: Progress
    ) -> None:
        self.matches = tuple(matches)
        self.entrants = list({e.key: e for match in matches for e in match.entrants}.values())
        self.lanes = {(e.key, batch): Lane(e, batch) for batch in settings.batches for e in self.entrants}
        self.specs: dict[Key, ModelSpec] = {}
        self.failed: dict[Key, InferBenchError] = {}
        self.about: dict[Key, Mapping[str, object]] = {}
        self.watch = Stopwatch()
        self.layouts = 0
        self.rounds = 0
        self._seating = seating
        self._settings = settings
        self._samples = samples
        self._progress = progress
        self._random = random.Random(settings.seed)
        self._round_ns: dict[int, int] = {}
        self._layout_ns = 0
        self._start = 0

    cut_short = False
    left_out: list[Entrant] = []  # noqa: RUF012 - never filled: whoever fails in a gate was asked for

    @property
    def lean(self) -> frozenset[str]:
        """The candidates whose workers keep modules from being imported, where their start was measured."""
        if not self._seating.restarts:
            return frozenset()
        return frozenset(e.label for e in self.entrants if e.engine.lean(e.artefact, e.options))

    def run(self, undecided: Callable[[], Collection[Match]], saved: Callable[[], None]) -> None:
        """Measure. `undecided` is asked after every layout, and `saved` called then."""
        left: Collection[Match] = self.matches
        try:
            self._tell("starting")
            self._seating.prepare(self.entrants)
            while left and self._time_for_a_layout():
                self._layout(self.layouts, [match for match in left if self._alive(match)])
                self.layouts += 1
                left = [match for match in undecided() if self._alive(match)]
                saved()
        finally:
            self._seating.close()

    def _alive(self, match: Match) -> bool:
        return not any(entrant.key in self.failed for entrant in match.entrants)

    @property
    def _left_ns(self) -> int:
        return round(self._settings.limit_s * 1e9) - self.watch.spent_ns

    def _time_for_a_layout(self) -> bool:
        """Whether half of one fits: then it ends as near to the budget as can be."""
        return self.layouts == 0 or self._left_ns > self._layout_ns / 2

    def _tell(self, message: str) -> None:
        self._progress.update(min(1.0, self.watch.spent_ns / (self._settings.limit_s * 1e9)), message)

    def _layout(self, index: int, matches: Sequence[Match]) -> None:
        entrants = list({e.key: e for match in matches for e in match.entrants}.values())
        before = self.watch.spent_ns
        self._tell(f"layout {index + 1}: loading")
        with self._seating.layout(index, entrants) as layout:
            self.failed |= layout.failed
            self._meet(layout)
            with self.watch.running():
                for nth, batch in enumerate(self._settings.batches):
                    self._warm(batch, layout)
                    self._race(batch, nth, layout)
        self._layout_ns = max(self._layout_ns, self.watch.spent_ns - before)

    @contextlib.contextmanager
    def _costs_its_row(self, key: Key) -> Iterator[None]:
        try:
            yield
        except InferBenchError as error:
            self.failed[key] = error

    def _standing(self, layout: Layout) -> list[tuple[Key, Taken]]:
        return [(key, taken) for key, taken in layout.taken.items() if key not in self.failed]

    def _meet(self, layout: Layout) -> None:
        """What is asked of every entrant once: its answers, and what its interpreter holds."""
        for key, taken in self._standing(layout):
            if key in self.specs:
                continue
            self.specs[key] = taken.spec
            with self._costs_its_row(key):
                self.about[key] = taken.ask("about", packages=PACKAGES).fields
                for batch in self._settings.batches:
                    self._answers(self.lanes[key, batch], taken)

    def _answers(self, lane: Lane, taken: Taken) -> None:
        limit = {"timeout_s": self._settings.timeout_s + ANSWERS_LIMIT_S, "limit_ns": int(ANSWERS_LIMIT_S * 1e9)}
        reply = taken.ask("answers", batch=lane.batch, **limit)
        lane.answers, lane.labels = reply.arrays["answers"], reply.fields["labels"]

    def _warm(self, batch: int, layout: Layout) -> None:
        for key, taken in self._standing(layout):
            lane = self.lanes[key, batch]
            with self._costs_its_row(key):
                warm = taken.ask("warm", batch=batch, **WARM[self._seating.restarts]).fields
                lane.shape = lane.shape or self._shape(int(warm["request_ns"]), len(layout.taken))
                lane.runs.append(Run(taken.process))
                lane.runs[-1].warmed(warm)

    def _shape(self, request_ns: int, entrants: int) -> Shape:
        blocks = LAYOUTS * LEAST_ROUNDS * entrants * len(self._settings.batches)
        most_ns = round(self._settings.limit_s * 1e9 / blocks)
        return shape_for(request_ns, self._settings.scenario, self._samples, most_ns)

    def _race(self, batch: int, nth: int, layout: Layout) -> None:
        """Rounds of one block each, in random order."""
        throttled = throttled_ns()
        wanted, done = self._wanted(batch, nth), 0
        while done < wanted and (done == 0 or self._left_ns > self._round_ns[batch] / 2):
            self._tell(f"layout {self.layouts + 1}, batch {batch:,}, round {done + 1}")
            start = time.perf_counter_ns()
            made = self._rounds(batch, layout, done, wanted - done)
            self._round_ns[batch] = (time.perf_counter_ns() - start) // made
            wanted = wanted if done else self._wanted(batch, nth)
            done += made
        self.rounds = self.rounds or done
        with self.watch.running(False):
            self._end(batch, layout, throttled_ns() - throttled, kept=done >= LEAST_ROUNDS or self.layouts == 0)

    def _rounds(self, batch: int, layout: Layout, done: int, left: int) -> int:
        """Make at least one round; returns how many.

        Where all sessions sit in one worker it makes as many at a time as are short: each word to it is a chance for
        other processes to come between.
        """
        standing = self._standing(layout)
        workers = {id(taken.worker) for _, taken in standing}
        known = self._round_ns.get(batch)
        count = max(1, min(left, AT_ONCE_NS // known)) if known else 1
        if self._seating.restarts or len(workers) != 1:
            for position, (key, taken) in enumerate(self._random.sample(standing, len(standing))):
                with self._costs_its_row(key):
                    lane = self.lanes[key, batch]
                    lane.runs[-1].rounds.append(
                        taken_round(lane, taken, done, position, split=False, start=self._start)
                    )
            self._start += STRIDE
            return 1
        try:
            return self._together(batch, standing, done, count)
        except InferBenchError as error:
            self.failed |= {key: error for key, _ in standing}
            return 1

    def _together(self, batch: int, standing: Sequence[tuple[Key, Taken]], done: int, count: int) -> int:
        """Several rounds of the sessions of one worker."""
        lanes = {taken.seat: self.lanes[key, batch] for key, taken in standing}
        orders = [self._random.sample(list(lanes), len(lanes)) for _ in range(count)]
        starts = [self._start + STRIDE * n for n in range(count)]
        self._start += STRIDE * count
        shapes = {str(seat): {**asked(lane), "split": False} for seat, lane in lanes.items()}
        how: dict[str, Any] = {"orders": orders, "starts": starts, "shapes": shapes, "limit_ns": max(1, self._left_ns)}
        reply = standing[0][1].worker.ask("rounds", **how)
        counts: dict[str, Mapping[str, int]] = reply.fields["counts"]
        made = 1 + max(int(name.partition("/")[0]) for name in counts)
        for nth in range(made):
            for position, seat in enumerate(orders[nth]):
                prefix = f"{nth}/{seat}/"
                arrays = {n.removeprefix(prefix): a for n, a in reply.arrays.items() if n.startswith(prefix)}
                found = round_of(lanes[seat], counts[f"{nth}/{seat}"], arrays, done + nth, position)
                lanes[seat].runs[-1].rounds.append(found)
        return made

    def _wanted(self, batch: int, nth: int) -> int:
        """Rounds in this layout: fewer where a round takes long, and what is left of the budget in the last one."""
        round_ns = self._round_ns.get(batch)
        if round_ns is None:
            return self._most_rounds
        batches = len(self._settings.batches)
        usual = round(self._settings.limit_s * 1e9 / LAYOUTS / batches / round_ns)
        usual = max(LEAST_ROUNDS, min(self._most_rounds, usual))
        left = round(self._left_ns / (batches - nth) / round_ns)
        return max(LEAST_ROUNDS, left) if left < 1.5 * usual + self._overhead(batch) else usual

    @property
    def _most_rounds(self) -> int:
        return ROUNDS * (2 if self._seating.restarts else 1) * (2 if self._samples > 1 else 1)

    def _overhead(self, batch: int) -> float:
        """What a layout takes beside its rounds, in rounds."""
        return max(0.0, self._layout_ns / self._round_ns[batch] - self._most_rounds) / 2

    def _end(self, batch: int, layout: Layout, throttled: int, *, kept: bool) -> None:
        for key, taken in self._standing(layout):
            run = self.lanes[key, batch].runs[-1]
            if not kept:
                self.lanes[key, batch].runs.pop()
                continue
            with self._costs_its_row(key):
                nothing = {"rss_bytes": 0, "peak_rss_bytes": 0}
                held = taken.ask("memory").fields if self._seating.restarts else nothing
                run.ended(held, throttled)
