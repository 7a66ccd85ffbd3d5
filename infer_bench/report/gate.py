"""The frozen types of a gate: what was judged, on how many layouts, and how sure the verdict is. See `results`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["pass", "regressed", "inconclusive", "different", "advisory", "failed"]
CheckKind = Literal["regression", "limit", "delta"]
GateMode = Literal["sessions", "processes", "stored", "absolute"]


@dataclass(frozen=True, slots=True)
class Check:
    """One metric of one candidate at one batch size, judged.

    `kind`: "regression" compares with the baseline, `limit` being the share allowed on top (0.05 is 5 %); "limit" is an
    absolute bound, in ns or bytes as `unit` says; "delta" bounds the largest |difference| of the answers.

    `baseline` and `value` are medians over the layouts, in `unit`. `ratio` is the median over layouts of value over
    baseline, `low` and `high` the bounds that the verdict was made by: `regressed` when `low` lies beyond the limit,
    `pass` when `high` lies within it. `beyond` of `layouts` exceeded the limit.

    `would_see` is the smallest slow-down (a share) that this sample would have told from none with 95 % power,
    `would_fail` the smallest that it would have called a regression. None when there are too few layouts.

    `outcome` "advisory": shown and not judged, `reason` says why; `reason` also says why a check is inconclusive.
    `final`: more layouts of this kind would not have changed that.
    """

    candidate: str
    against: str
    model: str
    batch: int
    metric: str
    kind: CheckKind
    limit: float
    outcome: Outcome
    unit: Literal["ns", "bytes", ""] = "ns"
    baseline: float | None = None
    value: float | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    layouts: int = 0
    beyond: int = 0
    would_see: float | None = None
    would_fail: float | None = None
    reason: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a gate: the candidate, its model, and the interpreter and library versions it ran with."""

    candidate: str
    model: str
    python: str = ""
    executable: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gate:
    """How a verdict came about.

    `mode`: "sessions" (both sides reloaded again and again inside one worker), "processes" (a fresh process a side and
    layout), "stored" (against a report saved before) or "absolute" (limits without a baseline).

    `alpha` is the chance of calling a change within the limits a regression, over all checks and looks together; `beta`
    that of passing a metric that is beyond its limit. `measured_ns` is the time spent measuring, warm-ups included and
    the start of workers left out; `wall_ns` is all of it.
    """

    mode: GateMode
    layouts: int
    rounds: int
    alpha: float
    beta: float
    measured_ns: int
    wall_ns: int
    baseline: Side
    sides: tuple[Side, ...] = ()
    checks: tuple[Check, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


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
