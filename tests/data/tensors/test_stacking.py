"""Requests of a network, alone and stacked along the batch axes."""

import numpy as np
import pytest

from infer_bench.data.table import stack
from infer_bench.data.tensors.stacking import cut_requests
from infer_bench.errors import DataError
from infer_bench.model import TensorInput
from infer_bench.typing import Array, Columns

INPUTS = (
    TensorInput("sound", "float32", ("batch", "T"), 0),
    TensorInput("state", "float32", (2, "batch", 3), 1),
    TensorInput("rate", "int64", ()),
)


def columns(count: int) -> dict[str, Array]:
    return {
        "sound": np.arange(count * 4, dtype=np.float32).reshape(count, 1, 4),
        "state": np.arange(count * 6, dtype=np.float32).reshape(count, 2, 1, 3),
        "rate": np.full(count, 16000),
    }


def test_alone_each_request_is_a_view_of_the_table() -> None:
    table = columns(2)
    first, second = cut_requests(table, INPUTS, 1)
    assert {name: array.shape for name, array in first.items()} == {"sound": (1, 4), "state": (2, 1, 3), "rate": ()}
    assert second["state"].base is not None
    assert np.shares_memory(second["sound"], table["sound"])
    assert second["sound"].flags.c_contiguous


def test_stacked_they_lie_along_each_input_s_own_axis() -> None:
    table = columns(3)
    requests = cut_requests(table, INPUTS, 2)
    assert [request["state"].shape for request in requests] == [(2, 2, 3), (2, 2, 3)]
    assert np.array_equal(requests[1]["sound"], table["sound"][[2, 0], 0])
    assert np.array_equal(requests[0]["state"][:, 1], table["state"][1, :, 0])
    assert requests[0]["rate"].shape == ()


def test_a_batch_may_be_longer_than_the_table() -> None:
    (request,) = cut_requests(columns(2), INPUTS, 5)
    assert request["sound"][:, 0].tolist() == [0, 4, 0, 4, 0]


def test_what_cannot_be_stacked_is_refused() -> None:
    table: Columns = columns(2) | {"rate": np.array([8000, 16000])}
    with pytest.raises(DataError, match="'rate' has no batch axis, and they differ"):
        cut_requests(table, INPUTS, 2)
    sounds = [np.zeros((1, size), np.float32) for size in (3, 5)]
    with pytest.raises(DataError, match=r"those of 'sound' have the shapes \(1, 3\) and \(1, 5\)"):
        cut_requests({**columns(2), "sound": stack(sounds)}, INPUTS, 2)
    assert [r["sound"].shape for r in cut_requests({**columns(2), "sound": stack(sounds)}, INPUTS, 1)] == [
        (1, 3),
        (1, 5),
    ]
    fixed = (TensorInput("x", "float32", (1, 3, 8)),)
    with pytest.raises(DataError, match="one request at a time"):
        cut_requests({"x": np.zeros((2, 1, 3, 8), np.float32)}, fixed, 2)


def test_requests_of_another_branch_are_stacked_apart() -> None:
    inputs = (*INPUTS, TensorInput("loud", "bool", ()))
    table: Columns = columns(4) | {"loud": np.array([True, False, True, True])}
    requests = cut_requests(table, inputs, 2)
    assert [bool(request["loud"]) for request in requests] == [True, True, False]
    assert [request["sound"][:, 0].tolist() for request in requests] == [[0, 8], [12, 0], [4, 4]]
