"""The frozen types of a bench: candidates, their latencies and the raw samples. See `common`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infer_bench.model import NodePlacement
from infer_bench.report.common import Latency, ModelInfo, Phases, Quality, Report
from infer_bench.report.validate import Cause


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many times faster than the candidate `against`: the median over processes of the median of per-round ratios.

    `low` and `high` bound it at 95 % (None when fewer than two processes answered). `against_model` is the path of the
    model that `against` opened; empty for the result's own.
    """

    against: str
    ratio: float
    low: float | None
    high: float | None
    against_model: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One block of one candidate: raw samples in the order they were taken, not corrected for the floor.

    `position` is the block's place in its round. With several calls a sample, `request_ns` are sums over
    `calls_per_sample` calls, and the phases come from separate, singly stamped calls. `cpu_ns` is what all threads of
    the worker worked during the request samples, `reference_ns` a fixed piece of work, timed just before the block;
    each is 0 where it was not measured. `queued_ns` is how long the worker's thread waited for a CPU that others held;
    None where that is not known.
    """

    index: int
    position: int
    calls_per_sample: int
    rows: int
    wall_ns: int
    gc_collections: int
    request_ns: tuple[int, ...]
    preprocess_ns: tuple[int, ...]
    predict_ns: tuple[int, ...]
    postprocess_ns: tuple[int, ...]
    cpu_ns: int = 0
    reference_ns: int = 0
    queued_ns: int | None = None


def count_waiting_ns(part: Round) -> int:
    """The ns of a block in which others held the CPU: not the candidate's own threads, for which its first waits too.

    A wait that began before the block is cut; 0 where it is not known.
    """
    return min(part.queued_ns or 0, max(0, part.wall_ns - part.cpu_ns))


@dataclass(frozen=True, slots=True)
class Process:
    """One worker: one sample of a memory layout.

    `cold_start_ns` is from the start of the process to its first answer: `start_ns` (interpreter and numpy),
    `import_ns` (the engine's library), `load_ns` and `first_request_ns`. `floor_ns` is what the loop reads
    around no request at all, `stage_floor_ns` what two stamps with nothing between them read. Others held the CPU for
    `cold_start_waiting_ns` of the cold start and for `load_waiting_ns` of loading; 0 where that is not known.
    """

    index: int
    cold_start_ns: int
    start_ns: int
    import_ns: int
    load_ns: int
    first_request_ns: int
    warmup_ns: int = 0
    warmup_steady: bool = False
    rss_bytes: int = 0
    peak_rss_bytes: int = 0
    floor_ns: int = 0
    stage_floor_ns: int = 0
    throttled_ns: int = 0
    rounds: tuple[Round, ...] = ()
    cold_start_waiting_ns: int = 0
    load_waiting_ns: int = 0

    @staticmethod
    def from_first_request(
        index: int, cold_start_ns: int, first_request_ns: int, import_ns: int, load_ns: int
    ) -> "Process":
        """A process that has answered its first request; what is left of the cold start is the interpreter's."""
        start = max(0, cold_start_ns - import_ns - load_ns - first_request_ns)
        return Process(index, cold_start_ns, start, import_ns, load_ns, first_request_ns)


@dataclass(frozen=True, slots=True)
class ProbeTest:
    """A candidate compared with the reference on rows made to find differences, as `validate` makes them.

    `failing` of the `rows` differ, by up to `max_abs_delta` where both answers are numbers; `groups` counts them by the
    kind of probe. The `causes` are those that `validate` finds; without any, `why` says that. `failed`: why the probes
    were not answered, None where they were.
    """

    rows: int = 0
    failing: int = 0
    max_abs_delta: float = 0.0
    label_changes: int | None = None
    non_finite_mismatches: int = 0
    refusals: int = 0
    groups: Mapping[str, int] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()
    why: str = ""
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Requests a second that one core answers while `limit` holds, and what a million of them cost.

    `low` and `high` are the least and the most of the processes by themselves, None with fewer than two that took
    enough samples. `rate_per_core` is None where single requests break the limit already, `cost_per_million` also
    without a price. It is computed from the measured requests for arrivals at random: see docs/statistics.md.
    """

    limit: str
    rate_per_core: float | None
    cost_per_million: float | None = None
    currency: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class FormTraits:
    """What a form of a model asks of who loads it.

    `packages` are bytes by distribution of what opening the model takes, empty where that is not known; `runs_code`:
    loading runs what is in the file; `languages` have a library, by its makers, that reads it.
    """

    packages: Mapping[str, int]
    runs_code: bool
    languages: tuple[str, ...]

    @property
    def packages_bytes(self) -> int:
        """All of them."""
        return sum(self.packages.values())


@dataclass(frozen=True, slots=True)
class Compilation:
    """What loading takes an engine that compiles the model: `load_ns`, the median over processes.

    It has paid for itself after so many `requests` against the fastest candidate that does not compile, `against` on
    the model at the path `against_model`; None where that is as fast, or there is none (then `against` is empty).
    """

    load_ns: int
    against: str = ""
    against_model: str = ""
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One row of the table: a candidate at a batch size. `failed` holds the reason when there is no measurement.

    `max_abs_delta` is the largest |difference| from the reference's answers on the same rows, None when there is
    nothing to compare (then `delta_note` says why); `non_finite_mismatches` counts answers that are NaN or infinite on
    one side only. `cpu_ns` is what all threads of the worker worked for a request, `cpu_share` that time over the
    clock's (2.0: two CPUs were busy), `allocated_bytes` the most that a request allocated through Python at once; None
    where it was not measured, or the work is done elsewhere. `frame_ns` is what a typical request spends on DataFrames,
    by phase, the library's own conversion inside `predict` with it. Empty for other requests, and where it was not
    measured. `placement` says which execution provider runs which nodes of a graph, where another than the CPU's was
    asked for. `probes` is the test on rows made to find differences; None for the reference, and where it was not made.
    `batch_invariant` says whether a network answers requests in a batch as it does alone, but for rounding;
    None where there is one request at a time or that was not tried.
    """

    candidate: str
    engine: str
    options: Mapping[str, str]
    model: ModelInfo
    batch: int
    failed: str | None = None
    scenario: str = "single_stream"
    calls_per_sample: int = 1
    request: Latency | None = None
    phases: Phases | None = None
    rows_per_s: float | None = None
    speedup: Speedup | None = None
    max_abs_delta: float | None = None
    label_changes: int | None = None
    non_finite_mismatches: int = 0
    delta_rows: int = 0
    delta_note: str = ""
    cold_start_ns: int | None = None
    rss_bytes: int | None = None
    peak_rss_bytes: int | None = None
    artifact_bytes: int | None = None
    warmup_ns: int | None = None
    gc_collections: int = 0
    processes: tuple[Process, ...] = ()
    frame_ns: Mapping[str, int] = field(default_factory=dict)
    cpu_ns: int | None = None
    cpu_share: float | None = None
    allocated_bytes: int | None = None
    capacity: Capacity | None = None
    form: FormTraits | None = None
    quality: Quality | None = None
    placement: tuple[NodePlacement, ...] = ()
    probes: ProbeTest | None = None
    compilation: Compilation | None = None
    batch_invariant: bool | None = None

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""
        return self.request is not None


BenchReport = Report[BenchResult]
