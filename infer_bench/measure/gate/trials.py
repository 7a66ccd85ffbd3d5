"""The kinds of trial of the gate's self-test, and what is counted of each. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infer_bench.errors import CannotRun
from infer_bench.gates.limits import MARGINS
from infer_bench.report.common import Verdict
from infer_bench.report.gate import Check
from infer_bench.report.selftest import TrialsResult
from infer_bench.stats.decisions.error_rates import Errors
from infer_bench.stats.proportion import exact_interval

SHARES = {"p50": MARGINS["p50"], "p95": MARGINS["p50"]}
"""What the gates allow, unless the settings say otherwise."""
MEDIAN_DELAYS = ((0.02, 0.05), (0.03, 0.05), (0.05, 0.15), (0.10, 0.15))
"""Shares of work that are added to every request, and the weights of such trials."""
TAIL_DELAYS = ((0.10, 1, 1.0), (0.50, 10, 0.5))
"""Shares of work, which requests they are added to (every so many), and the weights of such trials."""


@dataclass(frozen=True, slots=True)
class TrialKind:
    """A kind of trial: the share of work added to every `every`-th request, judged at `metric` against `limit`.

    `weight`: how many of these are made, for each trial of the first kind.
    """

    metric: str
    limit: float
    delay: float = 0.0
    every: int = 1
    weight: float = 1.0


def plan_kinds(shares: Mapping[str, float]) -> list[TrialKind]:
    """The kinds of trial for limits by metric: no work added, and what each metric is there to see.

    A median is tried with work in every request, a tail with work in every tenth too. The first metric is tried most.
    """
    kinds: list[TrialKind] = []
    for metric, limit in shares.items():
        weight = 0.1 if kinds else 1.0
        kinds.append(TrialKind(metric, limit, weight=weight))
        if metric == "p50":
            kinds += [TrialKind(metric, limit, delay, weight=weight * w) for delay, w in MEDIAN_DELAYS]
        else:
            kinds += [TrialKind(metric, limit, delay, every, weight * w) for delay, every, w in TAIL_DELAYS]
    return kinds


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: the check of its gate, and the time it took."""

    check: Check
    measured_ns: int
    wall_ns: int


@dataclass
class TrialSeries:
    """The trials of one kind beside so many busy processes: `target` are to be made, `starts` have begun."""

    kind: TrialKind
    cpu_load: int
    target: int
    trials: list[Trial] = field(default_factory=list)
    failures: int = 0
    starts: int = 0

    def add(self, trial: Trial | None) -> None:
        """Count a trial; None could not be measured."""
        if trial is None:
            self.failures += 1
        else:
            self.trials.append(trial)

    @property
    def count(self) -> int:
        """Trials that are over."""
        return len(self.trials) + self.failures

    def result(self) -> TrialsResult:
        """As the report has it."""
        checks = [trial.check for trial in self.trials]
        outcomes = [check.outcome for check in checks]
        regressions, passes = outcomes.count("regressed"), outcomes.count("pass")
        ratios = [check.ratio - 1 for check in checks if check.ratio is not None]
        low, high = exact_interval(regressions, len(checks))
        return TrialsResult(
            hogs=self.cpu_load,
            planted=self.kind.delay,
            every=self.kind.every,
            metric=self.kind.metric,
            limit=self.kind.limit,
            trials=len(checks),
            regressed=regressions,
            passed=passes,
            inconclusive=len(checks) - regressions - passes,
            failed=self.failures,
            low=low,
            high=high,
            measured=statistics.median(ratios) if ratios else None,
            measured_ns=_round_median([trial.measured_ns for trial in self.trials]),
            longest_ns=max((trial.measured_ns for trial in self.trials), default=0),
            wall_ns=_round_median([trial.wall_ns for trial in self.trials]),
            request_ns=_round_median([check.baseline for check in checks if check.baseline is not None]),
        )


def _round_median(values: Sequence[float]) -> int:
    return round(statistics.median(values)) if values else 0


def judge_trials(results: Sequence[TrialsResult]) -> Verdict:
    """Broken when the false alarms are shown to be more than the error rate that the gate promises."""
    missing = [f"no trial could be measured at {r.metric}, {r.hogs} hogs" for r in results if not r.trials]
    if missing or not results:
        return Verdict("failed", CannotRun.exit_code, tuple(dict.fromkeys(missing)))
    alpha = Errors().alpha
    bad = [r for r in results if not r.planted and r.low > alpha]
    reasons = tuple(f"{r.regressed} false alarms in {r.trials} trials at {r.metric}, {r.hogs} hogs" for r in bad)
    return Verdict("regressed", 1, reasons) if reasons else Verdict("pass", 0)
