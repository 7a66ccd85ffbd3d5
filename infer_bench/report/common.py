"""The frozen types that a report is made of: the only thing that is saved, loaded, rendered or judged.

Times are integers of nanoseconds, sizes integers of bytes; the unit stands in the name. No numpy here: a report made on
another machine is read with the core alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from infer_bench.report.gate import Gate

SCHEMA_VERSION = 1

Status = Literal["pass", "regressed", "inconclusive", "different", "not-comparable", "failed"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know. `code` is stable, `hint` says what to do, `candidate` whom it concerns."""

    code: str
    message: str
    hint: str = ""
    candidate: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the command concluded, and the process's exit code."""

    status: Status
    exit_code: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine and the interpreter. `cpus_effective` is the least of count, affinity and the cgroup's quota.

    `cpu_mhz` is the highest clock that the governor may choose; without one, what the kernel says of the clock.
    """

    os: str
    machine: str
    cpu_model: str
    cpus_logical: int
    cpus_affinity: int
    cpus_quota: float | None
    cpus_effective: float
    memory_bytes: int
    python: str
    executable: str
    packages: Mapping[str, str]
    load_average_1m: float | None = None
    cpu_governor: str | None = None
    container: bool = False
    cpu_mhz: int | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model a result is about. `task`, `features`, `trees` are unknown (None) until it was opened."""

    path: str
    family: str
    format: str
    sha256: str
    bytes: int
    task: str | None = None
    features: int | None = None
    trees: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """A sample of durations, corrected for the measured floor of the loop (`floor_ns`).

    A percentile is None when the sample is too small for it; `needs` then holds the number of samples that it takes.
    `intervals` are 95 % confidence intervals spanning the processes. `unit` is "call", or "batch-mean" when one sample
    is the mean of several calls (`calls_per_sample` of the result). `more` holds percentiles beyond the usual three,
    keyed as in `p99.9`.
    """

    p50_ns: int | None
    p95_ns: int | None
    p99_ns: int | None
    mean_ns: int
    min_ns: int
    max_ns: int
    samples: int
    intervals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    needs: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, int | None] = field(default_factory=dict)
    floor_ns: int = 0
    unit: Literal["call", "batch-mean"] = "call"


@dataclass(frozen=True, slots=True)
class Phases:
    """The request, split: a record becomes the engine's input, the engine is called, its output becomes an answer."""

    preprocess: Latency
    predict: Latency
    postprocess: Latency


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many times faster than the candidate `against`: the median over processes of the median of per-round ratios.

    `low` and `high` bound it at 95 % (None when fewer than two processes answered).
    """

    against: str
    ratio: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Round:
    """One block of one candidate: raw samples in the order they were taken, not corrected for the floor.

    `position` is the block's place in its round. With several calls a sample, `request_ns` are sums over
    `calls_per_sample` calls, and the phases come from separate, singly stamped calls.
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


@dataclass(frozen=True, slots=True)
class Process:
    """One worker: one sample of a memory layout.

    `cold_start_ns` is from the start of the process to its first answer: `start_ns` (interpreter and numpy),
    `import_ns` (the engine's library), `load_ns` and `first_request_ns`. `floor_ns` is what the loop reads
    around no request at all, `stage_floor_ns` what two stamps with nothing between them read.
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

    @staticmethod
    def started(index: int, cold_start_ns: int, first_request_ns: int, import_ns: int, load_ns: int) -> "Process":
        """A process that has answered its first request; what is left of the cold start is the interpreter's."""
        start = max(0, cold_start_ns - import_ns - load_ns - first_request_ns)
        return Process(index, cold_start_ns, start, import_ns, load_ns, first_request_ns)


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One row of the table: a candidate at a batch size. `failed` holds the reason when there is no measurement.

    `max_abs_delta` is the largest |difference| from the reference's answers on the same rows, None when there is
    nothing to compare (then `delta_note` says why); `non_finite_mismatches` counts answers that are NaN or infinite on
    one side only.
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


@dataclass(frozen=True, slots=True)
class CheckedGroup:
    """Rows of one kind on which a converted file was compared with the original.

    `max_relative_delta` is the largest |difference| / max(1, |reference|). `refused` counts the rows that the original
    library refuses to answer (scikit-learn raises on NaN, say), and `answered_though_refused` those of them to which
    the file gives an answer other than NaN.
    """

    name: str
    rows: int
    max_abs_delta: float
    max_relative_delta: float
    label_changes: int
    non_finite_mismatches: int = 0
    refused: int = 0
    answered_though_refused: int = 0


@dataclass(frozen=True, slots=True)
class ConvertResult:
    """A conversion that was run and compared. `output` is None when no file was written, `failed` then says why."""

    source: ModelInfo
    output: ModelInfo | None
    route: str
    precision: str
    input_dtype: str
    tolerance: float
    groups: tuple[CheckedGroup, ...] = ()
    failed: str | None = None


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Report(Generic[R]):
    """What every command returns: one JSON document. `complete` is False while rounds are still to come.

    `gate` says how the verdict of a gate came about; None where nothing was to be judged.
    """

    command: str
    tool_version: str
    created_at: str
    settings: Json
    environment: Environment
    results: tuple[R, ...]
    notices: tuple[Notice, ...] = ()
    verdict: Verdict | None = None
    complete: bool = True
    gate: Gate | None = None
    schema_version: int = SCHEMA_VERSION


BenchReport = Report[BenchResult]
ConvertReport = Report[ConvertResult]
