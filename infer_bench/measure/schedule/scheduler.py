"""The scheduler: candidates, block against block, on one layout after the other, until the stopping rule has enough."""

import statistics
from collections.abc import Callable, Mapping, Sequence

from infer_bench.errors import CannotRun
from infer_bench.machine.environment import throttled_ns
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.allocations import measure_allocations
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.changed_rows import measure_changed_rows
from infer_bench.measure.schedule.frame_work import measure_frame_shares
from infer_bench.measure.schedule.layouts import ActiveLayout, LayoutSource, OpenSession
from infer_bench.measure.schedule.measurements import LayoutSamples, Measurement, Measurements
from infer_bench.measure.schedule.predictions import RowPredictor
from infer_bench.measure.schedule.rounds import RoundSampler
from infer_bench.measure.schedule.stopping import StoppingRule
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress
from infer_bench.workers.requests import DescribeEnvironment, MeasureMemory
from infer_bench.workers.timing.requests import WarmUp

Inspect = Callable[[Sequence[Candidate], Mapping[Key, OpenSession], Mapping[Key, ModelSpec]], None]


class Scheduler:
    """Fills `measurements`, which hold what is known at any time.

    The sessions come from `source`; `rule` says who is measured, how, and for how long; `budget` counts warm-ups and
    blocks. Workers are asked for the versions of `packages`, where there are any. `inspect` is called once, with the
    sessions that are still open when the last of `settings.processes` layouts has been timed.
    """

    def __init__(
        self,
        measurements: Measurements,
        source: LayoutSource,
        rule: StoppingRule,
        budget: Budget,
        settings: Settings,
        progress: Progress,
        packages: Sequence[str] = (),
        inspect: Inspect | None = None,
    ) -> None:
        self._measurements = measurements
        self._source = source
        self._rule = rule
        self._budget = budget
        self._settings = settings
        self._progress = progress
        self._packages = tuple(packages)
        self._inspect = inspect
        self._row_predictor = RowPredictor(measurements, budget, settings, together=source.restarts)
        self._rounds = RoundSampler(measurements, source, rule, budget, settings.seed)

    def run(self, save: Callable[[], None]) -> None:
        """Measure; `save` is called after every round, or after those that a worker made at once."""
        try:
            self._tell("starting")
            self._measurements.failures |= self._source.prepare(self._rule.next_candidates())
            while candidates := self._rule.next_candidates():
                self._measure_layout(candidates, save)
                self._measurements.layout_count += 1
        finally:
            self._source.close()

    def end(self) -> None:
        """End what runs, from another thread."""
        self._source.close()

    def _tell(self, message: str, batch: int | None = None) -> None:
        self._progress.update(self._rule.estimate_progress(batch), message)

    @property
    def _place(self) -> str:
        """What a layout is to the reader."""
        return f"{'process' if self._source.restarts else 'layout'} {self._measurements.layout_count + 1}"

    def _measure_layout(self, candidates: Sequence[Candidate], save: Callable[[], None]) -> None:
        verb, warm_ns, closing_ns = "starting" if self._source.restarts else "loading", 0, 0

        def announce(candidate: Candidate) -> None:
            self._tell(f"{self._place}: {verb} {candidate.label}")

        clock, durations = self._budget.clock, self._budget.durations
        opening_ns = clock()
        with self._source.layout(self._measurements.layout_count, candidates, announce) as sessions:
            durations.note_opening(len(candidates), clock() - opening_ns)
            self._budget.note_start()
            self._measurements.failures |= sessions.failures
            self._measurements.note_specs(sessions.specs)
            layout = ActiveLayout(sessions, self._measurements, restarts=self._source.restarts)
            self._ask_interpreters(layout)
            for batch in self._settings.batches:
                layout.batch = batch
                if self._leave_out(layout, batch):
                    continue
                with self._budget.running():
                    begin_ns = self._budget.spent_ns
                    self._warm_up(layout, batch)
                    warm_ns += self._budget.spent_ns - begin_ns
                    if batch == self._settings.batches[-1]:
                        durations.note_layout(len(candidates), warm_ns)
                    throttled, count = throttled_ns(), self._sample(layout, batch, save)
                closing_ns -= clock()
                self._end(layout, batch, throttled_ns() - throttled, keep=self._rule.keeps_layout(count))
                closing_ns += clock()
            if self._inspect and self._rule.is_last_layout:
                self._tell("trying rows made to find differences")
                self._inspect(self._measurements.remaining, layout.sessions, self._measurements.specs)
            closing_ns -= clock()
        durations.note_closing(len(candidates), closing_ns + clock())

    def _ask_interpreters(self, layout: ActiveLayout) -> None:
        """Ask every candidate once what its interpreter holds."""
        for key, session in layout.sessions.items() if self._packages else ():
            if key not in self._measurements.interpreters:
                with layout.charge(key):
                    self._measurements.interpreters[key] = session.ask(DescribeEnvironment(self._packages))

    def _leave_out(self, layout: ActiveLayout, batch: int) -> bool:
        """Whether there is no time for a batch size; nobody is measured at it then, on this layout or at all."""
        if self._rule.allows_batch(batch):
            return False
        error = CannotRun(f"the budget of {self._settings.limit_s:g} s was spent before it", "give a larger --budget")
        layout.fail([key for key in layout.sessions if not self._measurements[key, batch].sampled], error)
        return True

    def _warm_up(self, layout: ActiveLayout, batch: int) -> None:
        """Warm each session up and, from what a request takes then, plan the blocks."""
        requests_ns = {}
        with self._budget.running(False):
            self._row_predictor.predict(layout, batch)
        self._row_predictor.make_requests(layout, batch)
        for key, session in layout.sessions.items():
            measurement = self._measurements[key, batch]
            self._tell(f"{self._place}: warming up {measurement.candidate.label}", batch)
            with layout.charge(key):
                limit_ns, window_ns = self._rule.warm_up
                warmth = session.ask(WarmUp(batch, self._budget.cap_ns(limit_ns, 2 * window_ns), window_ns))
                measurement.layouts.append(LayoutSamples(session.process))
                measurement.layouts[-1].note_warm_up(warmth)
                requests_ns[key] = warmth.request_ns
        if not layout.is_lost:
            for key, plan in self._rule.plan_blocks(requests_ns).items():
                self._measurements[key, batch].plan = self._measurements[key, batch].plan or plan

    def _sample(self, layout: ActiveLayout, batch: int, save: Callable[[], None]) -> int:
        """Make rounds until there are enough; returns how many were whole."""
        count = 0
        while layout.sessions and (due := self._rule.count_rounds(list(layout.sessions), batch, count)):
            self._tell(f"{self._place}, batch {batch:,}, round {count + 1}", batch)
            whole = self._rounds.sample_rounds(layout, batch, count, due)
            if not whole:
                break
            count += whole
            with self._budget.running(False):
                save()
        self._measurements.round_count = self._measurements.round_count or count
        return count

    def _end(self, layout: ActiveLayout, batch: int, throttled: int, *, keep: bool) -> None:
        """Ask for the memory of processes of one session, where the layout counts."""
        for key, session in layout.sessions.items():
            layouts = self._measurements[key, batch].layouts
            if not keep:
                layouts.pop()
                continue
            with layout.charge(key):
                memory = session.ask(MeasureMemory()) if self._source.owns_memory and session.owns_memory else None
                layouts[-1].note_end(throttled, memory)
            if self._source.restarts and batch == self._settings.batches[-1] and not self._budget.is_over:
                self._measure_changed_rows(key, session)
                self._measure_allocations(key, session)
                self._measure_frames(self._measurements[key, min(self._settings.batches)], session)

    def _measure_changed_rows(self, key: Key, session: OpenSession) -> None:
        """Once a candidate, at requests of one row."""
        measurement = self._measurements[key, min(self._settings.batches)]
        if measurement.changed_rows is None and measurement.batch == 1:
            measurement.changed_rows = measure_changed_rows(measurement.candidate, session)

    def _measure_allocations(self, key: Key, session: OpenSession) -> None:
        """Once for each batch size, where it was asked for: what a request allocates through Python."""
        for batch in self._settings.batches if self._settings.memory else ():
            measurement = self._measurements[key, batch]
            if measurement.allocated_bytes is None and measurement.sampled:
                measurement.allocated_bytes = measure_allocations(session, batch)

    def _measure_frames(self, measurement: Measurement, session: OpenSession) -> None:
        """Once, in a worker that has nothing left to time, how much of the smallest request is work on DataFrames."""
        samples = measurement.samples("predict")
        if measurement.candidate.options.get("feed") != "dataframe" or measurement.frame_shares or not samples:
            return
        request_ns = statistics.median(int(ns) for rounds in measurement.samples("request") for r in rounds for ns in r)
        measurement.frame_shares = measure_frame_shares(session, measurement.batch, int(request_ns))
