"""A model that predicts rows in a worker of its own."""

import copy
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import EngineError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.column_mapping import columns_for
from infer_bench.measure.candidates.jobs import build_opening_job
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import ModelSpec
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.stats.agreement.rounding import Float64Run, OwnRounding
from infer_bench.typing import Array, Columns, Floats
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import MeasureMemory, ReadDomain
from infer_bench.workers.shared import SharedTable
from infer_bench.workers.tasks.draw_requests import DrawnRequests, DrawRequests
from infer_bench.workers.tasks.feed_dtype import DescribeFeed
from infer_bench.workers.tasks.float64 import CheckFloat64, Float64Predictions, PredictInFloat64
from infer_bench.workers.tasks.gaps import number_gaps
from infer_bench.workers.tasks.network_outputs import (
    OutputVariants,
    PredictOutputs,
    PredictVariants,
    RequestOutputs,
)
from infer_bench.workers.tasks.pipeline_steps import PredictInFloat32, RunSteps, StepOutputs
from infer_bench.workers.tasks.predict_batches import BatchPredictions, PredictBatch, PredictRecords, PredictWithin
from infer_bench.workers.tasks.read_trees import ModelTrees, ReadTrees

_Posted = tuple[Callable[[], BatchPredictions], Callable[[], Float64Predictions] | None, bool]


class Predictor:
    """An artefact, opened by an engine in a worker of its own; `feed_dtype` is what its library is fed, in words.

    Made in the main thread: a worker dies with the thread that started its process. `shared_tables` are memory that it
    can read. With `worker`, it is one that has loaded the model as its first session.
    """

    def __init__(
        self,
        candidate: Candidate,
        settings: ValidateSettings,
        shared_tables: Sequence[SharedTable] = (),
        worker: Worker | None = None,
    ) -> None:
        self.candidate, self.shared_tables, self._settings = candidate, tuple(shared_tables), settings
        self._first_label = candidate.label
        self._worker = worker or self._start()
        self.spec = ModelSpec("raw", (), ())
        self.feed_dtype = ""
        self._pending: deque[_Posted] = deque()
        self._own_rounding: OwnRounding | None = None
        self._rounding_before_block: OwnRounding | None = None
        self._domain: tuple[dict[str, tuple[float, ...]], Array | None] | None = None

    def _start(self) -> Worker:
        settings, shares = self._settings, [table.descriptor for table in self.shared_tables]
        job = build_opening_job(self.candidate, threads=settings.threads, allow_pickle=settings.allow_pickle)
        return Worker(job, timeout_s=settings.timeout_s, shares=shares)

    def read_output(self, name: str) -> None:
        """Load the model anew, to read another of its outputs. Raises what the worker raised."""
        self.reopen("output", name)

    def reopen(self, option: str, value: str) -> None:
        """Load the model anew with an option of its engine. Raises what the worker raised."""
        self._worker.kill()
        label, options = f"{self._first_label},{option}={value}", {**self.candidate.options, option: value}
        self.candidate = replace(self.candidate, label=label, options=options)
        self._worker = self._start()
        self.open()

    def open(self) -> None:
        """Load the model. Raises what the worker raised."""
        self.spec = self._worker.open().spec

    @property
    def name(self) -> str:
        """The artefact's name."""
        return self.candidate.artefact.name

    @property
    def is_function(self) -> bool:
        """Whether it is a function of the user's, which says nothing of its columns and outputs."""
        return self.candidate.engine.name == "callable"

    def thresholds(self) -> dict[str, tuple[float, ...]]:
        """Per feature the values at which the prediction may change."""
        return self._read_domain()[0]

    def training_rows(self) -> Array | None:
        """Training rows that the model has kept (rows, features); None where it keeps none or cannot tell."""
        try:
            return self._read_domain()[1]
        except EngineError:
            return None

    def _read_domain(self) -> tuple[dict[str, tuple[float, ...]], Array | None]:
        if self._domain is None:
            domain = self._worker.ask(ReadDomain())
            self._domain = dict(domain.thresholds), domain.rows
        return self._domain

    def ask_feed(self, columns: Columns) -> Callable[[], None]:
        """Ask in which dtype the library is fed; what is returned waits until that is known."""
        response = self._worker.post(DescribeFeed(columns))

        def receive() -> None:
            try:
                self.feed_dtype = response().words
            except EngineError:
                self.feed_dtype = "unknown"

        return receive

    def measure_rounding(self) -> str:
        """From now on, say of predictions what the model rounds; in words why not, where that cannot be known."""
        try:
            support = self._worker.ask(CheckFloat64())
        except EngineError as error:
            return error.message
        self._own_rounding = OwnRounding(is_exact=support.is_own) if support.works else None
        return support.obstacle

    def predict(self, columns: Columns, *, opens_block: bool = False) -> Predictions:
        """Predict a table; rows that the library refuses are marked. Raises `EngineError` when it takes none.

        What the model rounds is pooled over the tables of a block, which begins where one `opens_block`.
        """
        predictions = self._predictions(self._worker.ask(PredictBatch(columns)))
        if opens_block:
            self.forget_block()
        return self._with_units(predictions, lambda: self._worker.ask(PredictInFloat64(columns)))

    def send(self, columns: Columns, memory: SharedTable, *, opens_block: bool = False) -> None:
        """Send a table whose predictions `receive` gives, in this order; `memory` holds most of the columns."""
        shared, others = memory.divide(columns)
        batch = self._worker.post(PredictBatch(others, shared))
        in_float64 = None if self._own_rounding is None else self._worker.post(PredictInFloat64(others, shared))
        self._pending.append((batch, in_float64, opens_block))

    def receive(self) -> Predictions:
        """The predictions for the oldest table sent. Raises what `predict` raises."""
        batch, in_float64, opens_block = self._pending.popleft()
        predictions = self._predictions(batch())
        if opens_block:
            self.forget_block()
        return self._with_units(predictions, in_float64)

    @property
    def measures_rounding(self) -> bool:
        """Whether predictions come with what the model rounds."""
        return self._own_rounding is not None

    def calibrate_rounding(self, columns: Columns) -> None:
        """Measure what the model rounds on rows with which every block's pool is to begin."""
        if self._own_rounding is not None:
            self.predict(dict(columns))
            self._rounding_before_block = copy.deepcopy(self._own_rounding)

    def forget_block(self) -> None:
        """Let the pool of what the model rounds begin anew, with what it was calibrated on."""
        if self._rounding_before_block is not None:
            self._own_rounding = copy.deepcopy(self._rounding_before_block)

    def _with_units(self, predictions: Predictions, in_float64: Callable[[], Float64Predictions] | None) -> Predictions:
        """With what the model rounds, where that is to be measured and the table has predictions in float64 too."""
        if self._own_rounding is None or in_float64 is None:
            return predictions
        try:
            run = in_float64()
        except EngineError:
            return predictions
        units = self._own_rounding.units_of(predictions.values, Float64Run(run.values, run.nudged, run.sizes))
        return replace(predictions, units=units)

    def read_trees(self, request: ReadTrees) -> ModelTrees:
        """What its worker reads of a file of trees. Raises what the worker raised."""
        return self._worker.ask(request)

    def predict_outputs(self, columns: Columns) -> RequestOutputs:
        """Every output of a network for each request. Raises `EngineError` when it takes none of them."""
        return self._worker.ask(PredictOutputs(columns))

    def predict_variants(self, columns: Columns) -> OutputVariants:
        """What rounding makes of a network's outputs. Raises `EngineError` where that cannot be known."""
        return self._worker.ask(PredictVariants(columns))

    def ask_within(self, columns: Columns, limit_ns: int) -> Callable[[], Predictions]:
        """Ask for predictions of as many of the first rows as take no longer than `limit_ns`.

        What is returned waits for them, once, and raises what `predict` raises.
        """
        response = self._worker.post(PredictWithin(columns, limit_ns))

        def receive() -> Predictions:
            predictions = self._predictions(response())
            part = {name: column[: len(predictions.values)] for name, column in columns.items()}
            return self._with_units(predictions, lambda: self._worker.ask(PredictInFloat64(part)))

        return receive

    def draw_requests(
        self, count: int, *, varied: bool = False, larger: bool = False, places: Sequence[int] = ()
    ) -> DrawnRequests:
        """Requests that a network takes. Raises `DataError` where it takes none of those that were tried."""
        choices = self._settings.requests
        request = DrawRequests(count, self._settings.seed, choices, varied, larger, tuple(places))
        return self._worker.ask(request)

    def predict_singly(self, columns: Columns) -> Predictions:
        """As `predict`, with a request of its own for every row."""
        return self._predictions(self._worker.ask(PredictRecords(columns)))

    def predict_in_float32(self, columns: Columns) -> Floats:
        """Predictions (rows, outputs) when a pipeline's steps work in float32. Raises `EngineError` without steps."""
        return self._worker.ask(PredictInFloat32(columns)).predictions

    def prepare(self, columns: Columns) -> StepOutputs:
        """What a pipeline's last step is handed.

        Raises `EngineError` where it has none, or one refuses the rows.
        """
        return self._worker.ask(RunSteps(columns))

    def _predictions(self, batch: BatchPredictions) -> Predictions:
        text = self.is_function
        labels = None if batch.labels is None else Labels(batch.labels, batch.codes, text)
        return Predictions(batch.predictions, batch.refusals, labels, batch.complaint)

    def peak_rss_bytes(self) -> int:
        """The worker's largest resident memory."""
        return self._worker.ask(MeasureMemory()).peak_rss_bytes

    def close(self) -> None:
        """End the worker at once."""
        self._worker.kill()


def describe_feeds(predictors: Sequence[Predictor], rows: Table, reference: ModelSpec) -> None:
    """Let every predictor say in which dtype its library is fed these rows: the first without a gap, if any."""
    complete = np.flatnonzero(number_gaps(rows.columns) == 0) if rows.rows else np.zeros(0, dtype=np.intp)
    first = rows.take(complete[:1]) if len(complete) else rows.slice(0, 1)
    columns = [columns_for(first, predictor.spec, reference, predictor.name) for predictor in predictors]
    for receive in [predictor.ask_feed(part) for predictor, part in zip(predictors, columns, strict=True)]:
        receive()


def align_classes(predictions: Predictions, spec: ModelSpec, reference: ModelSpec) -> Predictions:
    """A candidate's predictions in the reference's class order, and its labels under the reference's names.

    Classes are matched by label; where they share none and are as many (a text model numbers them), by position.
    """
    ours, theirs, labels = reference.classes, spec.classes, predictions.labels
    if not ours or not theirs or len(ours) != len(theirs):
        return predictions
    if set(ours) == set(theirs):
        return predictions if tuple(ours) == tuple(theirs) else _reorder(predictions, theirs, ours)
    if set(ours) & set(theirs) or labels is None:
        return predictions
    names = dict(zip(theirs, ours, strict=True))
    return replace(predictions, labels=replace(labels, names=tuple(names.get(name, name) for name in labels.names)))


def _reorder(predictions: Predictions, classes: Sequence[Any], reference: Sequence[Any]) -> Predictions:
    """With the columns of `classes` in the order of the reference's."""
    if len(reference) == 2 and predictions.values.shape[1] == 1:
        return replace(predictions, values=1.0 - predictions.values)
    order = [list(classes).index(label) for label in reference]
    return replace(predictions, values=predictions.values[:, order])
