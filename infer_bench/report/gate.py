"""The frozen types of a gate: what was judged, on how many layouts, and how sure the verdict is. See `common`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["pass", "regressed", "inconclusive", "different", "advisory", "failed"]
CheckKind = Literal["regression", "limit", "delta"]
GateMode = Literal["sessions", "forks", "processes", "stored", "absolute"]


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

    `limit_asked`: of a tail that nobody gave a limit by name, the share that was asked for, where the sample could not
    tell that and passed at `limit`, which it could; what lies beyond the share asked for is a regression all the same.

    `outcome` "advisory": shown and not judged, `reason` says why; `reason` also says why a check is inconclusive.
    `final`: more layouts of this kind would not have changed that. `layouts_needed`: about how many would decide an
    inconclusive one, None where no number would, or where that is not known.
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
    layouts_needed: int | None = None
    limit_asked: float | None = None


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

    `mode`: "sessions" (both sides reloaded again and again inside one worker), "forks" (a process a side and layout,
    forked from one that has imported the libraries), "processes" (a fresh process a side and layout), "stored" (against
    a report saved before) or "absolute" (limits without a baseline).

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
