"""The frozen types of a quantisation: every form that was tried, and how it was judged. See `common`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from infer_bench.report.common import ModelInfo, Quality, Report

Outcome = Literal["pass", "broken", "undecided"]


@dataclass(frozen=True, slots=True)
class Layers:
    """How many layers of an operator there are and how many are quantised; `reason` says why the others are not."""

    operator: str
    layers: int
    quantised: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Flips:
    """Rows that got another class. With true labels, how many became wrong and how many right.

    `mcnemar_p` is the exact chance of a split as uneven as this, were both as likely.
    """

    rows: int
    flips: int
    right_to_wrong: int | None = None
    wrong_to_right: int | None = None
    mcnemar_p: float | None = None


@dataclass(frozen=True, slots=True)
class TimeRatio:
    """Time of the original over time of the form, so above 1 is faster, with its 95 % interval over processes."""

    batch: int
    ratio: float
    low: float | None
    high: float | None
    p50_ns: int
    original_p50_ns: int


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """A limit on one metric: what was measured, the interval that the judged rows allow, and what follows."""

    metric: str
    limit: float
    value: float
    low: float
    high: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Blame:
    """A layer, and the largest difference that is left without it: with it in float32."""

    layer: str
    max_abs_delta: float


@dataclass(frozen=True, slots=True)
class QuantizeResult:
    """A form of the model. `failed` holds the reason when there is none, `output` the file when this one was written.

    `max_abs_delta` is the largest |difference| over all float outputs on the judged rows, `precise_max_abs_delta` the
    same with integer sums that cannot saturate; `saturates` where that is less than half. `batch_max_abs_delta` is how
    far a batch is from the same rows one at a time: beyond rounding, the predictions depend on the batch. `blame` and
    the difference with all layers quantised, `blame_max_abs_delta`, are measured on rows that are set aside where
    layers are chosen.
    """

    form: str
    title: str
    model: ModelInfo
    output: ModelInfo | None = None
    failed: str | None = None
    bytes: int | None = None
    excluded: tuple[str, ...] = ()
    layers: tuple[Layers, ...] = ()
    max_abs_delta: float | None = None
    deltas: Mapping[str, float] | None = None
    precise_max_abs_delta: float | None = None
    saturates: bool = False
    batch_max_abs_delta: float | None = None
    batch_invariant: bool | None = None
    flips: Flips | None = None
    quality: Quality | None = None
    times: tuple[TimeRatio, ...] = ()
    checks: tuple[LimitCheck, ...] = ()
    blame: tuple[Blame, ...] = ()
    blame_max_abs_delta: float | None = None

    @property
    def is_measured(self) -> bool:
        """See `Result`."""
        return True


QuantizeReport = Report[QuantizeResult]
