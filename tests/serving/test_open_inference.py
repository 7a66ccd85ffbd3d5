"""The Open Inference Protocol: its own messages, and Triton's client, unchanged."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from infer_bench.serving import application
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.tensors import datatypes
from infer_bench.serving.tensors.messages import read_request
from tests.engines.zoo import NAMES, SavedModel, matrix
from tests.serving.client import ask, counters
from tests.serving.server import serving

DTYPES = {"FP32": np.float32, "FP64": np.float64, "FP16": np.float16, "INT64": np.int64, "UINT8": np.uint8}


@pytest.fixture(scope="module")
def client(binary: SavedModel) -> Iterator[triton.InferenceServerClient]:
    with serving(binary.model.path) as server, triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        yield client


def tensor(name: str, values: Any, datatype: str, *, binary: bool = True) -> triton.InferInput:
    result = triton.InferInput(name, list(np.shape(values)), datatype)
    result.set_data_from_numpy(values, binary_data=binary)
    return result


def test_the_client_sees_a_server_and_a_model(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("model")
    assert client.is_model_ready("model", "1")
    assert not client.is_model_ready("model", "2")
    assert not client.is_model_ready("other")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata("model")
    assert metadata["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 4]}]
    assert [output["name"] for output in metadata["outputs"]] == ["predictions", "labels"]


@pytest.mark.parametrize("binary_data", [True, False])
@pytest.mark.parametrize("datatype", ["FP64", "FP32"])
def test_the_client_gets_the_predictions(
    client: triton.InferenceServerClient, binary: SavedModel, datatype: str, binary_data: bool
) -> None:
    rows = np.nan_to_num(matrix()).astype(DTYPES[datatype])
    asked = [triton.InferRequestedOutput(name, binary_data=binary_data) for name in ("labels", "predictions")]
    import lightgbm

    expected = lightgbm.Booster(model_file=binary.model.path).predict(rows.astype(np.float64))
    for outputs in (None, asked):
        result = client.infer(
            "model", [tensor("input", rows, datatype, binary=binary_data)], outputs=outputs, request_id="7"
        )
        np.testing.assert_array_equal(result.as_numpy("predictions")[:, 0], expected)
        np.testing.assert_array_equal(result.as_numpy("labels"), (expected > 0.5).astype(np.int64))
        assert result.get_response()["id"] == "7"


def test_the_client_may_send_columns_and_compress(client: triton.InferenceServerClient) -> None:
    columns = [tensor(name, np.ones((2, 1)), "FP64") for name in NAMES]
    one = client.infer("model", [tensor("input", np.ones((2, 4)), "FP64")], request_compression_algorithm="gzip")
    other = client.infer("model", columns[::-1])
    np.testing.assert_array_equal(one.as_numpy("predictions"), other.as_numpy("predictions"))


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("binary_data", [True, False])
def test_the_client_may_ask_for_a_compressed_answer(
    client: triton.InferenceServerClient, algorithm: str, binary_data: bool
) -> None:
    asked = [triton.InferRequestedOutput("predictions", binary_data=binary_data)]
    rows = [tensor("input", np.ones((2, 4)), "FP64")]
    plain = client.infer("model", rows, outputs=asked)
    answer = client.infer("model", rows, outputs=asked, response_compression_algorithm=algorithm)
    np.testing.assert_array_equal(answer.as_numpy("predictions"), plain.as_numpy("predictions"))


@pytest.mark.parametrize(
    ("name", "values", "datatype", "message"),
    [
        ("nothing", np.ones((1, 4)), "FP64", "the model has no input 'nothing'"),
        ("input", np.ones((1, 5)), "FP64", r"the shape \[1, 5\] instead of \[rows, 4\]"),
        ("input", np.ones(4), "FP64", r"the shape \[4\] instead of \[rows, 4\]"),
        ("input", np.ones((0, 4)), "FP64", r"the shape \[0, 4\]"),
        ("input", np.full((1, 4), "x", dtype=object), "BYTES", "is BYTES instead of FP64"),
        ("input", np.ones((1, 4), dtype=np.bool_), "BOOL", "is BOOL instead of FP64"),
        ("age", np.ones((1, 1)), "FP64", "the column 'income' is missing"),
        ("age", np.ones((1, 2)), "FP64", r"the shape \[1, 2\] instead of \[rows, 1\]"),
    ],
)
def test_the_client_is_told_what_is_wrong(
    client: triton.InferenceServerClient, name: str, values: Any, datatype: str, message: str
) -> None:
    with pytest.raises(InferenceServerException, match=message):
        client.infer("model", [tensor(name, values, datatype)])


def test_what_is_not_served_is_not_found(client: triton.InferenceServerClient) -> None:
    rows = tensor("input", np.ones((1, 4)), "FP64")
    with pytest.raises(InferenceServerException, match="there is no model 'other'"):
        client.infer("other", [rows])
    with pytest.raises(InferenceServerException, match="there is no version '3'"):
        client.infer("model", [rows], model_version="3")
    with pytest.raises(InferenceServerException, match="there is no output 'x'"):
        client.infer("model", [rows], outputs=[triton.InferRequestedOutput("x")])


def infer(app: Any, content: Any, name: str = "model") -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return ask(app, "POST", f"/v2/models/{name}/infer", content=body)


def test_a_graph_calls_its_input_itself(zoo: Callable[[str], SavedModel]) -> None:
    app = application(zoo("onnxruntime").model.path)
    metadata = ask(app, "GET", f"/v2/models/{app.service.name}").json()
    (input_,) = metadata["inputs"]
    assert (input_["name"], input_["datatype"]) == (app.service.paths.main.input_name, "FP32")
    width = input_["shape"][1]
    data = {"inputs": [{"name": input_["name"], "shape": [1, width], "datatype": "FP32", "data": [0.5] * width}]}
    assert infer(app, data, app.service.name).status_code == 200


def test_a_category_that_is_hashed_is_sent_as_text_or_as_a_number(tmp_path: Path) -> None:
    library = pytest.importorskip("catboost")
    rows = [["red", 1, 0.5], ["blue", 2, 1.5]] * 20
    settings = {"iterations": 3, "depth": 2, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
    model = library.CatBoostClassifier(**settings, cat_features=[0, 1]).fit(rows, [0, 1] * 20)
    model.save_model(str(tmp_path / "hashed.cbm"))
    app = application(str(tmp_path / "hashed.cbm"))
    inputs = ask(app, "GET", "/v2/models/hashed").json()["inputs"]
    assert [one["datatype"] for one in inputs] == ["BYTES", "BYTES", "FP64"]
    for datatype, codes in (("BYTES", ["1", "2"]), ("INT64", [1, 2]), ("FP64", [1.0, 2.0])):
        columns = (("BYTES", ["red", "blue"]), (datatype, codes), ("FP64", [0.5, 1.5]))
        tensors = [
            {"name": one["name"], "shape": [2], "datatype": kind, "data": data}
            for one, (kind, data) in zip(inputs, columns, strict=True)
        ]
        predictions = infer(app, {"inputs": tensors}, "hashed").json()["outputs"][0]["data"]
        np.testing.assert_array_equal(predictions, model.predict_proba(rows[:2])[:, 1])


def test_text_goes_in_and_comes_out(categories: Path, animals: Path) -> None:
    app = application(str(categories))
    assert [i["datatype"] for i in ask(app, "GET", "/v2/models/colours").json()["inputs"]] == ["FP64", "BYTES"]
    inputs = [
        {"name": "size", "shape": [2], "datatype": "FP32", "data": [0, 0]},
        {"name": "colour", "shape": [2, 1], "datatype": "BYTES", "data": [["red"], ["blue"]]},
    ]
    (predictions, _) = infer(app, {"inputs": inputs}, "colours").json()["outputs"]
    assert predictions["data"][0] > 0.5 > predictions["data"][1]
    missing = {**inputs[1], "data": [[None], ["red"]]}
    record = ask(app, "POST", "/predict", json={"size": 0, "colour": None}).json()
    (answer, _) = infer(app, {"inputs": [inputs[0], missing]}, "colours").json()["outputs"]
    assert answer["data"][0] == record["predictions"][0][0]
    wrong = [inputs[0], {"name": "colour", "shape": [2], "datatype": "FP64", "data": [0, 1]}]
    assert infer(app, {"inputs": wrong}, "colours").status_code == 400
    inputs = [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0, 3]}]
    labels = infer(application(str(animals)), {"inputs": inputs}, "animals").json()["outputs"][1]
    assert labels == {"name": "labels", "datatype": "BYTES", "shape": [1], "data": ["dog"]}


INPUT = {"name": "input", "shape": [1, 4], "datatype": "FP64", "data": [1, 2, 3, 4]}


CLASSES = {"name": "predictions", "parameters": {"classification": 2}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the body is no inference request"),
        (b"[" * 100_000, "the body is no inference request"),
        ({"inputs": []}, "the request has no input"),
        ({"inputs": [INPUT, INPUT]}, "stands twice"),
        ({"inputs": [{**INPUT, "data": [1, 2, 3]}]}, "its data holds 3 values"),
        ({"inputs": [{**INPUT, "data": [[1, 2], [3, 4]]}]}, "its data is nested as [2, 2], and its shape is [1, 4]"),
        ({"inputs": [{**INPUT, "datatype": "FP32", "data": [1, 2, 3, 1e300]}]}, "too large for FP32"),
        ({"inputs": [{**INPUT, "datatype": "FP16", "data": [[1, 2, 3, 1e5]]}]}, "too large for FP16"),
        ({"inputs": [INPUT], "outputs": [CLASSES]}, "output 'predictions': there is no classification"),
        ({"inputs": [{**INPUT, "data": [1, 2, 3, True]}]}, "its data is no list of FP64"),
        ({"inputs": [{**INPUT, "data": [1, 2, 3, "4"]}]}, "its data is no list of FP64"),
        ({"inputs": [{**INPUT, "datatype": "INT8", "data": [1, 2, 3, 400]}]}, "its data is no list of INT8"),
        ({"inputs": [{**INPUT, "datatype": "FP8"}]}, "'FP8' is no datatype"),
        ({"inputs": [{**INPUT, "shape": [-1, 4]}]}, "[-1, 4] is no shape"),
        ({"inputs": [{**INPUT, "shape": [2**62, 2**62]}]}, "its data holds 4 values"),
        ({"inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP64"}]}, "has neither data nor"),
        ({"inputs": [{**INPUT, "shape": [1] * 9}]}, "is no shape"),
    ],
)
def test_what_is_no_request_is_one_sentence(binary_app: Any, content: Any, message: str) -> None:
    response = infer(binary_app, content)
    assert response.status_code == 400
    assert message in response.json()["error"]


def test_null_is_what_is_left_out(binary_app: Any) -> None:
    whole = {"inputs": [INPUT], "outputs": [{"name": "predictions"}]}
    nulls = {
        "inputs": [{**INPUT, "parameters": None}],
        "outputs": [{"name": "predictions", "parameters": None}],
        "id": None,
        "parameters": None,
    }
    reference, answer = (infer(binary_app, content).json() for content in (whole, nulls))
    assert answer["outputs"] == reference["outputs"]
    assert answer.keys() == reference.keys()
    assert len(infer(binary_app, {"inputs": [INPUT], "outputs": None}).json()["outputs"]) == 2


def test_shared_memory_is_refused(client: triton.InferenceServerClient) -> None:
    rows, region = tensor("input", np.ones((1, 4)), "FP64"), triton.InferInput("input", [1, 4], "FP64")
    region.set_shared_memory("region", 32)
    output = triton.InferRequestedOutput("predictions")
    output.set_shared_memory("region", 8)
    with pytest.raises(InferenceServerException, match="input 'input': there is no shared memory here"):
        client.infer("model", [region])
    with pytest.raises(InferenceServerException, match="output 'predictions': there is no shared memory here"):
        client.infer("model", [rows], outputs=[output])


@pytest.mark.parametrize("length", ["x", "-1", "99999", "5"])
def test_the_length_of_the_json_is_checked(binary_app: Any, length: str) -> None:
    body = json.dumps({"inputs": [INPUT]}).encode()
    headers = {"inference-header-content-length": length}
    response = ask(binary_app, "POST", "/v2/models/model/infer", content=body, headers=headers)
    assert response.status_code == 400


def test_the_numbers_count_it(binary: SavedModel) -> None:
    app = application(binary.model.path, token="t")
    assert ask(app, "GET", "/v2/health/ready").status_code == 200
    assert infer(app, {"inputs": [INPUT]}).status_code == 401
    headers = {"authorization": "Bearer t"}
    body = json.dumps({"inputs": [INPUT]}).encode()
    assert ask(app, "POST", "/v2/models/model/infer", content=body, headers=headers).status_code == 200
    text = ask(app, "GET", "/metrics", headers=headers).text
    assert 'infer_bench_requests_total{endpoint="/v2/infer",status="200"} 1.0' in text
    assert counters(application(binary.model.path))['infer_bench_phase_seconds_count{phase="predict"}'] == 0


@pytest.mark.parametrize("datatype", sorted(set(datatypes.DTYPES) - {"BYTES"}))
def test_numbers_survive_both_ways(datatype: str) -> None:
    values = np.array([[0, 1], [1, 0]], dtype=datatypes.DTYPES[datatype])
    data = datatypes.to_bytes(values)
    np.testing.assert_array_equal(datatypes.from_bytes("x", datatype, [2, 2], memoryview(data)), values)
    assert datatypes.datatype_of(values) == datatype


def test_text_survives_both_ways() -> None:
    values = np.array([["a", ""], ["é", "b\x00"]], dtype=object)
    data = datatypes.to_bytes(values)
    np.testing.assert_array_equal(datatypes.from_bytes("x", "BYTES", [2, 2], memoryview(data)), values)
    for broken in (data[:-1], data + b"\x00", data[4:], struct.pack("<I", 2**32 - 1), b"\x01\x00\x00\x00\xff"):
        with pytest.raises(RequestFault):
            datatypes.from_bytes("x", "BYTES", [2, 2], memoryview(broken))


@given(body=st.binary(max_size=80), length=st.sampled_from([b"", b"0", b"3", b"80"]))
def test_any_bytes_are_a_request_or_a_fault(body: bytes, length: bytes) -> None:
    with pytest.raises(RequestFault) as caught:
        read_request(body, length)
    assert caught.value.status == 400
