"""The model whose predictions the answers are compared with, and which rows are drawn from."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from infer_bench import data as rows_of
from infer_bench.data import Table
from infer_bench.data.tensors.stacking import cut_requests
from infer_bench.errors import DataError, UsageError
from infer_bench.measure.load.settings import ServerSettings
from infer_bench.measure.settings import DEFAULT_ROWS
from infer_bench.measure.validate.opening import build_candidates, open_predictors, plan_predictors
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import ModelSpec
from infer_bench.typing import Floats, TensorRequest


@dataclass(frozen=True, slots=True)
class ExpectedPredictions:
    """What a model predicts for the rows that are sent (rows, outputs); NaN where it refuses one."""

    model: str
    spec: ModelSpec
    values: Floats
    atol: float
    rtol: float


def draw_rows(
    model: str, batch: int, seed: int, settings: ServerSettings, requests: int
) -> Table | tuple[TensorRequest, ...]:
    """Rows drawn from a model, or at most so many `requests` from a network.

    Raises `DataError` where it does not tell its columns.
    """
    with open_model(model, settings, seed) as predictor:
        if inputs := predictor.spec.inputs:
            try:
                columns = predictor.draw_requests(requests).columns
            except DataError as error:  # whose hint may name options that a load has not
                raise DataError(error.message, "give requests with --data FILE.npz") from None
            return tuple(cut_requests(columns, inputs, 1))
        if not predictor.spec.features:
            raise DataError("there is nothing to draw rows from", "give rows with --data")
        return rows_of.draw(predictor.spec, predictor.thresholds(), max(DEFAULT_ROWS, batch), seed)


def predict_rows(model: str, table: Table, max_delta: float | None, settings: ServerSettings) -> ExpectedPredictions:
    """What a model predicts for a table. Raises what kept it from that."""
    with open_model(model, settings) as predictor:
        spec = predictor.spec
        if spec.inputs:
            raise UsageError(
                f"{predictor.name} takes tensors, and the load sends rows", "--data FILE.npz sends tensors"
            )
        columns = rows_of.conform(table, spec).columns if spec.features else table.columns
        predictions = predictor.predict(columns)
        limits = ValidateSettings(atol=max_delta).limits(spec.task)
        values = np.where(predictions.refusals[:, None], np.nan, predictions.values)
        return ExpectedPredictions(model, spec, values, limits.atol, limits.rtol)


@contextlib.contextmanager
def open_model(model: str, settings: ServerSettings, seed: int = 0) -> Iterator[Predictor]:
    """The model in its own library, in a worker."""
    own = ValidateSettings(allow_pickle=settings.allow_pickle, seed=seed)
    candidates = build_candidates(plan_predictors([model], [], own, 1), own)
    with open_predictors(candidates, own) as openings:
        yield openings[0].require()
