"""The kinds of trial of the gate's self-test, and what is counted of each. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from infer_bench.errors import CannotRun
from infer_bench.gate_results import Check, TrialsResult
from infer_bench.limits import MARGINS
from infer_bench.results import Verdict
from infer_bench.stats.judging import Errors
from infer_bench.stats.proportion import exact_interval

LIMIT = MARGINS["p50"]
"""What the gates allow, at p50 and at p95 alike."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trial: the share of work planted in every `every`-th request, judged at `metric` against `LIMIT`.

    `weight`: how many of these are made, for each trial of none planted at the p50.
    """

    metric: str
    planted: float = 0.0
    every: int = 1
    weight: float = 1.0


KINDS = (
    Kind("p50"),
    Kind("p50", 0.02, weight=0.05),
    Kind("p50", 0.05, weight=0.15),
    Kind("p50", 0.10, weight=0.15),
    Kind("p95", weight=0.1),
    Kind("p95", 0.10, weight=0.1),
    Kind("p95", 0.50, every=10, weight=0.05),
)


@dataclass
class Tally:
    """The trials of one kind under one load, so far."""

    kind: Kind
    hogs: int
    wanted: int
    checks: list[Check] = field(default_factory=list)
    measured_ns: list[int] = field(default_factory=list)
    wall_ns: list[int] = field(default_factory=list)
    failed: int = 0
    begun: int = 0

    @property
    def done(self) -> int:
        """Trials made."""
        return len(self.checks) + self.failed

    def result(self) -> TrialsResult:
        """As the report has it."""
        said = [check.outcome for check in self.checks]
        regressed = said.count("regressed")
        ratios = [check.ratio - 1 for check in self.checks if check.ratio is not None]
        requests = [check.baseline for check in self.checks if check.baseline is not None]
        return TrialsResult(
            self.hogs,
            self.kind.planted,
            self.kind.every,
            self.kind.metric,
            LIMIT,
            len(said),
            regressed,
            said.count("pass"),
            len(said) - regressed - said.count("pass"),
            self.failed,
            *exact_interval(regressed, len(said)),
            measured=statistics.median(ratios) if ratios else None,
            measured_ns=_middle(self.measured_ns),
            longest_ns=max(self.measured_ns, default=0),
            wall_ns=_middle(self.wall_ns),
            request_ns=_middle(requests),
        )


def _middle(values: Sequence[float]) -> int:
    return round(statistics.median(values)) if values else 0


def verdict(results: Sequence[TrialsResult]) -> Verdict:
    """Broken when the false alarms are shown to be more than the error rate that the gate promises."""
    if not any(result.trials for result in results):
        return Verdict("failed", CannotRun.exit_code, ("no trial could be measured",))
    promised = Errors().alpha
    bad = [r for r in results if not r.planted and r.low > promised]
    reasons = tuple(f"{r.regressed} false alarms in {r.trials} trials at {r.metric}, {r.hogs} hogs" for r in bad)
    return Verdict("regressed", 1, reasons) if reasons else Verdict("pass", 0)
