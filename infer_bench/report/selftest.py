"""The frozen types of a self-test: what gates said in many trials. See `common`."""

from dataclasses import dataclass

from infer_bench.report.common import Report


@dataclass(frozen=True, slots=True)
class TrialsResult:
    """What gates said of a slow-down that was planted, or of none, in many trials.

    `planted` is the share of work added to a request, in `every`-th requests; `measured` the median over trials of the
    slow-down that the gates estimated at `metric`. Of `trials`, `regressed`, `passed` and `inconclusive` count the
    verdicts on that metric, `failed` those that could not be measured. `low` and `high` are the exact 95 % interval of
    the share of `regressed` (Clopper and Pearson). `measured_ns` and `wall_ns` are medians of a trial's measuring and
    of all of it, `request_ns` the baseline's p50.
    """

    hogs: int
    planted: float
    every: int
    metric: str
    limit: float
    trials: int
    regressed: int
    passed: int
    inconclusive: int
    failed: int
    low: float
    high: float
    measured: float | None = None
    measured_ns: int = 0
    longest_ns: int = 0
    wall_ns: int = 0
    request_ns: int = 0

    @property
    def share(self) -> float:
        """The share of trials that were called a regression."""
        return self.regressed / self.trials if self.trials else 0.0

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return self.trials > 0


SelfTestReport = Report[TrialsResult]
