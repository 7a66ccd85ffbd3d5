"""Warm-up, blocks and predictions of one session."""

import itertools
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.errors import EngineError
from infer_bench.model import TensorInput
from infer_bench.typing import ABSENT, TensorRequest
from infer_bench.workers.timing.hosted_session import HostedSession, RequestPool
from infer_bench.workers.timing.requests import MakeRequests, TimeBlock, TimeFirstRequest, WarmUp
from infer_bench.workers.timing.runner import Runner, requests_of
from tests.fakes import FakeClock, FakeSession

COLUMNS = {"a": np.arange(10.0), "b": np.linspace(-1, 1, 10)}


def runner_taking(phases_ns: tuple[int, int, int], batch: int = 1, cost_ns: int = 36) -> tuple[Runner, FakeSession]:
    clock = FakeClock(cost_ns)
    session = FakeSession(clock=clock, phases_ns=phases_ns)
    return Runner(session, requests_of(COLUMNS, batch), 10, batch, clock), session


@pytest.mark.parametrize(("request_ms", "calls"), [(300, 3), (500, 2)])
def test_no_call_of_a_slow_request_is_thrown_away(request_ms: int, calls: int) -> None:
    runner, session = runner_taking((0, request_ms * 1_000_000, 0))
    runner.warm_up(0)
    runner.time_block(TimeBlock(1, 1, 1, False, False, 0))
    assert session.calls == calls


@given(rows=st.integers(1, 40), batch=st.integers(2, 50))
def test_tables_hold_exactly_a_batch_and_every_row(rows: int, batch: int) -> None:
    requests = requests_of({"a": np.arange(rows)}, batch)
    assert all(len(request["a"]) == batch for request in requests)
    rows_ = np.concatenate([request["a"] for request in requests])
    assert rows_[:rows].tolist() == list(range(rows))


def test_a_record_holds_plain_scalars() -> None:
    columns = {"a": np.array([1.5], np.float32), "n": np.array([3]), "s": np.array(["x"], object)}
    assert requests_of(columns, 1) == [{"a": 1.5, "n": 3, "s": "x"}]
    assert type(requests_of(columns, 1)[0]["n"]) is int


def test_a_record_lacks_the_keys_that_its_row_lacks() -> None:
    columns = {"a": np.array([1.5, 2.5]), "s": np.array(["x", ABSENT], object)}
    assert requests_of(columns, 1) == [{"a": 1.5, "s": "x"}, {"a": 2.5}]


def test_requests_that_were_made_ahead_are_those_that_are_answered() -> None:
    session = HostedSession(FakeSession(), [])
    session.set_pool(RequestPool(COLUMNS))
    session.make_requests(MakeRequests(1))
    made = session.pool.requests(1)
    session.time_first_request(TimeFirstRequest(1))
    assert session.pool.requests(1) is made


def test_a_request_of_a_network_holds_arrays() -> None:
    inputs = (TensorInput("x", "float32", ("n", 3, 4), 0),)
    columns = {"x": np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4)}
    assert [request["x"].shape for request in requests_of(columns, 1, inputs)] == [(1, 3, 4), (1, 3, 4)]
    assert [request["x"].shape for request in requests_of(columns, 2, inputs)] == [(2, 3, 4)]
    assert requests_of({"x": columns["x"][:, 0]}, 1)[1]["x"].shape == (3, 4)  # for a function


def test_a_network_s_outputs_are_handed_on_as_they_are() -> None:
    session: Any = NetworkOfSums()
    request = TensorRequest({"x": np.ones((1, 2), np.float32)})
    runner = Runner(session, [request, request], 2, 1, FakeClock(1))
    runner.time_first()
    assert (session.named, session.flattened) == (1, 0)
    assert {name: column.tolist() for name, column in runner.predict_arrays(10**9).items()} == {"sum": [2.0, 2.0]}
    runner = Runner(session, [request, TensorRequest({"x": np.ones((1, 0), np.float32)})], 2, 1, FakeClock(1))
    assert runner.predict_arrays(10**9) == {}
    assert len(runner.predict_arrays(0)["sum"]) == 1


class NetworkOfSums:
    """A session with named outputs: a sum for each array that is not empty."""

    named = flattened = 0

    def preprocess(self, request: Any) -> Any:
        return request["x"]

    def predict(self, inputs: Any) -> Any:
        return [inputs.sum()] if inputs.size else []

    def named_outputs(self, outputs: Any) -> Any:
        self.named += 1
        return dict(zip(["sum"], outputs, strict=False))

    def postprocess(self, outputs: Any) -> Any:
        self.flattened += 1
        return np.reshape(outputs, (1, -1)).astype(np.float64)

    def labels(self, _: Any) -> None:
        return None


def test_the_warm_up_ends_when_two_windows_agree() -> None:
    runner, _ = runner_taking((1_000_000, 4_000_000, 0))
    warmth = runner.warm_up(limit_ns=10**9)
    assert warmth.steady
    assert warmth.request_ns == 5_000_036
    assert warmth.floor_ns == warmth.stage_floor_ns == 36
    assert warmth.warmup_ns < 100_000_000


def test_the_warm_up_gives_up_at_its_limit() -> None:
    runner, session = runner_taking((0, 0, 0))
    grow = session.predict

    def slower(inputs: object) -> object:
        session.phases_ns = (0, session.phases_ns[1] + 1_000_000, 0)
        return grow(inputs)

    session.predict = slower  # type: ignore[method-assign]
    runner = Runner(session, requests_of(COLUMNS, 1), 10, 1, session.clock)
    warmth = runner.warm_up(limit_ns=50_000_000)
    assert not warmth.steady
    assert warmth.warmup_ns >= 50_000_000


@pytest.mark.parametrize(("calls", "phases"), [(1, True), (1, False), (4, False)])
def test_a_block_counts_its_rows_and_the_time_of_its_samples(calls: int, phases: bool) -> None:
    runner, _ = runner_taking((100, 300, 50), batch=2, cost_ns=0)
    block = runner.time_block(TimeBlock(2, samples=8, calls=calls, phases=phases))
    assert block.request.tolist() == [450 * calls] * 8
    assert block.rows == 8 * calls * 2
    assert block.wall_ns == 450 * calls * 8
    assert set(block.preprocess.tolist()) == {100}
    assert set(block.predict.tolist()) == {300}
    assert set(block.postprocess.tolist()) == {50}


def test_a_block_times_a_fixed_piece_of_work_first_and_counts_what_its_threads_worked() -> None:
    runner, session = runner_taking((100, 300, 50), cost_ns=7)
    predict = session.predict

    def work(inputs: object) -> object:
        sum(range(10_000))
        return predict(inputs)

    session.predict = work  # type: ignore[method-assign]
    runner = Runner(session, requests_of(COLUMNS, 1), 10, 1, session.clock)
    block = runner.time_block(TimeBlock(1, samples=20, calls=1, phases=False))
    assert block.reference_ns == 7
    assert block.cpu_ns > 0
    assert block.queued_ns is None or block.queued_ns >= 0


@pytest.mark.parametrize("batch", [1, 3, 10, 16])
def test_predictions_are_the_rows_in_order_whatever_the_batch(batch: int) -> None:
    runner, _ = runner_taking((1, 1, 1), batch=batch)
    predictions, labels = runner.predict_rows(limit_ns=10**9)
    probabilities = 1 / (1 + np.exp(-(COLUMNS["a"] + COLUMNS["b"])))
    assert np.allclose(predictions[:, 0], probabilities, atol=0, rtol=1e-15)
    assert labels is not None
    assert labels.tolist() == ["yes" if p > 0.5 else "no" for p in probabilities]


@pytest.mark.parametrize(("batch", "is_number"), [(1, False), (3, False), (1, True)])
def test_the_text_of_predictions_is_their_label_where_it_is_always_the_same(batch: int, is_number: bool) -> None:
    runner, session = runner_taking((1, 1, 1), batch=batch)
    count = itertools.count()

    def texts(outputs: np.ndarray) -> list[str]:
        return [f"{next(count) if is_number else ''} {value > 0.5}" for value in outputs]

    session.texts = texts  # type: ignore[attr-defined]
    session.labels = lambda _: None  # type: ignore[method-assign, assignment]
    predictions, labels = runner.predict_rows(limit_ns=10**9)
    if is_number:
        assert labels is None
    else:
        assert labels is not None
        assert labels.tolist() == [f" {value > 0.5}" for value in predictions[:, 0]]


def test_a_batch_with_another_number_of_predictions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSession, "postprocess", lambda _, outputs: np.array([[outputs.sum()]]))
    runner, _ = runner_taking((0, 0, 0), 1)
    assert len(runner.predict_rows(10**9)[0]) == 10
    runner, _ = runner_taking((0, 0, 0), 5)
    with pytest.raises(EngineError, match="1 prediction for a request of 5 rows"):
        runner.predict_rows(10**9)


def test_predictions_stop_at_their_limit() -> None:
    runner, _ = runner_taking((0, 400, 0), cost_ns=0)
    predictions, _labels = runner.predict_rows(limit_ns=1_000)
    assert len(predictions) == 3


def test_a_model_that_replaces_the_clock_is_timed_by_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    session = HostedSession(FakeSession(clock=FakeClock(1), phases_ns=(1, 1, 1)), [])
    session.set_pool(RequestPool(COLUMNS))
    monkeypatch.setattr(time, "perf_counter_ns", lambda: 0)
    assert session.time_first_request(TimeFirstRequest(1)).done_ns > 0
    assert session.warm_up(WarmUp(1, limit_ns=1)).warmup_ns > 0
