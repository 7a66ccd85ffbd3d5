"""Dataclasses on their way through JSON: they come back as they were, or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from infer_bench.model import Feature, ModelSpec, TensorInput
from infer_bench.typing import Array, Columns, Floats, Ints
from infer_bench.workers.codec import pack, unpack


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    pair: tuple[int, float] = (0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Outer:
    inner: Inner
    several: tuple[Inner, ...]
    kind: Literal["a", "b", 3]
    label: str | int | float | bool | None
    maybe: Inner | None
    floats: Floats | None
    whole: Ints
    columns: Columns
    scores: Mapping[Literal["x", "y"], int]
    anything: Any = field(default=None)


def cross(value: object) -> Any:
    body, arrays = pack(value)
    return unpack(type(value), json.loads(json.dumps(body)), arrays)


def outer(**changes: Any) -> Outer:
    columns = {"n": np.arange(3), "t": np.array(["a", None, 1.5], dtype=object), "u": np.array(["x", "yz"])}
    values: dict[str, Any] = {
        "inner": Inner("i", (1, 2.5)),
        "several": (Inner("j"), Inner("k")),
        "kind": 3,
        "label": True,
        "maybe": None,
        "floats": np.array([[1.0, np.nan]]),
        "whole": np.array([1, 2], dtype=np.int64),
        "columns": columns,
        "scores": {"x": 1},
        "anything": {"deep": [1, {"er": None}]},
    }
    return Outer(**values | changes)


def test_everything_comes_back_as_it_was() -> None:
    value, copy = outer(), cross(outer())
    for name in ("inner", "several", "kind", "label", "maybe", "scores", "anything"):
        assert getattr(copy, name) == getattr(value, name)
    assert np.array_equal(copy.floats, [[1.0, np.nan]], equal_nan=True)
    assert copy.whole.dtype == np.int64
    assert list(copy.columns) == list(value.columns)
    assert copy.columns["n"].tolist() == [0, 1, 2]
    assert copy.columns["t"].tolist() == ["a", None, 1.5]
    assert copy.columns["u"].tolist() == ["x", "yz"]
    assert copy.columns["u"].dtype == object


def test_tensors_come_back_as_they_were() -> None:
    ragged = np.empty(2, dtype=object)
    ragged[0], ragged[1] = np.zeros((1, 2), np.float16), np.array([["a", "b"]], dtype=object)
    texts = np.array([[["a"], ["b"]], [["c"], ["d"]]], dtype=object)
    columns = {
        "half": np.ones((2, 3, 1), np.float16),
        "texts": texts,
        "ragged": ragged,
        "empty": np.zeros((2, 0, 4), np.uint64),
        "no_texts": np.empty((2, 0), dtype=object),
    }
    copy = cross(outer(columns=columns)).columns
    assert {name: (value.dtype, value.shape) for name, value in copy.items()} == {
        name: (value.dtype, value.shape) for name, value in columns.items()
    }
    assert np.array_equal(copy["half"], columns["half"])
    assert copy["texts"].tolist() == texts.tolist()
    assert [(part.dtype, part.tolist()) for part in copy["ragged"]] == [(p.dtype, p.tolist()) for p in ragged]


def test_a_network_s_inputs_come_back_as_they_were() -> None:
    inputs = (
        TensorInput("images", "float32", ("batch", 3, None, 224), 0),
        TensorInput("sr", "int64", ()),
        TensorInput("any", "", None, optional=True),
    )
    spec = ModelSpec("raw", (), ("output",), inputs=inputs, output_names=("scores", "boxes"))
    assert cross(spec) == spec


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"shape": [3], "flat": {"values": ["a", "b"]}}, "cannot reshape"),
        ({"shape": [-1], "flat": {"values": ["a", "b"]}}, "no shape"),
        ({"shape": "2", "flat": {"values": ["a", "b"]}}, "no shape"),
        ({"parts": {}}, "no list of arrays"),
        ({"parts": [{"array": 40}]}, "not sent"),
        ({"parts": [["a"]]}, "no array"),
    ],
)
def test_broken_tensors_are_refused(body: dict[str, Any], reason: str) -> None:
    packed, arrays = pack(outer())
    packed["columns"] = {"x": body}
    with pytest.raises(ValueError, match=reason):
        unpack(Outer, packed, arrays)


def test_numpy_s_scalars_become_plain_and_defaults_may_be_absent() -> None:
    categories: Any = (np.int64(1), np.float64(2.5))
    classes: Any = (np.bool_(True),)
    spec = ModelSpec("binary", (Feature("a", "category", categories),), ("y",), classes)
    copy = cross(spec)
    assert copy == ModelSpec("binary", (Feature("a", "category", (1, 2.5)),), ("y",), (True,))
    assert type(copy.features[0].categories[0]) is int
    assert unpack(Inner, {"name": "n"}, ()) == Inner("n")


def test_numbers_widen_where_nothing_is_lost() -> None:
    copy = cross(outer(floats=np.ones(2, dtype=np.float32), whole=np.ones(2, dtype=np.int32)))
    assert (copy.floats.dtype, copy.whole.dtype) == (np.float64, np.int64)


@pytest.mark.parametrize("value", [object(), {1}, b"raw", np.array([object()]), np.array([1j]), [object()]])
def test_what_is_no_data_may_not_cross(value: object) -> None:
    with pytest.raises(ValueError, match="may not cross"):
        pack(value)


WRONG: dict[str, tuple[str, Any]] = {
    "text for a dataclass": ("inner", "x"),
    "a key too many": ("inner", {"name": "n", "more": 1}),
    "a missing key": ("inner", {"pair": [1, 2.0]}),
    "a value of another type": ("inner", {"name": 1}),
    "a list too long": ("inner", {"name": "n", "pair": [1, 2.0, 3]}),
    "a float for an int": ("inner", {"name": "n", "pair": [1.0, 2.0]}),
    "a bool for an int": ("inner", {"name": "n", "pair": [True, 2.0]}),
    "an object for a list": ("several", {"0": {"name": "n"}}),
    "another literal": ("kind", "c"),
    "a literal of another type": ("kind", 3.0),
    "a list for a scalar": ("label", ["a"]),
    "an array that was not sent": ("floats", {"array": 9}),
    "an array before the first": ("floats", {"array": -1}),
    "an array of text": ("floats", {"array": "0"}),
    "values for numbers": ("floats", {"values": [1.0]}),
    "numbers that do not fit": ("whole", {"array": 0}),
    "lists among values": ("columns", {"a": {"values": [[1]]}}),
    "no array": ("columns", {"a": [1]}),
    "a list for a mapping": ("columns", []),
    "another key": ("scores", {"z": 1}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_anything_else_is_refused_with_its_place(wrong: str) -> None:
    body, arrays = pack(outer())
    name, value = WRONG[wrong]
    with pytest.raises(ValueError, match=name):
        unpack(Outer, {**body, name: value}, arrays)


@pytest.mark.parametrize("body", [None, 1, "x", [], {}])
def test_a_dataclass_is_made_of_an_object(body: Any) -> None:
    with pytest.raises(ValueError, match="no Outer"):
        unpack(Outer, body, ())


@dataclass(frozen=True)
class Unclear:
    value: int | Array


def test_a_type_that_says_too_little_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="may not cross"):
        unpack(Unclear, {"value": 1}, ())
