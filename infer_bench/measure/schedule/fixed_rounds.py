"""The stopping rule of a benchmark: the same number of rounds for every candidate, whatever they show."""

from collections.abc import Collection, Mapping

from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.sampling import SamplingPlan, plan_sampling
from infer_bench.measure.settings import Settings
from infer_bench.workers.timing.requests import WARM_WINDOW_NS

WARM_LIMIT_NS = 1_000_000_000
OPENING_SHARE = 0.5
"""So much of what is left may go into opening further layouts."""
MARGIN = 1.1
"""So much more than an estimate is promised to be enough."""


class FixedRounds:
    """So many rounds on each of `settings.processes` layouts; fewer where the budget, shared evenly, runs out.

    Where it bounds the opening of layouts too, there are fewer of them, so that half of it at least is for rounds.
    """

    warm_up = WARM_LIMIT_NS, WARM_WINDOW_NS

    def __init__(self, measurements: Measurements, budget: Budget, settings: Settings) -> None:
        self._measurements = measurements
        self._budget = budget
        self._settings = settings
        self._until_ns = 0
        self._layouts = settings.processes

    @property
    def is_last_layout(self) -> bool:
        """As many as there will be are over, but for the one under way."""
        return self._measurements.layout_count + 1 >= self._layouts

    def next_candidates(self) -> list[Candidate]:
        """All that have not failed, on every layout that the budget has room for, the first one in any case."""
        count, remaining = self._measurements.layout_count, self._measurements.remaining
        if count >= self._settings.processes:
            return []
        layout_ns = self._budget.layout_ns(len(remaining))
        fits = not self._budget.bounds_all or (count < self._layouts and layout_ns <= self._budget.left_ns)
        return remaining if count == 0 or fits else []

    def plan_blocks(self, requests_ns: Mapping[Key, int]) -> Mapping[Key, SamplingPlan]:
        """Each by itself: the table shows phases, and gives its intervals over the layouts."""
        return {key: plan_sampling(request_ns, self._settings.scenario) for key, request_ns in requests_ns.items()}

    def allows_batch(self, batch: int) -> bool:
        """The first one, and those that begin before the budget is over."""
        return batch == self._settings.batches[0] or not self._budget.is_over

    def count_rounds(self, keys: Collection[Key], batch: int, count: int) -> int:
        """Those that are missing, until this layout's and batch size's share of the budget is spent."""
        most, used_ns = self._settings.rounds_per_process, self._budget.used_ns
        if count == 0:
            self._until_ns = used_ns + self._share_ns(batch)
        elif used_ns >= self._until_ns:
            self._measurements.cut_short |= self._settings.budget_s is None and count < most
            return 0
        return most - count

    def _share_ns(self, batch: int) -> int:
        """What a layout has for the rounds at one batch size."""
        batches, budget = self._settings.batches, self._budget
        if not budget.bounds_all:
            return budget.limit_ns // self._settings.processes // len(batches)
        further, layout_ns = self._plan_further(), budget.layout_ns(len(self._measurements.remaining))
        shares = (further + 1) * len(batches) - batches.index(batch)
        return int(max(0.0, budget.left_ns - further * layout_ns) / shares)

    def _plan_further(self) -> int:
        """How many layouts are to follow this one: decided on the first, when it is known what one takes."""
        count, layout_ns = self._measurements.layout_count, self._budget.layout_ns(len(self._measurements.remaining))
        usual = self._settings.processes - 1
        if count == 0 and usual:
            most = int(max(0, self._budget.left_ns) * OPENING_SHARE / max(1.0, layout_ns))
            self._layouts = 1 + min(usual, most)
            if most < usual:
                needed_ns = self._budget.used_ns + usual * layout_ns / OPENING_SHARE
                kept = self._settings.limit_s * 1e9 / self._budget.limit_ns  # for what follows the measuring
                self._measurements.budget_needed_ns = round(needed_ns * MARGIN * kept)
        return self._layouts - count - 1

    def allows_block(self, key: Key, batch: int, index: int) -> bool:
        """A round that has begun is ended, so that all candidates have as many blocks."""
        return True

    def keeps_layout(self, count: int) -> bool:
        """Every one."""
        return True

    def estimate_progress(self, batch: int | None) -> float:
        """By the budget where that bounds all, else by layouts and batch sizes."""
        if self._budget.bounds_all:
            return min(1.0, self._budget.used_ns / self._budget.limit_ns)
        batches = self._settings.batches
        nth = 0 if batch is None else batches.index(batch)
        return (self._measurements.layout_count + nth / len(batches)) / self._settings.processes
