"""Requests in a batch against the same requests alone."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infer_bench.model import TensorInput
from infer_bench.typing import Array
from infer_bench.workers.tasks.batch_invariance import CompareBatch, OutputShift, compare_batch
from infer_bench.workers.timing.hosted_session import HostedSession, RequestPool

INPUTS = (TensorInput("x", "float32", ("n", 3), 0),)


class Network:
    """A session that answers as `function` does, and counts the calls."""

    spec = SimpleNamespace(inputs=INPUTS)

    def __init__(self, function: Any) -> None:
        self._function, self.calls = function, 0

    def preprocess(self, request: Any) -> Any:
        return request["x"]

    def predict(self, inputs: Any) -> Any:
        self.calls += 1
        return self._function(inputs)

    def named_outputs(self, outputs: Any) -> Mapping[str, Array]:
        return {name: np.asarray(value) for name, value in outputs.items()}


def compare(function: Any, batch: int = 4, limit_ns: int = 10**12, requests: int = 6) -> Any:
    network: Any = Network(function)
    hosted = HostedSession(network, [])
    rows = np.random.default_rng(0).normal(size=(requests, 1, 3)).astype(np.float32)
    hosted.set_pool(RequestPool({"x": rows}, INPUTS))
    return compare_batch(hosted, CompareBatch(batch, limit_ns)), network


def test_outputs_of_a_part_a_request_are_compared_along_their_own_axis() -> None:
    result, network = compare(lambda x: {"rows": x, "state": np.stack([x.T, x.T])})
    assert result.requests == 4
    assert network.calls == 5
    assert [(shift.name, shift.largest, shift.differs) for shift in result.outputs] == [
        ("rows", 0, False),
        ("state", 0, False),
    ]


def test_a_batch_may_be_larger_than_the_requests_that_are_answered_alone() -> None:
    result, network = compare(lambda x: {"y": x}, batch=100)
    assert (result.requests, network.calls) == (6, 7)
    result, network = compare(lambda x: {"y": x}, limit_ns=0)
    assert (result.requests, network.calls) == (1, 2)


@pytest.mark.parametrize(
    ("function", "differs"),
    [
        (lambda x: x * np.float32(1 + 1e-6 * len(x)), False),
        (lambda x: x * np.float32(1 + 1e-3 * len(x)), True),
        (lambda x: (x * (1 + 1e-3 * len(x))).astype(np.float16), False),
        (lambda x: (x * (1 + 0.1 * len(x))).astype(np.float16), True),
        (lambda x: x.astype(np.int64) + len(x), True),
        (lambda x: x.astype(np.int64), False),
        (lambda x: np.full_like(x, np.nan), False),
        (lambda x: np.full_like(x, np.nan if len(x) > 1 else 0), True),
        (lambda x: np.full(x.shape, str(len(x)), dtype=object), True),
    ],
)
def test_rounding_is_no_difference_and_everything_else_is(function: Any, differs: bool) -> None:
    result, _ = compare(lambda x: {"y": function(x)})
    (shift,) = result.outputs
    assert shift.differs is differs


def test_what_is_no_part_a_request_is_left_out() -> None:
    result, _ = compare(
        lambda x: {
            "sum": x.sum(),
            "places": np.stack(np.nonzero(x)),
            "y": x,
            **{f"z[{i}]": row for i, row in enumerate(x)},
        }
    )
    assert result.outputs == (OutputShift("y", 0.0, result.outputs[0].scale, differs=False),)
