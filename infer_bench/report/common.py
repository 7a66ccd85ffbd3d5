"""The frozen types that a report is made of: the only thing that is saved, loaded, rendered or judged.

Times are integers of nanoseconds, sizes integers of bytes; the unit stands in the name. No numpy here: a report made on
another machine is read with the core alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Generic, Literal, Protocol, TypeVar

from infer_bench.report.gate import Gate
from infer_bench.report.part import Part

SCHEMA_VERSION = 1

Status = Literal["pass", "regressed", "inconclusive", "different", "not-comparable", "failed"]
NoticeLevel = Literal["warning", "note"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rounding:
    """Two models' errors against the reference computed in float64, as root mean squares.

    `ratio` is the candidate's in multiples of what the reference rounds, over requests of the size where it is largest.
    What the reference rounds is at least an ulp of float32, and what half an ulp of the request makes. Ratios up to
    `same_up_to` are rounding, from `different_from` on they are not.

    Where nothing computes in float64, the `method` is `noise`: what the answers move when weights and requests are an
    ulp off, in `reference_rmse`, and how far the two are apart in `candidate_rmse`. `of_candidate`: it is the
    candidate's rounding that the reference's error is measured in, where the reference's own is not known.
    """

    ratio: float
    reference_rmse: float
    candidate_rmse: float
    same_up_to: float = 8.0
    different_from: float = 32.0
    method: Literal["float64", "noise"] = "float64"
    of_candidate: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader should know. `code` is stable, `hint` says what to do, `candidate` whom it concerns.

    `model` is the path of that candidate's model, where several were measured. For a `warning` the reader may decide
    otherwise; a `note` is background, which a terminal counts and does not print.
    """

    code: str
    message: str
    hint: str = ""
    candidate: str | None = None
    model: str = ""
    level: NoticeLevel = "warning"


@dataclass(frozen=True, slots=True)
class DrawnInput:
    """An input of the requests that were drawn for the network at the path `model`: the `rule` behind its values.

    Of several `shapes` requests take turns. `shape_is_drawn` where neither the model nor the user says all of it.
    """

    model: str
    name: str
    dtype: str
    shapes: tuple[tuple[int, ...], ...]
    rule: str
    shape_is_drawn: bool = False


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
    """The model a result is about. `task`, `features`, `trees` are unknown (None) until it was opened.

    `inputs` is the number of tensors that a network takes; None for a model of columns.
    """

    path: str
    family: str
    format: str
    sha256: str
    bytes: int
    task: str | None = None
    features: int | None = None
    trees: int | None = None
    inputs: int | None = None


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
class Quality:
    """How good a model's classes are on so many rows. F1 is the mean over classes, of two that of the second.

    `auc` is None where a class has no row or a score is missing.
    """

    accuracy: float
    f1: float
    auc: float | None
    rows: int = 0


class Result(Protocol):
    """One row of a report."""

    @property
    def is_measured(self) -> bool:
        """Whether it says more than what was planned."""


R = TypeVar("R", bound=Result)


def _views() -> Any:
    """What draws reports: in a layer above, which a report on its own never needs."""
    return import_module("infer_bench.reporters.notebook")


@dataclass(frozen=True, slots=True, repr=False)
class Report(Generic[R]):
    """What every command returns: one JSON document. `complete` is False while rounds are still to come.

    `gate` says how the verdict of a gate came about; None where nothing was to be judged. `inputs` are those of the
    requests that were drawn for networks. `part` is added to others, where only a part of the rows was compared.
    `command_line` is what was typed after the program's name; empty where it was called from Python.
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
    part: Part | None = None
    schema_version: int = SCHEMA_VERSION
    inputs: tuple[DrawnInput, ...] = ()
    command_line: tuple[str, ...] = ()

    @property
    def has_measurements(self) -> bool:
        """Whether there is anything in it yet that was measured."""
        return any(result.is_measured for result in self.results)

    def __repr__(self) -> str:
        status = self.verdict.status if self.verdict else "no verdict"
        partial = "" if self.complete else ", partial"
        count = f"{len(self.results)} result{'' if len(self.results) == 1 else 's'}"
        return f"<report of {self.command}: {count}, {status}{partial}>"

    def _repr_html_(self) -> str:
        text: str = _views().render_tables(self)
        return text

    def to_pandas(self) -> Any:
        """A DataFrame with a row a result and a column a figure, its unit in its name. Needs the extra `data`."""
        return _views().make_frame(self)

    def plot(self, kind: str | None = None) -> Any:
        """A chart, the first that the report has or that of `kind`; `.figure` is matplotlib's. Needs `charts`."""
        return _views().draw(self, kind)
