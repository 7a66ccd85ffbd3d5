"""The gates of a self-test: a model against its copy, which has some more work to do, in workers of their own."""

import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from infer_bench.errors import CannotRun
from infer_bench.gates.limits import LEAST_MARGIN, GateLimits
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.rows import Rows, select_columns
from infer_bench.measure.gate.run import GateRun
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.gate.shared_rows import SharedRows
from infer_bench.measure.schedule.layouts import InjectedDelay
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.measure.settings import Settings
from infer_bench.progress import Silent
from infer_bench.report.gate import Gate
from infer_bench.stats.decisions.error_rates import Errors

CALIBRATIONS = 5
CALIBRATION_S = 3.0
"""Of a probe, its workers' starts included; where these take longer, it is tried again with `LONGER` times as much."""
LONGER, MOST_CALIBRATION_S = 4, 60.0
FIRST_TURNS, MOST_TURNS = 500, 1_000_000_000
PROBE_SHARE = 0.1
"""What is added to calibrate: about as much as in the trials."""


class TrialGate:
    """Runs one gate after the other on the same pair, each with another seed."""

    def __init__(self, baseline: Candidate, candidate: Candidate, rows: Rows, settings: Settings) -> None:
        self.baseline, self._candidate = baseline, candidate
        self._rows, self._settings = rows, settings
        self._seeds = itertools.count(settings.seed + 1)
        self._running: set[GateRun] = set()
        self._is_over = False

    def next_seed(self) -> int:
        """A seed that no gate has had."""
        return next(self._seeds)

    def run(self, delay: InjectedDelay, budget_s: float, shares: Mapping[str, float], seed: int) -> Gate | None:
        """One gate. `shares` are its limits by metric."""
        settings, begin_ns = replace(self._settings, seed=seed, budget_s=budget_s), time.perf_counter_ns()
        gate = GateSettings(against="itself", limits=GateLimits(shares, errors=Errors()))
        both, columns = (self.baseline, self._candidate), select_columns(self._candidate, self._rows)
        rows = SharedRows({e.model.path: self._rows for e in both}, {e.key: columns for e in both})
        delays: Mapping[Key, InjectedDelay] = {self.baseline.key: InjectedDelay(), self._candidate.key: delay}
        pairs = [Pair(self._candidate, self.baseline)]
        run = GateRun(pairs, rows, gate, settings, Silent(), delays, begin_ns)
        self._running.add(run)
        try:
            return None if self._is_over else run.run(None).gate
        finally:
            self._running.discard(run)

    @contextlib.contextmanager
    def ending_with_it(self) -> Iterator[None]:
        """While it lasts, gates may run in other threads; when it is broken off they end at once, and no more begin."""
        try:
            yield
        except BaseException:
            self._is_over = True
            for run in list(self._running):
                run.end()
            raise


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a request takes, and what a turn of the added loop adds to it there."""

    request_ns: int
    turn_ns: float

    def delay(self, share: float, every: int) -> InjectedDelay:
        """The turns of an empty loop that take that share of a request."""
        return InjectedDelay(round(share * self.request_ns / self.turn_ns), every)


def calibrate(gate: TrialGate) -> Calibration:
    """Medians over fresh workers. Raises `CannotRun` where a delay cannot be told from noise.

    The loop is timed inside requests and under the load of the trials, since beside memory-bound work a turn takes
    another time than by itself.
    """
    turns = FIRST_TURNS
    while (share := _probe(gate, turns)[0]) < PROBE_SHARE / 2 and turns < MOST_TURNS:
        turns = round(turns * min(100.0, max(2.0, PROBE_SHARE / max(share, 1e-3))))
    turns = max(1, round(turns * PROBE_SHARE / max(share, PROBE_SHARE / 4)))
    probes = [_probe(gate, turns) for _ in range(CALIBRATIONS)]
    share = statistics.median(probe[0] for probe in probes)
    if share < PROBE_SHARE / 4:
        raise CannotRun("what is planted cannot be told from noise here", "a quieter machine, or a faster model")
    request_ns = round(statistics.median(probe[1] for probe in probes))
    return Calibration(request_ns, share * request_ns / turns)


def _probe(gate: TrialGate, turns: int) -> tuple[float, float]:
    """The share that so many turns add to a request, and what a request takes, in ns."""
    budget_s = CALIBRATION_S
    while budget_s <= MOST_CALIBRATION_S:
        outcome = gate.run(InjectedDelay(turns), budget_s, {"p50": LEAST_MARGIN}, gate.next_seed())
        check = outcome.checks[0] if outcome else None
        if check is not None and check.ratio is not None and check.baseline is not None:
            return check.ratio - 1, check.baseline
        budget_s *= LONGER
    raise CannotRun("the model could not be measured", "infer-bench bench MODEL says why")
