"""The frozen types of a profile: where the time of a request goes. Times are integers of ns, sizes of bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from infer_bench.model import Phase
from infer_bench.report.common import Latency, ModelInfo, Phases, Report

Profiler = Literal["cprofile", "pyinstrument", "none"]


FRAME_STEPS = frozenset(
    {"DataFrame build", "reindex", "dtype cast", "column assignment", "column selection", "fillna", "replace", "apply"}
    | {"merge", "frame to array", "concat", "get_dummies"}
)
"""Steps that are work on DataFrames, wherever they are done: around the model's call or inside the library's own."""


@dataclass(frozen=True, slots=True)
class TypicalRequest:
    """The p50 of the unprofiled request, divided: all parts and `ProfileResult.unaccounted_ns` sum to it.

    A phase is the median over rounds of its share of the unprofiled request of that round, times the p50; so a share
    is comparable with a latency, which the phase's own percentiles are not. `waiting_ns`: what an async function waits
    for others, which is in no phase.
    """

    request_ns: int
    preprocess_ns: int
    predict_ns: int
    postprocess_ns: int
    waiting_ns: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A library's step inside a phase: its own time in an average request, without the steps that it calls.

    Measured in a run of its own and corrected for the probes. The time of a phase that lies in no known step has the
    name "other".
    """

    phase: Phase
    name: str
    calls_per_request: float
    own_ns: int


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """One function under a profiler: totals over `ProfileResult.profiled_requests` requests, slowed by `slowdown`.

    `own_ns` is without what it calls, `cumulative_ns` with. pyinstrument samples, so its functions have no calls.
    """

    file: str
    line: int
    name: str
    calls: int | None
    own_ns: int
    cumulative_ns: int


@dataclass(frozen=True, slots=True)
class CallFrame:
    """A function on one way of calls, `depth` calls below the request's own: an icicle's box.

    It begins at `start_ns` of the profiled time and lasts for `total_ns` of it, with what it calls.
    """

    depth: int
    start_ns: int
    total_ns: int
    file: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class OperatorCost:
    """One node of an ONNX graph and the provider that really ran it; `mean_ns` is its own time in one request.

    `shape` is that of its first output, as in `1x64x112x112`, or `several`; empty where that is not known.
    """

    name: str
    op_type: str
    provider: str
    calls: int
    mean_ns: int
    shape: str = ""


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Memory of a worker of its own: resident at its start, after the load and after the first request.

    `peak_bytes` is the median over requests of the most that was allocated through Python at once during one;
    `retained_bytes` is what one left behind on average. Allocations of native libraries are seen in the resident
    memory only.
    """

    start_rss_bytes: int
    load_rss_bytes: int
    first_request_rss_bytes: int
    steady_rss_bytes: int
    peak_bytes: int
    retained_bytes: int
    requests: int


@dataclass(frozen=True, slots=True)
class Change:
    """What one phase or function takes of a request, before and after; 0 where it does not occur."""

    name: str
    before_ns: int
    after_ns: int


@dataclass(frozen=True, slots=True)
class ProfileDiff:
    """Against another profile, `before`; sorted by what a change contributes, the largest first.

    Phases and request are latencies. `functions` are own times under the profiler, of one request where `per` is
    "request", else of the whole run; all functions before sum to `before_ns`.
    """

    before: str
    after: str
    request: Change | None
    phases: tuple[Change, ...]
    functions: tuple[Change, ...]
    before_ns: int = 0
    per: Literal["request", "run"] = "request"


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """Where the time of one candidate's request goes. `failed` holds the reason when it could not be measured.

    `request` was measured without a profiler and without probes inside, `phases` in rounds in between. `probe_ns` is
    what the probes of the phases add to a request; it has been taken off. `does` says what each phase is. `slowdown` is
    how many times longer a request takes under the profiler, `split_slowdown` with the probes of `steps`. `functions`
    are the first `settings.top` of `function_count`, whose own times sum to `profiled_ns`, and `calls` who called whom,
    where the profiler knows it. `cpu_share` is the worker's
    CPU time over wall time.
    """

    candidate: str
    engine: str
    options: Mapping[str, str]
    model: ModelInfo | None
    batch: int
    failed: str | None = None
    request: Latency | None = None
    phases: Phases | None = None
    typical: TypicalRequest | None = None
    unaccounted_ns: int | None = None
    probe_ns: int | None = None
    does: Mapping[str, str] = field(default_factory=dict)
    import_ns: int | None = None
    load_ns: int | None = None
    first_request_ns: int | None = None
    warmup_ns: int | None = None
    warmup_steady: bool = False
    cpu_share: float | None = None
    steps: tuple[Step, ...] = ()
    split_slowdown: float | None = None
    profiler: Profiler = "none"
    profiled_requests: int = 0
    slowdown: float | None = None
    functions: tuple[FunctionCost, ...] = ()
    function_count: int = 0
    profiled_ns: int = 0
    operators: tuple[OperatorCost, ...] = ()
    operator_requests: int = 0
    memory: MemoryUse | None = None
    diff: ProfileDiff | None = None
    calls: tuple[CallFrame, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return self.request is not None or bool(self.functions)


ProfileReport = Report[ProfileResult]
