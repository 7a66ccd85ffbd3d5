"""Rows in tables: only where that gives what each row gets alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.session import FedSession
from infer_bench.errors import EngineError
from infer_bench.typing import Columns
from infer_bench.workers.timing.row_tables import choose_unlike_rows, takes_tables
from infer_bench.workers.timing.runner import Runner, requests_of
from tests.fakes import FakeSession

ROWS, SLOW_NS = 200, 4_000_000
NUMBERS = {"a": np.arange(float(ROWS)), "b": np.linspace(-1, 1, ROWS)}
EVENTUALLY_MISSING = {**NUMBERS, "b": np.where(np.arange(ROWS) == 150, np.nan, NUMBERS["b"])}


class SlowSession(FakeSession):
    """Counts the requests, and answers in tables otherwise where it is told to."""

    def __init__(self, columns: Columns, oddity: str = "") -> None:
        super().__init__(phases_ns=(0, SLOW_NS, 0))
        self.columns, self.oddity, self.records = columns, oddity, 0

    def preprocess(self, request: Mapping[str, Any]) -> Any:
        is_record = np.ndim(request["a"]) == 0
        self.records += is_record
        inputs = super().preprocess(request)
        if not is_record and self.oddity == "refuses":
            raise EngineError("one row at a time")
        if is_record and self.oddity == "missing":
            return np.nan_to_num(inputs, nan=7.0)
        return inputs * (1 + 1e-15) if is_record and self.oddity == "bits" else inputs

    def predict_all(self) -> np.ndarray:
        runner = Runner(self, requests_of(self.columns, 1), ROWS, 1, self.clock)
        predictions, labels = runner.predict_rows(10**9, self.columns)
        assert labels is not None
        assert len(labels) == len(predictions)
        return predictions


def test_a_slow_session_answers_the_rest_in_tables() -> None:
    session = SlowSession(NUMBERS)
    predictions = session.predict_all()
    assert np.array_equal(predictions[:, 0], 1 / (1 + np.exp(-(NUMBERS["a"] + NUMBERS["b"]))))
    assert 50 < session.records < 70


@pytest.mark.parametrize("oddity", ["refuses", "bits", "missing"])
def test_rows_are_answered_alone_where_a_table_answers_otherwise(oddity: str) -> None:
    session = SlowSession(EVENTUALLY_MISSING, oddity)
    predictions = session.predict_all()
    assert session.records >= ROWS
    assert len(predictions) == ROWS
    assert bool(np.isnan(predictions).any()) is (oddity != "missing")


def test_a_row_unlike_the_first_ones_is_tried_alone() -> None:
    session = SlowSession(EVENTUALLY_MISSING)
    assert np.flatnonzero(np.isnan(session.predict_all()[:, 0])).tolist() == [150]
    assert session.records < 70


def test_rows_are_answered_alone_where_too_many_are_unlike_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    session = SlowSession({"a": NUMBERS["a"], "b": NUMBERS["b"]})
    monkeypatch.setattr("infer_bench.workers.timing.row_tables.choose_unlike_rows", lambda _: list(range(ROWS)))
    assert len(session.predict_all()) == ROWS
    assert session.records == ROWS


def test_unlike_rows_are_those_that_hold_another_kind_of_value() -> None:
    columns = {
        "x": np.array([1.0, 2.0, np.nan, np.nan, np.inf]),
        "n": np.array([1, 2, 3, 4, 5]),
        "s": np.array(["a", "a", "a", "b", None], object),
    }
    assert choose_unlike_rows(columns) == [0, 2, 3, 4]


def test_functions_and_networks_take_no_tables() -> None:
    fed = FedSession(FakeSession().spec, lambda request: request, lambda inputs: inputs)
    assert takes_tables(fed, NUMBERS)
    assert not takes_tables(FakeSession(), NUMBERS)
    assert not takes_tables(fed, {"image": np.zeros((3, 4, 4))})
