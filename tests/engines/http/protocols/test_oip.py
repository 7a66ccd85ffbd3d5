"""The Open Inference Protocol: what is sent can be read, what is answered is read."""

import json
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.http.protocols.oip.codec import OipCodec, TensorCodec
from infer_bench.engines.http.protocols.oip.metadata import (
    InputColumns,
    ModelMetadata,
    TensorMetadata,
    match_columns,
    read_metadata,
)
from infer_bench.engines.http.protocols.oip.tensors import DTYPES, make_tensor, read_bytes, write_bytes
from infer_bench.errors import CannotRun, DataError, UsageError

RECORDS: list[dict[str, Any]] = [{"age": 3.0, "city": "Bern"}, {"age": float("nan"), "city": None}]
COLUMNS = [InputColumns("age", "FP32", ("age",), True), InputColumns("city", "BYTES", ("city",), False)]
LENGTH = b"inference-header-content-length"


def metadata(**inputs: tuple[str, list[int]]) -> ModelMetadata:
    return ModelMetadata([TensorMetadata(name, *rest) for name, rest in inputs.items()])


def take_apart(body: bytes, length: int) -> tuple[Any, bytes]:
    return json.loads(body[:length]), body[length:]


def test_tensors_as_json() -> None:
    body = OipCodec(COLUMNS, binary=False).encode(RECORDS)
    age, city = json.loads(body.content)["inputs"]
    assert age == {"name": "age", "shape": [2, 1], "datatype": "FP32", "data": [3.0, None]}
    assert city == {"name": "city", "shape": [2], "datatype": "BYTES", "data": ["Bern", None]}


def test_tensors_as_bytes() -> None:
    body = OipCodec(COLUMNS, binary=True).encode([RECORDS[0], {"age": None, "city": ""}])
    head, rest = take_apart(body.content, int(body.headers["Inference-Header-Content-Length"]))
    assert head["parameters"] == {"binary_data_output": True}
    assert [one["parameters"]["binary_data_size"] for one in head["inputs"]] == [8, 12]
    np.testing.assert_array_equal(np.frombuffer(rest[:8], "<f4"), np.array([3.0, np.nan], "<f4"))
    assert rest[8:] == b"\x04\0\0\0Bern\0\0\0\0"


def test_the_real_client_writes_the_same_bytes() -> None:
    client = pytest.importorskip("tritonclient.http")
    age, city = client.InferInput("age", [2, 1], "FP32"), client.InferInput("city", [2], "BYTES")
    age.set_data_from_numpy(np.array([[3.0], [np.nan]], np.float32))
    city.set_data_from_numpy(np.array(["Bern", ""], dtype=object))
    content, length = client.InferenceServerClient.generate_request_body([age, city])
    head, rest = take_apart(content, length)
    body = OipCodec(COLUMNS, binary=True).encode([RECORDS[0], {"age": None, "city": ""}])
    own_head, own_rest = take_apart(body.content, int(body.headers["Inference-Header-Content-Length"]))
    assert own_rest == rest
    assert own_head["inputs"] == head["inputs"]


@pytest.mark.parametrize("datatype", DTYPES)
def test_every_datatype_comes_back_from_its_bytes(datatype: str) -> None:
    tensor = make_tensor([[1], [0]], datatype, "x")
    read = read_bytes(write_bytes(tensor, datatype), datatype, [2, 1])
    np.testing.assert_array_equal(read, tensor)


def test_what_a_datatype_cannot_hold_is_refused() -> None:
    for values, datatype in (
        ([1.5], "INT64"),
        (["a"], "FP32"),
        ([300], "UINT8"),
        ([float("nan")], "INT32"),
        ([True, None], "BOOL"),
        ([0.5], "BOOL"),
        ([1], "X"),
    ):
        with pytest.raises(DataError):
            make_tensor(values, datatype, "x")


def test_a_number_as_text_has_no_fraction_where_it_is_whole() -> None:
    assert make_tensor([12.0, 1.5, 7, "12.0", float("nan")], "BYTES", "x").tolist() == ["12", "1.5", "7", "12.0", None]


def test_what_a_form_cannot_carry_is_refused() -> None:
    with pytest.raises(DataError, match=r"'city' is missing, which bytes cannot carry"):
        OipCodec(COLUMNS, binary=True).encode(RECORDS)
    with pytest.raises(DataError, match=r"'age' is too large for float32"):
        OipCodec(COLUMNS, binary=False).encode([{"age": 1e39, "city": "Bern"}])


ANSWER = {
    "outputs": [
        {"name": "label", "datatype": "INT64", "shape": [2], "data": [1, 0]},
        {"name": "probability", "datatype": "FP32", "shape": [2, 2], "data": [0.25, 0.75, 0.5, 0.5]},
        {"name": "text", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]},
    ]
}


def test_predictions_are_the_numbers_of_floating_point() -> None:
    answer = OipCodec(COLUMNS, binary=False).decode(json.dumps(ANSWER).encode(), {}, 2)
    assert answer.predictions.tolist() == [[0.25, 0.75], [0.5, 0.5]]


def test_an_answer_in_bytes() -> None:
    values = np.array([[0.25], [0.5]], "<f8")
    output = {"name": "p", "datatype": "FP64", "shape": [2, 1], "parameters": {"binary_data_size": 16}}
    head = json.dumps({"outputs": [output]}).encode()
    codec = OipCodec(COLUMNS, binary=True)
    answer = codec.decode(head + values.tobytes(), {LENGTH: str(len(head)).encode()}, 2)
    assert answer.predictions.tolist() == [[0.25], [0.5]]
    with pytest.raises(ValueError, match="no data"):
        codec.decode(head + values.tobytes()[:8], {LENGTH: str(len(head)).encode()}, 2)


@pytest.mark.parametrize(
    "outputs",
    [
        [],
        [{"name": "p", "datatype": "FP32", "shape": [1], "data": [0.5]}],
        [{"name": "p", "datatype": "FP32", "shape": [2], "data": [0.5]}],
        [{"name": "p", "datatype": "FP32", "shape": [2], "data": ["a", "b"]}],
        [{"name": "p", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}],
    ],
)
def test_an_answer_without_a_number_a_row_is_wrong(outputs: list[Any]) -> None:
    with pytest.raises(ValueError, match="output"):
        OipCodec(COLUMNS, binary=False).decode(json.dumps({"outputs": outputs}).encode(), {}, 2)


def test_columns_go_into_the_inputs_of_their_names() -> None:
    one, two = match_columns(metadata(b=("FP32", [-1, 1]), a=("INT64", [-1])), ("a", "b", "c"))
    assert (one.columns, one.is_matrix) == (("b",), True)
    assert (two.columns, two.is_matrix) == (("a",), False)
    with pytest.raises(UsageError, match="'d'"):
        match_columns(metadata(a=("FP32", [-1]), d=("FP32", [-1])), ("a", "b"))


def test_all_columns_fill_the_only_matrix() -> None:
    (matrix,) = match_columns(metadata(x=("FP32", [-1, 2])), ("a", "b"))
    assert (matrix.columns, matrix.is_matrix) == (("a", "b"), True)
    assert matrix.take([{"a": 1, "b": 2}]) == [[1, 2]]
    with pytest.raises(UsageError, match="takes 3 columns"):
        match_columns(metadata(x=("FP32", [-1, 3])), ("a", "b"))
    with pytest.raises(UsageError, match="shape"):
        match_columns(metadata(x=("FP32", [-1, 3, 8, 8])), ("a", "b"))


def test_metadata_that_is_none() -> None:
    with pytest.raises(CannotRun, match="metadata"):
        read_metadata(b"<html>", "http://127.0.0.1")
    with pytest.raises(CannotRun, match="no inputs"):
        read_metadata(b'{"inputs": []}', "http://127.0.0.1")


@pytest.mark.parametrize("binary", [False, True])
def test_whole_tensors_are_sent_as_they_are_and_all_outputs_read(binary: bool) -> None:
    image, words = np.arange(12, dtype=np.float32).reshape(1, 3, 2, 2), np.array([["a", "bc"]], dtype=object)
    inputs = [
        TensorMetadata("image", "FP32", [-1, 3, 2, 2]),
        TensorMetadata("words", "BYTES", [-1, -1]),
        TensorMetadata("unused", "INT64", [1]),
    ]
    body = TensorCodec(inputs, binary=binary).encode([{"image": image, "words": words}])
    length = int(body.headers.get("Inference-Header-Content-Length", len(body.content)))
    head, rest = take_apart(body.content, length)
    assert [(one["name"], one["shape"], one["datatype"]) for one in head["inputs"]] == [
        ("image", [1, 3, 2, 2], "FP32"),
        ("words", [1, 2], "BYTES"),
    ]
    assert rest.startswith(image.tobytes()) == binary
    outputs = [
        {"name": "pooled", "datatype": "FP32", "shape": [1, 2], "data": [0.5, 1.5]},
        {"name": "names", "datatype": "BYTES", "shape": [1], "data": ["a"]},
        {"name": "count", "datatype": "INT64", "shape": [1, 1, 1], "data": [3]},
    ]
    answer = TensorCodec(inputs, binary=binary).decode(json.dumps({"outputs": outputs}).encode(), {}, 1)
    assert answer.outputs is not None
    assert {name: array.tolist() for name, array in answer.outputs.items()} == {
        "pooled": [[0.5, 1.5]],
        "names": ["a"],
        "count": [[[3]]],
    }
    with pytest.raises(ValueError, match="no output"):
        TensorCodec(inputs, binary=binary).decode(b'{"outputs": []}', {}, 1)
