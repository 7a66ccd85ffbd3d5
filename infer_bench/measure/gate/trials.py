"""The kinds of trial of the gate's self-test, and what is counted of each. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infer_bench.errors import CannotRun
from infer_bench.gates.limits import MARGINS
from infer_bench.report.common import Verdict
from infer_bench.report.gate import Check
from infer_bench.report.selftest import TrialsResult
from infer_bench.stats.decisions.ratio_limit import Errors
from infer_bench.stats.proportion import exact_interval

SHARES = {"p50": MARGINS["p50"], "p95": MARGINS["p50"]}
"""What the gates allow, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of trial: the share of work planted in every `every`-th request, judged at `metric` against `limit`.

    `weight`: how many of these are made, for each trial of the first kind.
    """

    metric: str
    limit: float
    planted: float = 0.0
    every: int = 1
    weight: float = 1.0


def kinds(shares: Mapping[str, float]) -> list[Kind]:
    """The kinds of trial for limits by metric: nothing planted, and what each metric is there to see.

    A median is tried with work in every request, a tail with work in every tenth too. The first metric is tried most.
    """
    found: list[Kind] = []
    for metric, limit in shares.items():
        weight = 0.1 if found else 1.0
        found.append(Kind(metric, limit, weight=weight))
        if metric == "p50":
            found += [Kind(metric, limit, planted, weight=weight * w) for planted, w in MEDIAN_PLANTS]
        else:
            found += [Kind(metric, limit, planted, every, weight * w) for planted, every, w in TAIL_PLANTS]
    return found


MEDIAN_PLANTS = ((0.02, 0.05), (0.05, 0.15), (0.10, 0.15))
TAIL_PLANTS = ((0.10, 1, 1.0), (0.50, 10, 0.5))


@dataclass(frozen=True, slots=True)
class Made:
    """One trial: what was judged, and the time it took."""

    check: Check
    measured_ns: int
    wall_ns: int


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

    def add(self, made: "Made | None") -> None:
        """Count a trial; None could not be measured."""
        if made is None:
            self.failed += 1
            return
        self.checks.append(made.check)
        self.measured_ns.append(made.measured_ns)
        self.wall_ns.append(made.wall_ns)

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
            self.kind.limit,
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
    lost = [f"no trial could be measured at {r.metric}, {r.hogs} hogs" for r in results if not r.trials]
    if lost or not results:
        return Verdict("failed", CannotRun.exit_code, tuple(dict.fromkeys(lost)))
    promised = Errors().alpha
    bad = [r for r in results if not r.planted and r.low > promised]
    reasons = tuple(f"{r.regressed} false alarms in {r.trials} trials at {r.metric}, {r.hogs} hogs" for r in bad)
    return Verdict("regressed", 1, reasons) if reasons else Verdict("pass", 0)
