"""Batches in a worker: refused rows are found, labels become numbers, and what a feed makes is told."""

from typing import Any

import numpy as np
import pytest

from infer_bench.engines.base import Domain, Request
from infer_bench.errors import EngineError
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import Floats
from infer_bench.workers.tasks.feed_dtype import DescribeFeed, describe_feed
from infer_bench.workers.tasks.predict_batches import (
    PredictBatch,
    PredictRecords,
    PredictWithin,
    predict_batch,
    predict_records,
    predict_within,
)
from infer_bench.workers.tasks.predict_table import PredictTable, predict_table


class Picky:
    """Predicts twice the first column, and refuses every table that holds a negative number."""

    spec = ModelSpec("binary", (Feature("a"),), ("output",), ("no", "yes"))

    def __init__(self) -> None:
        self.calls = 0

    def preprocess(self, request: Request) -> Any:
        return np.atleast_1d(np.asarray(request["a"], dtype=np.float32))

    def predict(self, inputs: Any) -> Any:
        self.calls += 1
        if (inputs < 0).any():
            raise ValueError("no negative numbers, please")
        return inputs * 2

    def postprocess(self, outputs: Any) -> Floats:
        return np.asarray(outputs, dtype=np.float64).reshape(-1, 1)

    def labels(self, predictions: Floats) -> Any:
        return np.array(["yes" if answer > 0.5 else "no" for answer in predictions[:, 0]], dtype=object)

    def domain(self) -> Domain:
        return Domain()

    def close(self) -> None:
        pass


@pytest.mark.parametrize("refused", [(), (3,), (0, 1, 99), (50, 51, 52, 53)])
def test_only_the_rows_that_a_library_refuses_are_refused(refused: tuple[int, ...]) -> None:
    column = np.linspace(0.0, 1.0, 100)
    column[list(refused)] = -1
    session = Picky()
    batch = predict_batch(session, PredictBatch({"a": column}))
    assert np.flatnonzero(batch.refusals).tolist() == list(refused)
    valid = ~batch.refusals
    assert np.allclose(batch.predictions[valid, 0], column[valid] * 2)
    assert np.isnan(batch.predictions[~valid]).all()
    assert ("negative" in batch.complaint) is bool(refused)
    assert session.calls <= 1 + 20 * len(refused)


def test_labels_are_places_in_a_list() -> None:
    batch = predict_batch(Picky(), PredictBatch({"a": np.array([0.0, 1.0, -1.0, 0.1])}))
    assert batch.labels is not None
    labels = [batch.labels[code] if code >= 0 else None for code in batch.codes]
    assert labels == ["no", "yes", None, "no"]


def test_labels_of_the_library_s_own_come_before_those_of_the_largest_probability() -> None:
    class Tuned(Picky):
        def predictions_and_labels(self, inputs: Any) -> tuple[Floats, Any]:
            return self.postprocess(self.predict(inputs)), np.array(["tuned"] * len(inputs), dtype=object)

    batch = predict_batch(Tuned(), PredictBatch({"a": np.array([0.0, 1.0])}))
    assert batch.labels == ("tuned",)
    assert batch.codes.tolist() == [0, 0]


def test_rows_as_single_records_are_predicted_the_same() -> None:
    column = np.array([0.2, -1.0, 0.4])
    session = Picky()
    alone = predict_records(session, PredictRecords({"a": column}))
    together = predict_batch(Picky(), PredictBatch({"a": column}))
    assert session.calls == 3
    assert np.array_equal(alone.predictions, together.predictions, equal_nan=True)
    assert np.array_equal(alone.refusals, together.refusals)


def test_a_table_that_is_refused_as_a_whole_is_an_error() -> None:
    with pytest.raises(EngineError, match="negative"):
        predict_batch(Picky(), PredictBatch({"a": np.full(10_000, -1.0)}))


class Finite(Picky):
    """Refuses every table with a number that is missing or infinite in `a`, whatever stands in `b`."""

    spec = ModelSpec("regression", (Feature("a"), Feature("b")), ("output",))

    def predict(self, inputs: Any) -> Any:
        self.calls += 1
        if not np.isfinite(inputs).all():
            raise ValueError("Input contains NaN or infinity")
        return inputs * 2


def test_rows_with_the_same_gaps_are_told_apart_at_once() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=20_000), random.normal(size=20_000)
    missing, infinite = random.random(20_000) < 0.2, random.random(20_000) < 0.1
    a[missing], a[infinite & ~missing] = np.nan, np.inf
    b[random.random(20_000) < 0.5] = np.nan
    session = Finite()
    batch = predict_batch(session, PredictBatch({"a": a, "b": b}))
    assert np.array_equal(batch.refusals, missing | infinite)
    assert np.allclose(batch.predictions[~batch.refusals, 0], a[~batch.refusals].astype(np.float32) * 2)
    assert session.calls < 300


def test_a_row_that_is_refused_for_something_else_costs_no_other_with_the_same_gaps() -> None:
    class Moody(Finite):
        def predict(self, inputs: Any) -> Any:
            return Picky.predict(self, np.nan_to_num(inputs))

    a = np.where(np.arange(400) % 2, np.nan, 1.0)
    b = np.ones(400)
    a[300] = -1.0
    session = Moody()
    batch = predict_batch(session, PredictBatch({"a": a, "b": b}))
    assert np.flatnonzero(batch.refusals).tolist() == [300]


def test_a_table_is_predicted_around_the_rows_that_are_refused() -> None:
    column = np.ones(3_000)
    column[[5, 2_000]] = np.nan
    table = predict_table(Finite(), PredictTable({"a": column}))
    assert np.flatnonzero(table.refusals).tolist() == [5, 2_000]
    assert np.flatnonzero(np.isnan(table.predictions[:, 0])).tolist() == [5, 2_000]


def test_answers_must_be_as_many_as_rows() -> None:
    class Short(Picky):
        def predict(self, inputs: Any) -> Any:
            return inputs[:1]

    assert predict_batch(Short(), PredictBatch({"a": np.ones(2)})).refusals.tolist() == [False, False]
    assert predict_batch(Short(), PredictBatch({"a": np.ones(0)})).predictions.shape == (0, 1)


def test_the_dtype_that_was_fed_is_told() -> None:
    assert describe_feed(Picky(), DescribeFeed({"a": np.ones(3)})).words == "float32"


def test_as_many_rows_are_predicted_as_time_allows() -> None:
    column = {"a": np.linspace(0.0, 1.0, 4_000)}
    everything = predict_within(Picky(), PredictWithin(column, limit_ns=10**12))
    assert np.allclose(everything.predictions[:, 0], column["a"] * 2)
    session = Picky()
    assert len(predict_within(session, PredictWithin(column, limit_ns=0)).predictions) == 32
    assert session.calls == 1
    few = {"a": column["a"][:5]}
    assert len(predict_within(Picky(), PredictWithin(few, limit_ns=0)).predictions) == 5
