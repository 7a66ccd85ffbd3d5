"""Rounds: one block of each candidate, in random order, never two at once."""

import random
from collections.abc import Mapping

from infer_bench.errors import InferBenchError
from infer_bench.measure.candidates.candidates import Key
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.layouts import ActiveLayout, LayoutSource, OpenSession
from infer_bench.measure.schedule.measurements import Measurement, Measurements
from infer_bench.measure.schedule.stopping import StoppingRule
from infer_bench.workers.process import Worker
from infer_bench.workers.timing.requests import TimeBlock, TimeRounds

AT_ONCE_NS = 200_000_000
"""So long a worker may be left to itself between two messages."""
STRIDE = 211
"""Every round begins so many rows further on (a prime), and all candidates with the same row: they answer alike."""


class RoundSampler:
    """Adds rounds to the measurements of a layout, and notes what blocks take."""

    def __init__(
        self,
        measurements: Measurements,
        source: LayoutSource,
        rule: StoppingRule,
        budget: Budget,
        seed: int,
    ) -> None:
        self._measurements = measurements
        self._source = source
        self._rule = rule
        self._budget = budget
        self._durations = budget.durations
        self._random = random.Random(seed)
        self._start = 0

    def sample_rounds(self, layout: ActiveLayout, batch: int, index: int, most: int) -> int:
        """Make some rounds, `index` being the first one's number; returns how many were whole.

        Where all sessions live in one worker it makes as many at a time as are short: each message to it is a chance
        for other processes to come between.
        """
        worker, round_ns = layout.shared_worker, self._durations.round_ns(layout.sessions.keys(), batch)
        if worker is not None and round_ns:
            count = min(most, AT_ONCE_NS // round_ns, round(self._budget.left_ns / round_ns))
            if count > 1:
                return self._sample_at_once(layout, worker, batch, index, count)
        return int(self._sample_round(layout, batch, index))

    def _sample_round(self, layout: ActiveLayout, batch: int, index: int) -> bool:
        """A block of each; False when the budget, or the worker, ends before all had theirs."""
        sessions = list(layout.sessions.items())
        for position, (key, session) in enumerate(self._random.sample(sessions, len(sessions))):
            if layout.is_lost or not self._rule.allows_block(key, batch, index):
                return False
            begin_ns = self._budget.spent_ns
            with layout.charge(key):
                self._sample_block(self._measurements[key, batch], session, index, position)
            self._durations.note_block(key, batch, self._budget.spent_ns - begin_ns)
        self._start += STRIDE
        return True

    def _sample_block(self, measurement: Measurement, session: OpenSession, index: int, position: int) -> None:
        measurement.add_round(session.ask(_plan_block(measurement, self._start)), index, position)

    def _sample_at_once(self, layout: ActiveLayout, worker: Worker, batch: int, index: int, count: int) -> int:
        """Several rounds in one message; whoever's block it was when they broke off has failed."""
        sessions, begin_ns, whole = layout.sessions, self._budget.spent_ns, 0
        try:
            whole = self._ask_rounds(sessions, worker, batch, index, count)
        except InferBenchError as error:
            running = self._source.running_session()
            layout.fail([key for key, session in sessions.items() if running in (None, session.number)], error)
        for key in sessions:
            duration_ns = (self._budget.spent_ns - begin_ns) // max(1, whole) // len(sessions)
            self._durations.note_block(key, batch, duration_ns)
        return whole

    def _ask_rounds(
        self, sessions: Mapping[Key, OpenSession], worker: Worker, batch: int, index: int, count: int
    ) -> int:
        measurements = {session.number: self._measurements[key, batch] for key, session in sessions.items()}
        orders = [self._random.sample(list(measurements), len(measurements)) for _ in range(count)]
        starts = [self._start + STRIDE * n for n in range(count)]
        self._start += STRIDE * count
        plans = tuple(
            tuple(_plan_block(measurements[number], start, number) for number in order)
            for order, start in zip(orders, starts, strict=True)
        )
        rounds = worker.ask(TimeRounds(plans, limit_ns=max(1, self._budget.left_ns))).rounds
        for nth, blocks in enumerate(rounds):
            for position, (number, block) in enumerate(zip(orders[nth], blocks, strict=True)):
                measurements[number].add_round(block, index + nth, position)
        return len(rounds)


def _plan_block(measurement: Measurement, start: int, session: int = 0) -> TimeBlock:
    """The request for a block that begins with row `start`."""
    plan, batch = measurement.plan, measurement.batch
    if plan is None:
        raise RuntimeError("a block before its warm-up")
    return TimeBlock(batch, plan.samples, plan.calls, plan.phases, plan.split, start, session=session)
