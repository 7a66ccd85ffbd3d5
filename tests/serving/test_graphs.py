"""ONNX graphs that take other things than one matrix: tensors of more axes, several of them, batches of one size."""

from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from infer_bench.errors import EngineError
from infer_bench.serving import application
from infer_bench.serving.rows.rows import Rows, rename
from tests.graphs import VOICE
from tests.serving.client import ask, ask_together, counters, predict

pytest.importorskip("onnx")


def save(folder: Path, graph: str) -> str:
    import onnx
    import onnx.parser

    path = folder / "graph.onnx"
    onnx.save(onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["" : 17]> {graph}'), path)
    return str(path)


IMAGE = """
image (float[N, 1, 2, 3] pixels) => (float[N, 1] y) {
    axes = Constant<value = int64[2] {2, 3}>()
    sum = ReduceSum<keepdims = 0>(pixels, axes)
    y = Identity(sum)
}
"""
SEVERAL = """
several (float[N, 2] a, int64[N, 1] b, uint8[N, 1] c) => (float[N, 1] y) {
    axis = Constant<value = int64[1] {1}>()
    sum = ReduceSum(a, axis)
    number = Cast<to = 1>(b)
    small = Cast<to = 1>(c)
    part = Add(sum, number)
    y = Add(part, small)
}
"""
FIXED = """
fixed (float[4, 2] x) => (float[4, 1] y) { axis = Constant<value = int64[1] {1}>() y = ReduceSum(x, axis) }
"""
SINGLE = FIXED.replace("[4,", "[1,")


def infer(app: Any, **tensors: Any) -> Any:
    inputs = [
        {"name": name, "shape": list(values.shape), "datatype": datatype, "data": values.reshape(-1).tolist()}
        for name, (datatype, values) in tensors.items()
    ]
    return ask(app, "POST", "/v2/models/graph/infer", json={"inputs": inputs})


def test_a_tensor_of_more_axes_is_its_own(tmp_path: Path) -> None:
    app = application(save(tmp_path, IMAGE))
    (pixels,) = ask(app, "GET", "/v2/models/graph").json()["inputs"]
    assert pixels == {"name": "pixels", "datatype": "FP32", "shape": [-1, 1, 2, 3]}
    (output,) = ask(app, "GET", "/v2/models/graph").json()["outputs"]
    assert output == {"name": "y", "datatype": "FP32", "shape": [-1, 1]}
    images = np.arange(12, dtype=np.float32).reshape(2, 1, 2, 3)
    answer = infer(app, pixels=("FP32", images))
    (sums,) = answer.json()["outputs"]
    assert sums == {**output, "shape": [2, 1], "data": [15.0, 51.0]}
    (described,) = ask(app, "GET", "/model-info").json()["inputs"]
    assert described == {"name": "pixels", "dtype": "float32", "shape": ["N", 1, 2, 3], "optional": False}
    wrong = infer(app, pixels=("FP32", images.reshape(2, 6)))
    assert (wrong.status_code, wrong.json()["columns"]) == (400, ["pixels"])
    assert "the input is pixels float32 (N, 1, 2, 3), and the request has float32 [2, 6]" in wrong.json()["error"]


def test_a_network_takes_its_tensors_as_json_and_gives_its_outputs_by_name(tmp_path: Path) -> None:
    app = application(save(tmp_path, IMAGE))
    records = [{"pixels": [[[[0, 1, 2], [3, 4, 5]]]]}, {"pixels": [[[[6, 7, 8.5], [9, 10, 11]]]]}]
    document = ask(app, "GET", "/openapi.json").json()
    jsonschema.validate(records[0], document["components"]["schemas"]["Record"])
    content = predict(app, records).json()
    assert (content["predictions"], content["outputs"]) == ([[15.0], [51.5]], [{"y": [[15.0]]}, {"y": [[51.5]]}])
    assert predict(app, records[0]).json()["outputs"] == [{"y": [[15.0]]}]
    for record in (
        {"pixels": [[0, 1, 2], [3, 4, 5]]},
        {f"f{i}": 1.0 for i in range(6)},
        {"pixels": [[[["a"] * 3] * 2]]},
    ):
        assert predict(app, record).status_code == 422
    uneven = predict(app, {"pixels": [[[[0, 1, 2], [3]]]]}).json()["error"]
    assert uneven.endswith("(N, 1, 2, 3), and the lists of the request are of different lengths")
    app = application(save(tmp_path, "g (uint8[N, 1, 2] x) => (uint8[N, 1, 2] y) { y = Identity(x) }"))
    assert predict(app, {"x": [[[255, 0]]]}).json()["outputs"] == [{"y": [[[255, 0]]]}]
    for number in (256, -1, 0.5):
        assert predict(app, {"x": [[[number, 0]]]}).status_code == 422


def test_several_tensors_are_taken_together(tmp_path: Path) -> None:
    app = application(save(tmp_path, SEVERAL))
    inputs = ask(app, "GET", "/v2/models/graph").json()["inputs"]
    assert [(i["name"], i["datatype"]) for i in inputs] == [("a", "FP32"), ("b", "INT64"), ("c", "UINT8")]
    a, b, c = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[10], [20]]), np.array([[100], [200]])
    assert infer(app, a=("FP32", a), b=("INT64", b), c=("UINT8", c)).json()["outputs"][0]["data"] == [113.0, 227.0]
    assert "'c' is missing" in infer(app, a=("FP32", a), b=("INT64", b)).json()["error"]
    assert "numbers of rows" in infer(app, a=("FP32", a), b=("INT64", b[:1]), c=("UINT8", c)).json()["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"c": 256}, "column 'c' takes whole numbers from 0 to 255"),
        ({"c": -1}, "column 'c' takes whole numbers from 0 to 255"),
        ({"b": 1.5}, "column 'b' takes whole numbers"),
        ({"b": 2**53 + 2}, "column 'b' takes whole numbers"),
        ({"b": None}, "column 'b' is missing, and the model takes none that are"),
    ],
)
def test_what_a_tensor_cannot_hold_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    app = application(save(tmp_path, SEVERAL))
    record = {"a_0": 1, "a_1": 2, "b": 3, "c": 4}
    assert predict(app, record).json()["predictions"] == [[10.0]]
    response = predict(app, {**record, **change})
    assert response.status_code == 422
    assert message in response.json()["error"]


@pytest.mark.parametrize("graph", [SINGLE, FIXED])
@pytest.mark.parametrize("rows", [1, 4, 7])
def test_a_batch_of_one_size_is_filled_up(tmp_path: Path, graph: str, rows: int) -> None:
    app = application(save(tmp_path, graph))
    records = [{"f0": i, "f1": 0.5} for i in range(rows)]
    expected = [[i + 0.5] for i in range(rows)]
    assert predict(app, records).json()["predictions"] == expected
    responses = ask_together(app, list(records))
    assert [response.json()["predictions"][0] for response in responses] == expected


def test_invented_names_are_places() -> None:
    rows = Rows(("f1", "f0"), np.array([[1.0, 2.0]]))
    by_name, by_place = rename(rows, ("f0", "f1")), rename(rows, ("f0", "f1"), named=False)
    assert by_name.matrix is not None
    assert by_place.matrix is not None
    assert (by_name.matrix.tolist(), by_place.matrix.tolist()) == ([[2.0, 1.0]], [[1.0, 2.0]])
    records = rename(Rows(("a", "b"), None, [{"a": 1}]), ("x", "y"))
    assert records.records == [{"x": 1}]
    with pytest.raises(EngineError, match="takes 3 columns"):
        rename(rows, ("x", "y", "z"))


BATCH_DEPENDENT = """
centred (float[N, 2] x) => (float[N, 2] y) {
    mean = ReduceMean<axes = [0], keepdims = 1>(x)
    y = Sub(x, mean)
}
"""


def test_requests_stay_apart_where_rows_depend_on_each_other(tmp_path: Path) -> None:
    app = application(save(tmp_path, BATCH_DEPENDENT))
    assert ask(app, "GET", "/model-info").json()["batching"] is False
    responses = ask_together(app, [{"f0": i, "f1": 1.0} for i in range(5)])
    assert [response.json()["predictions"] for response in responses] == [[[0.0, 0.0]]] * 5
    assert counters(app)["infer_bench_batch_requests_count"] == 5


def test_a_single_prediction_for_all_rows_is_told(tmp_path: Path) -> None:
    app = application(save(tmp_path, "g (float[N, 2] x) => (float y) { y = ReduceMean<keepdims = 0>(x) }"))
    assert ask(app, "GET", "/model-info").json()["batching"] is False
    record = {"f0": 1.0, "f1": 2.0}
    assert [response.json()["predictions"] for response in ask_together(app, [record] * 3)] == [[[1.5]]] * 3
    sentence = "the model gives a single prediction for all 2 rows of the request: send each row by itself"
    for response in (predict(app, [record] * 2), infer(app, x=("FP32", np.ones((2, 2))))):
        assert (response.status_code, response.json()["error"]) == (422, sentence)


def test_requests_go_together_elsewhere(tmp_path: Path) -> None:
    app = application(save(tmp_path, SEVERAL))
    assert ask(app, "GET", "/model-info").json()["batching"] is True


def test_a_network_is_served_by_its_tensors(tmp_path: Path) -> None:
    app = application(save(tmp_path, VOICE))
    about = ask(app, "GET", "/v2/models/graph").json()
    assert about["inputs"] == [
        {"name": "input", "datatype": "FP32", "shape": [-1, -1]},
        {"name": "state", "datatype": "FP32", "shape": [2, -1, 3]},
        {"name": "sr", "datatype": "INT64", "shape": []},
    ]
    assert [(output["name"], output["shape"]) for output in about["outputs"]] == [
        ("output", [-1]),
        ("stateN", [2, -1, 3]),
    ]
    sound, state = np.ones((2, 4), np.float32), np.zeros((2, 2, 3), np.float32)
    answer = infer(app, input=("FP32", sound), state=("FP32", state), sr=("INT64", np.array([2]))).json()
    assert [(output["name"], output["shape"]) for output in answer["outputs"]] == [
        ("output", [2]),
        ("stateN", [2, 2, 3]),
    ]
    assert answer["outputs"][0]["data"] == [2.0, 2.0]
    record = {"input": sound[:1].tolist(), "state": state[:, :1].tolist(), "sr": 2}
    assert predict(app, record).json()["predictions"] == [[2.0] + [1.0] * 6]
    assert predict(app, [record, record]).json()["predictions"] == [[2.0] + [1.0] * 6] * 2
    assert [response.status_code for response in ask_together(app, [record] * 3)] == [200] * 3


def test_what_does_not_fit_a_network_is_refused(tmp_path: Path) -> None:
    app = application(save(tmp_path, VOICE))
    sound, state, sr = ("FP32", np.ones((1, 4))), ("FP32", np.zeros((2, 1, 3))), ("INT64", np.array([2]))
    for tensors, message in (
        ({"input": sound, "state": state}, "'sr' is missing"),
        ({"input": sound, "state": state, "sr": sr, "x": sr}, "no input 'x'"),
        ({"input": ("FP64", sound[1]), "state": state, "sr": sr}, "the request has float64 [1, 4]"),
        ({"input": sound, "state": ("FP32", np.zeros((2, 3))), "sr": sr}, "the request has float32 [2, 3]"),
        ({"input": sound, "state": ("FP32", np.zeros((1, 1, 3))), "sr": sr}, "the request has float32 (1, 1, 3)"),
    ):
        response = infer(app, **tensors)
        assert response.status_code in (400, 422)
        assert message in response.json()["error"]


def test_several_outputs_are_all_given(tmp_path: Path) -> None:
    graph = """towers (float[N, 3] user, float[N, 2] item) => (float[N, 3] twice, float[N] first) {
        twice = Add(user, user)
        axis = Constant<value = int64[1] {1}>()
        first = ReduceSum<keepdims = 0>(item, axis)
    }"""
    app = application(save(tmp_path, graph))
    answer = infer(app, user=("FP32", np.ones((2, 3))), item=("FP32", np.ones((2, 2)))).json()
    outputs = {output["name"]: (output["datatype"], output["shape"], output["data"]) for output in answer["outputs"]}
    assert outputs == {"twice": ("FP32", [2, 3], [2.0] * 6), "first": ("FP32", [2], [2.0, 2.0])}


@pytest.mark.parametrize(
    ("graph", "datatype", "shape", "content"),
    [
        ("(float[N, 3] x) => (int64[N] y) { y = ArgMax<axis = 1, keepdims = 0>(x) }", "INT64", [2], [2, 2]),
        ("(float[N, 3] x) => (bool[N, 3] y) { y = IsNaN(x) }", "BOOL", [2, 3], [False] * 6),
        ("(float16[N, 3] x) => (float16[N, 3] y) { y = Relu(x) }", "FP16", [2, 3], [1.0, 2.0, 3.0] * 2),
        ("(float[N, 3] x) => (float[N, 1, 3] y) { a = Constant<value_ints = [1]>() y = Unsqueeze(x, a) }", "FP32",
         [2, 1, 3], [1.0, 2.0, 3.0] * 2),
    ],
)  # fmt: skip
def test_a_graph_without_classes_gives_its_output_as_it_is(
    tmp_path: Path, graph: str, datatype: str, shape: list[int], content: list[Any]
) -> None:
    app = application(save(tmp_path, f"g {graph}"))
    (declared,) = ask(app, "GET", "/v2/models/graph").json()["outputs"]
    assert declared == {"name": "y", "datatype": datatype, "shape": [-1, *shape[1:]]}
    rows = np.array([[1.0, 2.0, 3.0]] * 2)
    answer = infer(app, x=("FP16" if datatype == "FP16" else "FP32", rows)).json()
    assert answer["outputs"] == [{**declared, "shape": shape, "data": content}]
