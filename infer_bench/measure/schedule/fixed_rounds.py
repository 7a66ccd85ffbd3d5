"""The stopping rule of a benchmark: the same number of rounds for every candidate, whatever they show."""

from collections.abc import Collection, Mapping

from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.sampling import SamplingPlan, plan_sampling
from infer_bench.measure.settings import Settings
from infer_bench.workers.timing.requests import WARM_WINDOW_NS

WARM_LIMIT_NS = 1_000_000_000


class FixedRounds:
    """So many rounds on each of `settings.processes` layouts; fewer where the budget, shared evenly, runs out."""

    warm_up = WARM_LIMIT_NS, WARM_WINDOW_NS

    def __init__(self, measurements: Measurements, budget: Budget, settings: Settings) -> None:
        self._measurements = measurements
        self._budget = budget
        self._settings = settings
        self._until_ns = 0

    def next_candidates(self) -> list[Candidate]:
        """All that have not failed, on every layout."""
        enough = self._measurements.layout_count >= self._settings.processes
        return [] if enough else self._measurements.remaining

    def plan_blocks(self, requests_ns: Mapping[Key, int]) -> Mapping[Key, SamplingPlan]:
        """Each by itself: the table shows phases, and gives its intervals over the layouts."""
        return {key: plan_sampling(request_ns, self._settings.scenario) for key, request_ns in requests_ns.items()}

    def count_rounds(self, keys: Collection[Key], batch: int, count: int) -> int:
        """Those that are missing, until this layout's and batch size's share of the budget is spent."""
        most, spent_ns = self._settings.rounds_per_process, self._budget.spent_ns
        if count == 0:
            self._until_ns = spent_ns + self._budget.limit_ns // self._settings.processes // len(self._settings.batches)
        elif spent_ns >= self._until_ns:
            self._measurements.cut_short |= self._settings.budget_s is None and count < most
            return 0
        return most - count

    def allows_block(self, key: Key, batch: int, index: int) -> bool:
        """A round that has begun is ended, so that all candidates have as many blocks."""
        return True

    def keeps_layout(self, count: int) -> bool:
        """Every one."""
        return True

    def estimate_progress(self, batch: int | None) -> float:
        """By layouts and batch sizes."""
        batches = self._settings.batches
        nth = 0 if batch is None else batches.index(batch)
        return (self._measurements.layout_count + nth / len(batches)) / self._settings.processes
