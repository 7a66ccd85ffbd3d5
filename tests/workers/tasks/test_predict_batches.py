"""Batches in a worker: refused rows are found, labels become numbers, and what a feed makes is told."""

from typing import Any

import numpy as np
import pytest

from infer_bench.engines.base import Domain, Request
from infer_bench.errors import EngineError
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import Floats
from infer_bench.workers.tasks.predict_batches import fed, singly, stream


class Picky:
    """Answers twice the first column, and refuses every table that holds a negative number."""

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
    reply = stream(session, {"a": column})
    assert np.flatnonzero(reply.arrays["refused"]).tolist() == list(refused)
    kept = ~reply.arrays["refused"]
    assert np.allclose(reply.arrays["answers"][kept, 0], column[kept] * 2)
    assert np.isnan(reply.arrays["answers"][~kept]).all()
    assert ("negative" in reply.fields["complaint"]) is bool(refused)
    assert session.calls <= 1 + 20 * len(refused)


def test_labels_are_places_in_a_list() -> None:
    reply = stream(Picky(), {"a": np.array([0.0, 1.0, -1.0, 0.1])})
    named = [reply.fields["labels"][code] if code >= 0 else None for code in reply.arrays["codes"]]
    assert named == ["no", "yes", None, "no"]


def test_labels_of_the_library_s_own_come_before_those_of_the_largest_probability() -> None:
    class Tuned(Picky):
        def predictions_and_labels(self, inputs: Any) -> tuple[Floats, Any]:
            return self.postprocess(self.predict(inputs)), np.array(["tuned"] * len(inputs), dtype=object)

    reply = stream(Tuned(), {"a": np.array([0.0, 1.0])})
    assert [reply.fields["labels"][code] for code in reply.arrays["codes"]] == ["tuned", "tuned"]


def test_rows_asked_singly_answer_the_same() -> None:
    column = np.array([0.2, -1.0, 0.4])
    session = Picky()
    alone, together = singly(session, {"a": column}), stream(Picky(), {"a": column})
    assert session.calls == 3
    for name in ("answers", "refused"):
        assert np.array_equal(alone.arrays[name], together.arrays[name], equal_nan=True)


def test_a_table_that_is_refused_as_a_whole_is_an_error() -> None:
    with pytest.raises(EngineError, match="negative"):
        stream(Picky(), {"a": np.full(10_000, -1.0)})


def test_answers_must_be_as_many_as_rows() -> None:
    class Short(Picky):
        def predict(self, inputs: Any) -> Any:
            return inputs[:1]

    assert stream(Short(), {"a": np.ones(2)}).arrays["refused"].tolist() == [False, False]
    assert stream(Short(), {"a": np.ones(0)}).arrays["answers"].shape == (0, 1)


def test_the_dtype_that_was_fed_is_told() -> None:
    assert fed(Picky(), {"a": np.ones(3)}).fields["fed"] == "float32"
