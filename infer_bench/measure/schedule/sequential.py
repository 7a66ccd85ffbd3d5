"""The stopping rule of a gate: one layout after the other, until every pair is decided or the budget is spent."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.budget import LEAST_ROUNDS, Budget, Pace
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.sampling import SamplingPlan, count_shared_calls, plan_whole_requests
from infer_bench.measure.settings import Settings
from infer_bench.workers.timing.requests import WARM_WINDOW_NS

ROUNDS, ROUNDS_OF_PROCESSES, ROUNDS_FOR_TAILS = 4, 8, 16
"""Rounds a layout: with 4 the ratio of two medians is known to about 0.4 %, below what layouts differ by. Processes
take long to start, so more is made of each; and a p95 is noise of the blocks first and of the layouts second: with 16
rounds a gate takes half as many layouts, and less time, than with 8."""
MARGIN = 1.2
"""So much more than an estimate is promised to be enough."""
WARM_FRESH = 120_000_000, WARM_WINDOW_NS
WARM_RELOADED = 8_000_000, 4_000_000
"""A session in a worker whose library is warm already."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate and what it is compared with; no baseline where only absolute limits hold."""

    candidate: Candidate
    baseline: Candidate | None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Both, the baseline first."""
        return (self.candidate,) if self.baseline is None else (self.baseline, self.candidate)


def candidates_of(pairs: Sequence[Pair]) -> list[Candidate]:
    """All who stand in some of the pairs, each once."""
    return list({candidate.key: candidate for pair in pairs for candidate in pair.candidates}.values())


class Sequential:
    """Measures the pairs that `undecided` names after each layout. Only the first round may exceed the budget.

    `samples` is what a block must hold for the percentiles that are judged; `restarts`: each layout starts processes;
    `layouts` are aimed at, the largest number that the budget holds.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        undecided: Callable[[], Collection[Pair]],
        measurements: Measurements,
        budget: Budget,
        settings: Settings,
        *,
        samples: int,
        restarts: bool,
        layouts: Sequence[int],
    ) -> None:
        self.warm_up = WARM_FRESH if restarts else WARM_RELOADED
        self._pairs = tuple(pairs)
        self._undecided = undecided
        self._measurements = measurements
        self._budget = budget
        self._settings = settings
        self._samples = samples
        self._pace = Pace(budget, settings.batches, _most_rounds(samples, restarts), layouts)
        self._target, self._plan_again = 0, True

    @property
    def is_last_layout(self) -> bool:
        """Not known: it depends on what the layout shows."""
        return False

    def next_candidates(self) -> list[Candidate]:
        """Those of undecided pairs in which nobody has failed, where the budget has room for a layout of them."""
        pairs = self._undecided() if self._measurements.layout_count else self._pairs
        failures = self._measurements.failures
        candidates = candidates_of([p for p in pairs if not any(e.key in failures for e in p.candidates)])
        keys = [candidate.key for candidate in candidates]
        self._pace.begin_layout(self._measurements.layout_count, keys)
        is_first = not any(measurement.sampled for measurement in self._measurements)
        fits = is_first or self._pace.fits_layout(keys)
        return candidates if fits else []

    @property
    def _is_first_layout(self) -> bool:
        """Whether nobody has another layout than the one under way: an earlier one may have been lost."""
        return all(len(measurement.layouts) <= 1 for measurement in self._measurements)

    def plan_blocks(self, requests_ns: Mapping[Key, int]) -> Mapping[Key, SamplingPlan]:
        """All sampled alike, since they are compared, in blocks so short that the budget holds the usual layouts."""
        calls, settings = count_shared_calls(requests_ns.values()), self._settings
        most_ns = min(self._pace.longest_block_ns(len(requests_ns)), round(settings.timeout_s * 1e9 / 2))
        return {
            key: plan_whole_requests(request_ns, settings.scenario, self._samples, most_ns, calls)
            for key, request_ns in requests_ns.items()
        }

    def allows_batch(self, batch: int) -> bool:
        """Always: a verdict is on all of them."""
        return True

    def count_rounds(self, keys: Collection[Key], batch: int, count: int) -> int:
        """Those that were planned, and single ones with what is left when no layout fits any more.

        The plan is made anew after the first rounds, when it is known how long they take.
        """
        if count == 0 or self._plan_again:
            self._target = self._pace.plan_rounds(keys, batch, count)
            self._plan_again = count == 0
        last = batch == self._settings.batches[-1] and not self._pace.fits_layout(keys)
        return max(1, self._target - count) if count < self._target or last else 0

    def allows_block(self, key: Key, batch: int, index: int) -> bool:
        """While the budget lasts; the first round is always made."""
        return (index == 0 and self._is_first_layout) or self._pace.fits_block(key, batch)

    def keeps_layout(self, count: int) -> bool:
        """One that has the least rounds, and the first."""
        return count >= LEAST_ROUNDS or self._is_first_layout

    def estimate_progress(self, batch: int | None) -> float:
        """By the budget."""
        return min(1.0, self._budget.used_ns / self._budget.limit_ns)

    def count_layouts(self, pairs: Collection[Pair]) -> int:
        """How many layouts of some pairs the budget holds, those that were made included."""
        keys = [candidate.key for candidate in candidates_of(list(pairs))]
        return self._measurements.layout_count + self._pace.count_layouts(keys)

    def estimate_budget_s(self, layouts: int) -> float:
        """The budget, in seconds, that so many layouts would take, with what precedes them."""
        preparation_ns = self._budget.limit_ns - self._pace.total_ns
        each_ns = (self._budget.used_ns - preparation_ns) / max(1, self._measurements.layout_count)
        return (preparation_ns + layouts * each_ns) * MARGIN / 1e9


def _most_rounds(samples: int, restarts: bool) -> int:
    if samples > 1:
        return ROUNDS_FOR_TAILS
    return ROUNDS_OF_PROCESSES if restarts else ROUNDS
