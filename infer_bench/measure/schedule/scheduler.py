"""The duel: candidates and baselines, block against block, on one layout after the other, until it is decided."""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.errors import InferBenchError, WorkerError
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import throttled_ns
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.budget import LAYOUTS, LEAST_ROUNDS, Clock, Pace, Stopwatch
from infer_bench.measure.schedule.fixed_rounds import ANSWERS_LIMIT_S, asked, block_of, round_of, taken_round
from infer_bench.measure.schedule.layouts import Layout, LayoutSource, OpenSession
from infer_bench.measure.schedule.measurements import Measurement, Run, Shape, shape_for, shared_calls
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress

ROUNDS, ROUNDS_OF_PROCESSES, ROUNDS_FOR_TAILS = 4, 8, 16
"""Rounds a layout: with 4 the ratio of two medians is known to about 0.4 %, below what layouts differ by. Processes
take long to start, so more is made of each; and a p95 is noise of the blocks first and of the layouts second: with 16
rounds a gate takes half as many layouts, and less time, than with 8."""
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
class Pair:
    """A candidate and what it is compared with; no baseline where only absolute limits hold."""

    candidate: Candidate
    baseline: Candidate | None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Both, the baseline first."""
        return (self.candidate,) if self.baseline is None else (self.baseline, self.candidate)


class Duel:
    """Runs layouts until every match is decided or the budget is spent.

    `measurements`, `specs` and `failed` always hold what is known so far. `samples` is what a block must hold for the
    percentiles that are judged, `unfit` those that cannot take part, and why. Measuring ends with the budget, which
    only the first round may exceed.
    """

    def __init__(
        self,
        matches: Sequence[Pair],
        seating: LayoutSource,
        settings: Settings,
        samples: int,
        progress: Progress,
        unfit: Mapping[Key, InferBenchError] | None = None,
        clock: Clock = time.perf_counter_ns,
    ) -> None:
        self.matches = tuple(matches)
        self.candidates = _candidates(matches)
        self.measurements = {
            (e.key, batch): Measurement(e, batch) for batch in settings.batches for e in self.candidates
        }
        self.specs: dict[Key, ModelSpec] = {}
        self.failed: dict[Key, InferBenchError] = dict(unfit or {})
        self.about: dict[Key, Mapping[str, object]] = {}
        self.watch = Stopwatch(clock)
        self.layouts = 0
        self.rounds = 0
        self._seating = seating
        self._settings = settings
        self._samples = samples
        self._progress = progress
        self._random = random.Random(settings.seed)
        self._limit_ns = max(1, round(settings.limit_s * 1e9))
        self._saved: Callable[[], None] = lambda: None
        self._pace = Pace(self._limit_ns, settings.batches, _most_rounds(seating.restarts, samples))
        self._start = 0
        self._taken: dict[Key, OpenSession] = {}

    cut_short = False
    left_out: list[Candidate] = []  # noqa: RUF012 - never filled: whoever fails in a gate was asked for

    @property
    def lean(self) -> frozenset[str]:
        """The candidates whose workers keep modules from being imported, where their start was measured."""
        if not self._seating.restarts:
            return frozenset()
        return frozenset(e.label for e in self.candidates if e.engine.lean(e.artefact, e.options))

    @property
    def layouts_kept(self) -> int:
        """Without one that the budget cut short of its least rounds."""
        return max(sum(bool(run.rounds) for run in measurement.runs) for measurement in self.measurements.values())

    def run(self, undecided: Callable[[], Collection[Pair]], saved: Callable[[], None]) -> None:
        """Measure. `undecided` is asked after every layout, `saved` is called after the rounds of every word."""
        self._saved = saved
        left = [match for match in self.matches if self._alive(match)]
        try:
            self._tell("starting")
            self.failed |= self._seating.prepare(_candidates(left))
            left = [match for match in left if self._alive(match)]
            while left and self._pace.fits_layout([e.key for e in _candidates(left)], self._left_ns):
                self._layout(self.layouts, _candidates(left))
                self.layouts += 1
                left = [match for match in undecided() if self._alive(match)]
        finally:
            self._seating.close()

    def _alive(self, match: Pair) -> bool:
        return not any(candidate.key in self.failed for candidate in match.candidates)

    @property
    def _left_ns(self) -> int:
        return self._limit_ns - self.watch.spent_ns

    def _tell(self, message: str) -> None:
        self._progress.update(min(1.0, self.watch.spent_ns / self._limit_ns), message)

    def _layout(self, index: int, candidates: Sequence[Candidate]) -> None:
        begun, raced = self.watch.spent_ns, 0
        self._tell(f"layout {index + 1}: loading")
        with self._seating.layout(index, candidates) as layout:
            self.failed |= layout.failed
            self._taken = layout.taken
            self._meet(layout)
            with self.watch.running():
                for batch in self._settings.batches:
                    self._warm(batch, layout)
                    if batch == self._settings.batches[-1]:
                        self._pace.laid_out(len(candidates), self.watch.spent_ns - begun - raced)
                    before = self.watch.spent_ns
                    self._race(batch, layout)
                    raced += self.watch.spent_ns - before

    @contextlib.contextmanager
    def _costs_its_row(self, key: Key) -> Iterator[None]:
        try:
            yield
        except InferBenchError as error:
            self._out(key, error)

    def _out(self, key: Key, error: InferBenchError) -> None:
        """Whoever fails is out. The others lose this layout when the worker that they share has ended, no more."""
        if key in self._taken:
            self.failed[key] = error
        if isinstance(error, WorkerError) and not self._seating.restarts:
            for measurement in self.measurements.values():
                measurement.runs = [run for run in measurement.runs if run.process.index != self.layouts]
            self._taken.clear()

    def _standing(self, layout: Layout) -> list[tuple[Key, OpenSession]]:
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
                    self._answers(self.measurements[key, batch], taken)

    def _answers(self, measurement: Measurement, taken: OpenSession) -> None:
        limit = {"timeout_s": self._settings.timeout_s + ANSWERS_LIMIT_S, "limit_ns": int(ANSWERS_LIMIT_S * 1e9)}
        reply = taken.ask("answers", batch=measurement.batch, **limit)
        measurement.predictions, measurement.labels = reply.arrays["answers"], reply.fields["labels"]

    def _warm(self, batch: int, layout: Layout) -> None:
        requests_ns = {}
        for key, taken in self._standing(layout):
            with self._costs_its_row(key):
                warm = taken.ask("warm", batch=batch, **WARM[self._seating.restarts]).fields
                run = Run(taken.process)
                run.warmed(warm)
                self.measurements[key, batch].runs.append(run)
                requests_ns[key] = int(warm["request_ns"])
        calls = shared_calls(requests_ns.values())
        for key, request_ns in requests_ns.items() if layout.taken else ():
            measurement = self.measurements[key, batch]
            measurement.shape = measurement.shape or self._shape(request_ns, len(layout.taken), calls)

    def _shape(self, request_ns: int, candidates: int, calls: int) -> Shape:
        most_ns = round(self._settings.timeout_s * 1e9 / 2)
        blocks = LAYOUTS * LEAST_ROUNDS * candidates * len(self._settings.batches)
        return shape_for(
            request_ns, self._settings.scenario, self._samples, min(self._limit_ns // blocks, most_ns), calls
        )

    def _race(self, batch: int, layout: Layout) -> None:
        """Rounds of one block each, in random order."""
        throttled, done, wanted = throttled_ns(), 0, self._planned(batch, layout, 0)
        while self._goes_on(batch, layout, done, wanted):
            made = self._rounds(batch, layout, done, max(1, wanted - done))
            if not made:
                break
            wanted = self._planned(batch, layout, made) if done == 0 else wanted
            done += made
            with self.watch.running(False):
                self._saved()
        self.rounds = self.rounds or done
        with self.watch.running(False):
            self._end(batch, layout, throttled_ns() - throttled, kept=done >= LEAST_ROUNDS or self.layouts == 0)

    def _planned(self, batch: int, layout: Layout, done: int) -> int:
        return self._pace.rounds([key for key, _ in self._standing(layout)], batch, self._left_ns, done)

    def _goes_on(self, batch: int, layout: Layout, done: int, wanted: int) -> bool:
        """Whether there is a round to come: one that was planned, or with what is left when no layout fits any more."""
        standing = [key for key, _ in self._standing(layout)]
        last = batch == self._settings.batches[-1] and not self._pace.fits_layout(standing, self._left_ns)
        return bool(standing) and (done < wanted or last)

    def _rounds(self, batch: int, layout: Layout, done: int, most: int) -> int:
        """Make some rounds; returns how many were whole, none when the budget has ended.

        Where all sessions sit in one worker it makes as many at a time as are short: each word to it is a chance for
        other processes to come between.
        """
        self._tell(f"layout {self.layouts + 1}, batch {batch:,}, round {done + 1}")
        standing = self._standing(layout)
        known = self._pace.round_ns([key for key, _ in standing], batch)
        count = min(most, AT_ONCE_NS // known, round(self._left_ns / known)) if known else 1
        if count <= 1 or self._seating.restarts or len({id(taken.worker) for _, taken in standing}) != 1:
            return int(self._round(batch, standing, done))
        begun, made = self.watch.spent_ns, 1
        try:
            made = self._together(batch, standing, done, count)
        except InferBenchError as error:
            made, seat = 0, self._seating.at_work()
            keys = [key for key, taken in standing if seat in (None, taken.seat)]
            self.failed |= dict.fromkeys(keys, error)
            self._out(keys[0], error)
        for key, _ in standing:
            self._pace.took(key, batch, (self.watch.spent_ns - begun) // max(1, made) // len(standing))
        return made

    def _round(self, batch: int, standing: Sequence[tuple[Key, OpenSession]], index: int) -> bool:
        """A block of each; False when the budget, or the worker, ends before all had theirs."""
        for position, (key, taken) in enumerate(self._random.sample(standing, len(standing))):
            first = self.layouts == index == 0
            if not self._taken or not (first or self._pace.fits_block(key, batch, self._left_ns)):
                return False
            begun = self.watch.spent_ns
            with self._costs_its_row(key):
                measurement = self.measurements[key, batch]
                measurement.runs[-1].rounds.append(
                    taken_round(measurement, taken, index, position, split=False, start=self._start)
                )
            self._pace.took(key, batch, self.watch.spent_ns - begun)
        self._start += STRIDE
        return True

    def _together(self, batch: int, standing: Sequence[tuple[Key, OpenSession]], done: int, count: int) -> int:
        """Several rounds of the sessions of one worker."""
        measurements = {taken.seat: self.measurements[key, batch] for key, taken in standing}
        orders = [self._random.sample(list(measurements), len(measurements)) for _ in range(count)]
        starts = [self._start + STRIDE * n for n in range(count)]
        self._start += STRIDE * count
        shapes = {str(seat): {**asked(measurement), "split": False} for seat, measurement in measurements.items()}
        how: dict[str, Any] = {"orders": orders, "starts": starts, "shapes": shapes, "limit_ns": max(1, self._left_ns)}
        reply = standing[0][1].worker.ask("rounds", **how)
        made = 1 + max(int(name.partition("/")[0]) for name in reply.fields["counts"])
        for nth in range(made):
            for position, seat in enumerate(orders[nth]):
                found = round_of(measurements[seat], *block_of(reply, f"{nth}/{seat}"), done + nth, position)
                measurements[seat].runs[-1].rounds.append(found)
        return made

    def _end(self, batch: int, layout: Layout, throttled: int, *, kept: bool) -> None:
        for key, taken in self._standing(layout):
            run = self.measurements[key, batch].runs[-1]
            if not kept:
                self.measurements[key, batch].runs.pop()
                continue
            with self._costs_its_row(key):
                nothing = {"rss_bytes": 0, "peak_rss_bytes": 0}
                held = taken.ask("memory").fields if self._seating.restarts else nothing
                run.ended(held, throttled)


def _candidates(matches: Sequence[Pair]) -> list[Candidate]:
    """All who take part in some matches, each once."""
    return list({e.key: e for match in matches for e in match.candidates}.values())


def _most_rounds(restarts: bool, samples: int) -> int:
    if samples > 1:
        return ROUNDS_FOR_TAILS
    return ROUNDS_OF_PROCESSES if restarts else ROUNDS
