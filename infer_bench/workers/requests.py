"""Requests about sessions and about the process itself. Those of a task stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass

from infer_bench.model import ModelSpec, TensorInput
from infer_bench.typing import Columns, Floats
from infer_bench.workers.job import Job
from infer_bench.workers.protocol import Request, SessionRequest


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a model computes, and the times of importing its library and of loading it.

    `load_waiting_ns` of the latter others held the CPU.
    """

    spec: ModelSpec
    import_ns: int
    load_ns: int
    load_waiting_ns: int = 0


@dataclass(frozen=True, slots=True)
class ImportEngine(Request[None]):
    """Import an engine and its library, ahead of a model that is still being made. `engine` is its `module:Class`."""

    title = "import"
    engine: str


@dataclass(frozen=True, slots=True)
class LoadModel(SessionRequest[LoadedModel]):
    """Import the engine's library and load the model of `job` as the session of this number.

    With `offset_seed`, memory of random sizes is allocated before, so that it lies elsewhere than the session before.
    `work_note` is the descriptor of a file for `work_note`, inherited by the worker.
    """

    title = "open"
    job: Job
    offset_seed: int | None = None
    work_note: int | None = None


@dataclass(frozen=True, slots=True)
class SetRows(SessionRequest[None]):
    """Take the rows to predict: arrays (rows,) by name, or those of a network's requests, as a `data.Table` has them.

    A function that answers a network's requests is told its `inputs`, by which they are stacked.
    """

    title = "rows"
    columns: Columns
    inputs: tuple[TensorInput, ...] = ()


@dataclass(frozen=True, slots=True)
class ShareRows(SessionRequest[None]):
    """Predict the rows of the session number `source`, and use the requests that were made of them."""

    title = "share"
    source: int


@dataclass(frozen=True, slots=True)
class CloseSession(SessionRequest[None]):
    """Close a session, to have its memory back."""

    title = "leave"


@dataclass(frozen=True, slots=True)
class ModelDomain:
    """As `engines.base.Domain`: `thresholds` by feature, and the training `rows` (rows, features) it keeps."""

    thresholds: Mapping[str, tuple[float, ...]]
    rows: Floats | None


@dataclass(frozen=True, slots=True)
class ReadDomain(SessionRequest[ModelDomain]):
    """Where the model's inputs are interesting."""

    title = "domain"


@dataclass(frozen=True, slots=True)
class ResidentMemory:
    """Resident memory of the worker, now and at its peak."""

    rss_bytes: int
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class MeasureMemory(SessionRequest[ResidentMemory]):
    """How much memory the worker holds."""

    title = "memory"


@dataclass(frozen=True, slots=True)
class WorkerEnvironment:
    """The interpreter's version and path, and the versions of those distributions that it has."""

    python: str
    executable: str
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DescribeEnvironment(SessionRequest[WorkerEnvironment]):
    """Which interpreter runs the worker, and which of `packages` it has."""

    title = "about"
    packages: tuple[str, ...]
