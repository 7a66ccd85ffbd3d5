"""Saved outputs cut into requests, and names paired."""

from typing import Any

import numpy as np
import pytest

from infer_bench.data import Table
from infer_bench.errors import DataError
from infer_bench.measure.outputs.names import columns_of, pair_names, rename_outputs
from infer_bench.measure.validate.networks.saved_outputs import divide_outputs
from infer_bench.model import TensorInput

SAMPLE = {"y": np.zeros((1, 4)), "state": np.zeros((2, 1, 3)), "n": np.zeros(())}


@pytest.mark.parametrize(
    ("name", "shape", "requests", "each"),
    [
        ("y", (5, 1, 4), 5, (1, 4)),
        ("y", (5, 4), 5, (1, 4)),
        ("y", (4,), 1, (1, 4)),
        ("y", (1, 4), 1, (1, 4)),
        ("state", (2, 5, 3), 5, (2, 1, 3)),
        ("state", (5, 2, 1, 3), 5, (2, 1, 3)),
        ("n", (5,), 5, ()),
        ("n", (), 1, ()),
        ("y", (7, 9), 1, (7, 9)),
    ],
)
def test_each_request_has_its_part(name: str, shape: tuple[int, ...], requests: int, each: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    saved = divide_outputs("e.npz", {name: array}, requests, SAMPLE)
    parts = saved.predictions(0, requests).outputs[name]
    assert [part.shape for part in parts] == [each] * requests
    assert sorted(np.concatenate([part.reshape(-1) for part in parts]).tolist()) == array.reshape(-1).tolist()
    if requests > 1:
        assert np.array_equal(saved.predictions(2, 1).outputs[name][0], parts[2])


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"y": np.zeros((6, 4))}, r"'y' of e.npz has the shape \(6, 4\) for 5 requests"),
        ({"z": np.zeros((5, 4)), "w": np.zeros(5)}, "no output of the model"),
        ({"y": [np.zeros(1)] * 4}, "of 4 requests, and there are 5"),
    ],
)
def test_what_does_not_fit_is_one_line(arrays: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        divide_outputs("e.npz", arrays, 5, SAMPLE)


def test_names_are_paired_by_name_or_by_place() -> None:
    assert pair_names(["a", "b"], ["b", "c"]) == {"b": "b", "c": "c"}
    assert pair_names(["a", "b"], ["x", "y"]) == {"x": "a", "y": "b"}
    assert pair_names(["a"], ["x", "y"]) == {"x": "x", "y": "y"}
    assert list(rename_outputs({"x[0]": np.zeros(1), "y": np.zeros(1)}, {"x": "a", "y": "b"})) == ["a[0]", "b"]


def test_inputs_of_another_name_or_order() -> None:
    ours = (TensorInput("a", "float32", (1, 2)), TensorInput("b", "int64", ()))
    theirs = (TensorInput("n", "int64", ()), TensorInput("x", "float32", (1, 2)))
    table = Table({"a": np.zeros((3, 1, 2)), "b": np.zeros(3, np.int64)})
    assert list(columns_of(table, ours[::-1], ours, "m.onnx")) == ["b", "a"]
    assert list(columns_of(table, (), ours, "f")) == ["a", "b"]
    with pytest.raises(DataError, match="other inputs"):
        columns_of(table, (*theirs, TensorInput("z", "float32", ())), ours, "m.onnx")
