"""Requests for one candidate's profile: what they ask and what they give. Times are in ns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infer_bench.model import Phase
from infer_bench.typing import Samples
from infer_bench.workers.protocol import SessionRequest
from infer_bench.workers.timing.requests import FirstRequest, Warmth


@dataclass(frozen=True, slots=True)
class PrepareProfile(SessionRequest[None]):
    """Get ready: `records` are the user's own requests; without any, the session's rows are cut into batches.

    `function`: the session is a user's function, divided at its model calls.
    """

    title = "profiling"
    records: tuple[Mapping[str, Any], ...]
    batch: int
    function: bool


@dataclass(frozen=True, slots=True)
class ProfileFirstRequest(SessionRequest[FirstRequest]):
    """Time the next request; of a fresh worker, the first."""

    title = "profile"


@dataclass(frozen=True, slots=True)
class ProfileWarmUp(SessionRequest[Warmth]):
    """Answer requests until they are steady, for `limit_ns` at the most."""

    title = "profile"
    limit_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class PhaseTimes:
    """The same requests without probes (`request`) and with them, arrays (samples,), as stamped.

    `wall_ns` and `cpu_ns` span the requests without probes. `model_calls` counts the calls that divide a function.
    `waiting` is what a request with probes waited for others, beside its phases.
    """

    request: Samples
    preprocess: Samples
    predict: Samples
    postprocess: Samples
    waiting: Samples
    wall_ns: int
    cpu_ns: int
    model_calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TimePhases(SessionRequest[PhaseTimes]):
    """Time `samples` requests without probes and with them, the order given by `probed_first`."""

    title = "profile"
    samples: int
    probed_first: bool


@dataclass(frozen=True, slots=True)
class ProbeCost:
    """What the probes add to a request by phase, and what is added to one without stamps."""

    phases_ns: tuple[int, int, int]
    request_ns: int


@dataclass(frozen=True, slots=True)
class MeasureProbes(SessionRequest[ProbeCost]):
    """How much the probes cost."""

    title = "profile"


@dataclass(frozen=True, slots=True)
class StepTime:
    """A library's step inside a phase: its calls, and its own time without the steps that it calls."""

    phase: Phase
    name: str
    calls: int
    own_ns: int


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Steps and phases summed over `requests` requests, and how long these took with the probes and without."""

    steps: tuple[StepTime, ...]
    phases: Mapping[Phase, int]
    requests: int
    bare_ns: int
    probed_ns: int


@dataclass(frozen=True, slots=True)
class TimeSteps(SessionRequest[StepTimes]):
    """Time the library's steps over `samples` requests."""

    title = "profile"
    samples: int


@dataclass(frozen=True, slots=True)
class ProfilerChunk:
    """A chunk of requests without the profiler and under it; `requests` counts those of all chunks so far.

    Times are without what the thread waited for a CPU that others held. `was_ended`: the code that was profiled ended
    the profiler, which has not seen all of it. `cpu_ns` is what all threads worked under the profiler,
    `own_cpu_ns` what the one that answers did.
    """

    bare_ns: int
    profiled_ns: int
    requests: int
    was_ended: bool = False
    cpu_ns: int = 0
    own_cpu_ns: int = 0


@dataclass(frozen=True, slots=True)
class RunProfiler(SessionRequest[ProfilerChunk]):
    """Answer `samples` requests without the profiler and under it, the order given by `profiled_first`."""

    title = "profile"
    samples: int
    profiler: str
    interval_s: float
    profiled_first: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller of a function, with the calls and the seconds that it accounts for."""

    file: str
    line: int
    name: str
    calls: int
    primitive_calls: int
    own_s: float
    cumulative_s: float


@dataclass(frozen=True, slots=True)
class FunctionProfile:
    """A function's own and cumulative seconds; a sampling profiler counts no calls and names no callers."""

    file: str
    line: int
    name: str
    own_s: float
    cumulative_s: float
    primitive_calls: int = 0
    calls: int = 0
    callers: tuple[Caller, ...] = ()


@dataclass(frozen=True, slots=True)
class ProfilerOutput:
    """All that a profiler recorded: functions, and the text of a file where one was asked for."""

    functions: tuple[FunctionProfile, ...]
    text: str = ""
    requests: int = 0


@dataclass(frozen=True, slots=True)
class CollectProfile(SessionRequest[ProfilerOutput]):
    """What the profiler has recorded, and in `form` (`html`, `speedscope`, or nothing) the text of a file."""

    title = "gathered"
    form: str


@dataclass(frozen=True, slots=True)
class Allocations:
    """What `requests` requests allocate through Python.

    `peak_bytes` is the median over requests of the most held at once, `retained_bytes` the mean of what stays.
    """

    peak_bytes: int
    retained_bytes: int
    requests: int


@dataclass(frozen=True, slots=True)
class MeasureAllocations(SessionRequest[Allocations]):
    """What `samples` requests allocate through Python, or as many as there is time for."""

    title = "profile"
    samples: int


@dataclass(frozen=True, slots=True)
class OperatorTime:
    """One node of a graph on one provider: its calls, and their time in all.

    `shape` is that of its first output, as in `1x64x112x112`, or `several`; empty where that is not known.
    """

    name: str
    type: str
    provider: str
    calls: int
    total_ns: int
    shape: str = ""


@dataclass(frozen=True, slots=True)
class OperatorTimes:
    """The operators over `requests` requests."""

    operators: tuple[OperatorTime, ...]
    requests: int


@dataclass(frozen=True, slots=True)
class TimeOperators(SessionRequest[OperatorTimes]):
    """Answer `samples` requests and end the session's own profiling."""

    title = "profile"
    samples: int
