"""The two sides of a comparison: artefacts in workers of their own, or predictions saved before."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table, conform
from infer_bench.errors import DataError, EngineError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.jobs import build_opening_job
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import Feature, ModelSpec
from infer_bench.report.common import ModelInfo
from infer_bench.report.validate import ComparedSide
from infer_bench.typing import Array, Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import MeasureMemory, ReadDomain
from infer_bench.workers.shared import SharedTable
from infer_bench.workers.tasks.feed_dtype import DescribeFeed
from infer_bench.workers.tasks.pipeline_steps import PredictInFloat32, RunSteps
from infer_bench.workers.tasks.predict_batches import BatchPredictions, PredictBatch, PredictRecords


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """One side's answers: values (rows, outputs), NaN where refused (rows,).

    `labels` are the distinct labels and `codes` (rows,) each row's place among them; None for a side without classes.
    `worded` where they are the text in the answers of a user's function.
    """

    values: npt.NDArray[np.float64]
    refused: npt.NDArray[np.bool_]
    labels: tuple[Any, ...] | None = None
    codes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    complaint: str = ""
    worded: bool = False

    def take(self, rows: npt.NDArray[Any]) -> "Predictions":
        """Some of the rows."""
        codes = self.codes[rows] if self.labels is not None else self.codes
        return replace(self, values=self.values[rows], refused=self.refused[rows], codes=codes)


class Predictor:
    """An artefact, opened by an engine in a worker of its own.

    Made in the main thread: a worker dies with the thread that started its process. `blocks` are shared with it.
    """

    def __init__(self, candidate: Candidate, settings: ValidateSettings, blocks: Sequence[SharedTable] = ()) -> None:
        self.candidate, self.blocks = candidate, tuple(blocks)
        job = build_opening_job(candidate, threads=settings.threads, allow_pickle=settings.allow_pickle)
        self._worker = Worker(job, timeout_s=settings.timeout_s, shares=[block.descriptor for block in self.blocks])
        self.spec = ModelSpec("raw", (), ())
        self.fed = ""
        self._pending: deque[Callable[[], BatchPredictions]] = deque()
        self._known: tuple[dict[str, tuple[float, ...]], Array | None] | None = None

    def open(self) -> None:
        """Load the model. Raises what the worker raised."""
        self.spec = self._worker.open().spec

    @property
    def described(self) -> ComparedSide:
        """For the report."""
        ref, spec = self.candidate.artefact, self.spec
        info = ModelInfo(
            ref.path, ref.family, ref.format, ref.sha256, ref.bytes, spec.task, len(spec.features), spec.trees
        )
        return ComparedSide(self.candidate.label, info, self.fed)

    def thresholds(self) -> dict[str, tuple[float, ...]]:
        """Per feature the values at which the answer may change."""
        return self._domain()[0]

    def stored_rows(self) -> Array | None:
        """Training rows that the model has kept (rows, features); None where it keeps none or cannot tell."""
        try:
            return self._domain()[1]
        except EngineError:
            return None

    def _domain(self) -> tuple[dict[str, tuple[float, ...]], Array | None]:
        if self._known is None:
            domain = self._worker.ask(ReadDomain())
            self._known = dict(domain.thresholds), domain.rows
        return self._known

    def describe_feed(self, columns: Columns) -> None:
        """Find out in which dtype the library is fed."""
        try:
            self.fed = self._worker.ask(DescribeFeed(columns)).words
        except EngineError:
            self.fed = "unknown"

    def answer(self, columns: Columns) -> Predictions:
        """Answer a table; rows that the library refuses are marked. Raises `EngineError` when it takes none of them."""
        return self._read(self._worker.ask(PredictBatch(columns)))

    def ask(self, columns: Columns, block: SharedTable) -> None:
        """Put the question that `hear` answers, in the order of asking; `block` holds most of the columns."""
        shared, others = block.divide(columns)
        self._pending.append(self._worker.post(PredictBatch(others, shared)))

    def hear(self) -> Predictions:
        """The answers to the oldest question of `ask`. Raises what `answer` raises."""
        return self._read(self._pending.popleft()())

    def predict_singly(self, columns: Columns) -> Predictions:
        """As `answer`, with a request of its own for every row."""
        return self._read(self._worker.ask(PredictRecords(columns)))

    def in_float32(self, columns: Columns) -> npt.NDArray[np.float64]:
        """Answers (rows, outputs) when a pipeline's steps work in float32. Raises `EngineError` where it has none."""
        return self._worker.ask(PredictInFloat32(columns)).predictions

    def prepared(self, columns: Columns) -> tuple[Array, Array]:
        """What a pipeline's last step is handed (rows, columns), as ever and with its steps in float32.

        Raises `EngineError` where it has none, or one refuses the rows.
        """
        outputs = self._worker.ask(RunSteps(columns))
        return outputs.double, outputs.single

    def _read(self, batch: BatchPredictions) -> Predictions:
        worded = self.candidate.engine.name == "callable"
        return Predictions(batch.predictions, batch.refusals, batch.labels, batch.codes, batch.complaint, worded)

    def peak_rss_bytes(self) -> int:
        """The worker's largest resident memory."""
        return self._worker.ask(MeasureMemory()).peak_rss_bytes

    def close(self) -> None:
        """End the worker at once."""
        self._worker.kill()


def describe_feeds(sides: Sequence[Predictor], rows: Table, reference: ModelSpec) -> None:
    """Let every side say in which dtype its library is fed these rows."""
    for side in sides:
        side.describe_feed(columns_for(rows.slice(0, 1), side, reference))


def columns_for(table: Table, side: Predictor, reference: ModelSpec) -> dict[str, Array]:
    """The columns of `table` (the reference's features, in its order) as `side` names and takes them.

    A side without names of its own takes them in order; a text category becomes its code where the side takes numbers,
    since that is what an exported file was trained on. Raises `DataError` when they do not fit.
    """
    wanted = side.spec
    if not wanted.features or wanted == reference:
        return dict(table.columns)
    if not reference.features:  # a function of the user's, which is handed every column
        return dict(conform(table, wanted).columns)
    known = set(reference.feature_names)
    if set(wanted.feature_names) <= known and len(set(wanted.feature_names)) == len(wanted.features):
        kept = table
    elif len(wanted.features) == len(reference.features):
        kept = Table(dict(zip(wanted.feature_names, table.columns.values(), strict=True)))
    else:
        name, count = side.candidate.artefact.name, len(wanted.features)
        raise DataError(f"{name} takes {count} columns, the reference {len(reference.features)}")
    sources = _sources(wanted, reference)
    coded = {f.name: _coded(kept.columns[f.name], sources[f.name], f) for f in wanted.features}
    return dict(conform(Table(coded), wanted).columns)


def _sources(wanted: ModelSpec, reference: ModelSpec) -> dict[str, Feature]:
    by_name = {feature.name: feature for feature in reference.features}
    if all(feature.name in by_name for feature in wanted.features):
        return by_name
    return {f.name: source for f, source in zip(wanted.features, reference.features, strict=True)}


def _coded(column: Array, source: Feature, feature: Feature) -> Array:
    if column.dtype != object or feature.kind in ("string", "category") or not source.categories:
        return column
    codes = {value: float(code) for code, value in enumerate(source.categories)}
    return np.array([codes.get(value, np.nan) for value in column.tolist()], dtype=np.float64)


def by_position(side: Predictor, reference: ModelSpec) -> bool:
    """Whether the side takes the reference's columns in order, having other names for them."""
    names = side.spec.feature_names
    return bool(names) and not set(names) <= set(reference.feature_names)


def aligned(predictions: Predictions, spec: ModelSpec, reference: ModelSpec) -> Predictions:
    """The candidate's answers in the reference's class order, and its labels under the reference's names.

    Classes are matched by label; where they share none and are as many (a text model numbers them), by position.
    """
    ours, theirs = reference.classes, spec.classes
    if not ours or not theirs or len(ours) != len(theirs):
        return predictions
    if set(ours) == set(theirs):
        return predictions if tuple(ours) == tuple(theirs) else _reordered(predictions, theirs, ours)
    if set(ours) & set(theirs) or predictions.labels is None:
        return predictions
    renamed = dict(zip(theirs, ours, strict=True))
    labels = tuple(renamed.get(label, label) for label in predictions.labels)
    return replace(predictions, labels=labels)


def _reordered(predictions: Predictions, given: Sequence[Any], wanted: Sequence[Any]) -> Predictions:
    if len(wanted) == 2 and predictions.values.shape[1] == 1:
        values = 1.0 - predictions.values
    else:
        values = predictions.values[:, [list(given).index(label) for label in wanted]]
    return replace(predictions, values=values)
