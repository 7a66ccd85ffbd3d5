"""A converted file, run in ONNX Runtime and compared with the original in the original's own library."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from infer_bench.engines import registry
from infer_bench.engines.base import check_options
from infer_bench.errors import EngineError, NotConvertible
from infer_bench.libraries import of_family
from infer_bench.measure.candidates.jobs import build_engine_job, build_task_job
from infer_bench.measure.convert.compare import round_to
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.stats.agreement.predictions import Labels, Predictions
from infer_bench.stats.agreement.rounding import Float64Run, OwnRounding
from infer_bench.typing import Columns
from infer_bench.workers.process import Worker
from infer_bench.workers.requests import ImportEngine, LoadModel
from infer_bench.workers.tasks.convert import ImportWriter
from infer_bench.workers.tasks.float64 import CheckFloat64, PredictInFloat64
from infer_bench.workers.tasks.predict_table import PredictTable

READ_BY_LIBRARY = ("sklearn", "torch")
"""Trees of other families are read from their files."""


class TablePredictor:
    """One artefact in a worker of its own, or in the one given, asked for whole tables. It is opened meanwhile."""

    def __init__(
        self,
        engine: str,
        model: ModelRef,
        options: Mapping[str, str],
        allow_pickle: bool = False,
        worker: Worker | None = None,
    ) -> None:
        adapter = registry.get(engine)
        complete = check_options(adapter, {key: v for key, v in options.items() if key in adapter.options})
        job = build_engine_job(engine, model, complete, allow_pickle=allow_pickle)
        self.worker = worker or Worker(job)
        self._loaded = self.worker.post(LoadModel(job))

    @cached_property
    def spec(self) -> ModelSpec:
        """What the model computes, when it is open. Raises as its engine does."""
        try:
            return self._loaded().spec
        except BaseException:
            self.worker.kill()
            raise

    def predict(self, columns: Columns) -> Predictions:
        """The predictions for all rows as one request."""
        assert self.spec  # it is open
        table = self.worker.ask(PredictTable(columns))
        labels = None if table.labels is None else Labels.of(table.labels)
        return Predictions(table.predictions, table.refusals, labels)

    def run_in_float64(self, columns: Columns) -> Float64Run | None:
        """All rows in float64; None where the model has no such form or refuses the rows."""
        try:
            run = self.worker.ask(PredictInFloat64(columns))
        except EngineError:
            return None
        return Float64Run(run.values, run.nudged, run.sizes)

    def has_float64(self) -> bool:
        """Whether the model is a network of float32 that can be computed in float64."""
        support = self.worker.ask(CheckFloat64())
        return support.works and not support.is_own

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


def start_runtime(model: ModelRef) -> Worker:
    """A worker that imports ONNX Runtime, for the file to be made of `model`."""
    worker = Worker(build_task_job(model))
    worker.post(ImportEngine(registry.target("onnxruntime")))
    return worker


def start_writer(model: ModelRef) -> Worker:
    """A worker that imports what the conversion of `model` needs, its library too where that reads it."""
    library = of_family(model.family)
    worker = Worker(build_task_job(model))
    worker.post(ImportWriter(library.requires if library and model.family in READ_BY_LIBRARY else ()))
    return worker


def original_predictor(model: ModelRef, trees: str, allow_pickle: bool) -> TablePredictor:
    """The model in its own library, fed arrays, or tables where columns may hold text or be chosen by name.

    Raises `NotConvertible` for a family without an engine.
    """
    library = of_family(model.family)
    if library is None or not library.converts:
        raise NotConvertible(f"a {model.family} model has nothing to be checked against here", "see convert --list")
    return TablePredictor(library.engine, model, {"feed": library.feed, "trees": trees}, allow_pickle)


def predict_groups(original: TablePredictor, groups: Mapping[str, Columns], dtype: str) -> dict[str, Predictions]:
    """The original's predictions for each group, as `dtype` holds them, with what it rounds on all of them."""
    rows = {name: columns for name, columns in groups.items() if len(next(iter(columns.values())))}
    predictions = {name: round_to(original.predict(columns), dtype) for name, columns in rows.items()}
    runs = {name: original.run_in_float64(columns) for name, columns in rows.items()} if original.has_float64() else {}
    own = OwnRounding()
    for name, run in runs.items():
        if run is not None and run.values.shape == predictions[name].values.shape:
            own.add(predictions[name].values, run)
    empty = Predictions.unrefused(np.zeros((0, len(original.spec.outputs))))
    return {name: _with_units(predictions.get(name, empty), runs.get(name), own) for name in groups}


def _with_units(predictions: Predictions, run: Float64Run | None, own: OwnRounding) -> Predictions:
    if run is None or run.values.shape != predictions.values.shape:
        return predictions
    return replace(predictions, units=own.units(run))
