"""Networks of tensors in ONNX Runtime: requests of arrays go in, every output comes out by its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, parser

from infer_bench.engines.onnxruntime.messages import shorten_error
from infer_bench.engines.onnxruntime.network import NetworkSession
from infer_bench.errors import EngineError, ModelError
from tests.engines.zoo import open_session, ref
from tests.graphs import VOICE


def open_graph(folder: Path, graph: str, **options: str) -> NetworkSession:
    model = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 18]> {graph}')
    onnx.save(model, folder / "m.onnx")
    session = open_session("onnxruntime", ref(folder / "m.onnx", "onnx", "onnx"), **options)
    assert isinstance(session, NetworkSession)
    return session


def save_identity(folder: Path, kinds: Sequence[tuple[int, Sequence[Any]]]) -> NetworkSession:
    """Each input is given back."""
    names = [f"x/{i}:0" for i in range(len(kinds))]
    inputs = [helper.make_tensor_value_info(name, *kind) for name, kind in zip(names, kinds, strict=True)]
    outputs = [helper.make_tensor_value_info(f"y{i}", *kind) for i, kind in enumerate(kinds)]
    nodes = [helper.make_node("Identity", [name], [f"y{i}"]) for i, name in enumerate(names)]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), folder / "m.onnx")
    session = open_session("onnxruntime", ref(folder / "m.onnx", "onnx", "onnx"))
    assert isinstance(session, NetworkSession)
    return session


def answer(session: NetworkSession, **request: Any) -> dict[str, Any]:
    return session.named_outputs(session.predict(session.preprocess(request)))


def test_several_inputs_of_any_rank_and_a_scalar(tmp_path: Path) -> None:
    session = open_graph(tmp_path, VOICE)
    assert [str(tensor) for tensor in session.spec.inputs] == [
        "input float32 (batch, T)",
        "state float32 (2, batch, 3)",
        "sr int64 ()",
    ]
    assert [tensor.batch_axis for tensor in session.spec.inputs] == [0, 1, None]
    assert (session.spec.features, session.spec.output_names) == ((), ("output", "stateN"))
    sound, state = np.ones((1, 4), np.float32), np.zeros((2, 1, 3), np.float32)
    outputs = answer(session, input=sound, state=state, sr=2)
    assert list(outputs) == ["output", "stateN"]
    assert outputs["output"].tolist() == [2.0]
    assert outputs["stateN"].shape == (2, 1, 3)
    row = session.postprocess(session.predict(session.preprocess({"input": sound, "state": state, "sr": 2})))
    assert row.tolist() == [[2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]
    assert row.dtype == np.float64
    assert session.labels(row) is None
    assert not session.domain().thresholds


def test_arrays_that_are_right_are_not_copied(tmp_path: Path) -> None:
    session = open_graph(tmp_path, VOICE)
    request = {
        "input": np.ones((1, 4), np.float32),
        "state": np.zeros((2, 1, 3), np.float32),
        "sr": np.array(2),
        "else": np.ones(3),
    }
    arrays = session.preprocess(request)
    assert list(arrays) == ["input", "state", "sr"]
    assert all(arrays[name] is request[name] for name in arrays)
    request["input"] = np.ones((4, 2))[::2].T  # neither contiguous nor of the dtype
    array = session.preprocess(request)["input"]
    assert (array.shape, array.flags.c_contiguous) == ((2, 2), True)
    assert array.dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TensorProto.FLOAT16, np.array([[1.5]], np.float16)),
        (TensorProto.DOUBLE, np.array([[1.5]])),
        (TensorProto.UINT8, np.array([[255]], np.uint8)),
        (TensorProto.UINT64, np.array([[2**64 - 1]], np.uint64)),
        (TensorProto.BOOL, np.array([[True]])),
        (TensorProto.STRING, np.array([["äöü"]], dtype=object)),
        (TensorProto.INT64, np.empty((0, 1), np.int64)),
    ],
)
def test_every_dtype_comes_back(kind: int, values: Any, tmp_path: Path) -> None:
    session = save_identity(tmp_path, [(kind, [None, 1]), (TensorProto.FLOAT, [])])
    outputs = answer(session, **{"x/0:0": values, "x/1:0": np.float32(2.5)})
    assert outputs["y0"].dtype == values.dtype
    assert np.array_equal(outputs["y0"], values)
    assert (outputs["y1"].shape, outputs["y1"].dtype) == ((), np.float32)


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    session = open_graph(tmp_path, VOICE)
    whole = {"input": np.ones((1, 4), np.float32), "state": np.zeros((2, 1, 3), np.float32), "sr": 2}
    for change, reason in (
        ({"state": None}, "lacks the input 'state'"),
        ({"sr": 1.5}, r"the input is sr int64 \(\), and the request has float64 \(\)"),
        ({"input": np.array([["a"]])}, "the input is input float32"),
        (
            {"state": np.zeros((2, 3), np.float32)},
            r"state float32 \(2, batch, 3\), and the request has float32 \(2, 3\)",
        ),
        ({"state": np.zeros((1, 1, 3), np.float32)}, r"the request has float32 \(1, 1, 3\)"),
    ):
        with pytest.raises(EngineError, match=reason) as caught:
            answer(session, **whole | change)
        assert "\n" not in caught.value.message
    session.close()
    with pytest.raises(EngineError, match="closed"):
        answer(session, **whole)


RECURRENCE = """g (float[%s, 4] x) => (y) {
    w = ConstantOfShape <value = float[1] {0.5}> (w_sizes)
    r = ConstantOfShape <value = float[1] {0.5}> (r_sizes)
    y, last, cell = LSTM <hidden_size = 2> (x, w, r)
}"""


@pytest.mark.parametrize(
    ("axes", "batch_axis"), [("a, b", 1), ("N, M", 1), ("a, 1", None), ("batch, b", 0), ("T, N", 1), ("9, b", 1)]
)
def test_requests_are_never_stacked_along_the_steps_of_a_recurrence(
    tmp_path: Path, axes: str, batch_axis: int | None
) -> None:
    sizes = "<int64[3] w_sizes = {1, 8, 4}, int64[3] r_sizes = {1, 8, 2}>"
    session = open_graph(tmp_path, RECURRENCE.replace("=> (y)", f"=> (float[s, d, n, 2] y) {sizes}") % axes)
    assert session.spec.inputs[0].batch_axis == batch_axis


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no inputs: it always gives the same"):
        open_graph(tmp_path, "g () => (float[2] y) { y = Constant<value = float[2] {1, 2}>() }")


def test_errors_are_short(tmp_path: Path) -> None:
    rows = "w = Constant<value = float[2] {1, 2}>() y = Gather(w, x)"
    session = open_graph(tmp_path, f"g (int64[N, T] x) => (float[N, T] y) {{ {rows} }}")
    with pytest.raises(EngineError) as caught:
        answer(session, x=np.array([[7]]))
    assert caught.value.message.startswith("ONNX Runtime cannot predict: InvalidArgument: Non-zero status code")
    assert "idx=7" in caught.value.message
    assert "onnxruntime_src" not in caught.value.message
    with pytest.raises(ModelError) as broken:
        open_graph(tmp_path, "g (float[N, T] x) => (float[N, T] y) { y = Relu(x, x) }")
    assert str(tmp_path) not in broken.value.message
    assert "m.onnx" in broken.value.message


def test_what_no_array_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"'x/0:0' is of the type tensor\(bfloat16\), which NumPy has no array for"):
        save_identity(tmp_path, [(TensorProto.BFLOAT16, [1, 2, 3])])
    kinds = "a = Relu(x) y = Cast<to = 16>(x)"
    both = f"g (float[N, 2, 2] x) => (float[N, 2, 2] a, bfloat16[N, 2, 2] y) {{ {kinds} }}"
    with pytest.raises(EngineError, match=r"the output 'y' is of the type tensor\(bfloat16\)"):
        open_graph(tmp_path, both)
    assert open_graph(tmp_path, both, output="a").spec.output_names == ("a",)
    for options, reason in (({"feed": "dataframe"}, "feed=ndarray"), ({"io_binding": "on"}, "io_binding=off")):
        with pytest.raises(EngineError) as caught:
            open_graph(tmp_path, VOICE, **options)
        assert reason in caught.value.hint
    with pytest.raises(EngineError, match="no output 'nope'"):
        open_graph(tmp_path, VOICE, output="nope")


def test_one_output_may_be_chosen(tmp_path: Path) -> None:
    session = open_graph(tmp_path, VOICE, output="stateN")
    assert session.spec.output_names == ("stateN",)
    request = {"input": np.ones((1, 4), np.float32), "state": np.zeros((2, 1, 3), np.float32), "sr": 2}
    assert list(answer(session, **request)) == ["stateN"]


def test_the_parts_of_a_sequence_are_outputs(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 2])
    output = helper.make_tensor_sequence_value_info("parts", TensorProto.FLOAT, None)
    nodes = [helper.make_node("SplitToSequence", ["x"], ["parts"], axis=1)]
    graph = helper.make_graph(nodes, "g", [value], [output])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tmp_path / "m.onnx")
    session: Any = open_session("onnxruntime", ref(tmp_path / "m.onnx", "onnx", "onnx"))
    outputs = answer(session, x=np.zeros((1, 2, 2), np.float32))
    assert {name: array.shape for name, array in outputs.items()} == {"parts[0]": (1, 1, 2), "parts[1]": (1, 1, 2)}


def test_an_operator_that_nobody_knows_is_named(tmp_path: Path) -> None:
    graph = (
        '<ir_version: 8, opset_import: ["" : 17, "my.own" : 1]> g (float[N] x) => (float[N] y) { y = my.own.Mine(x) }'
    )
    path = tmp_path / "custom.onnx"
    onnx.save(parser.parse_model(graph), path)
    with pytest.raises(ModelError) as raised:
        open_session("onnxruntime", ref(path, "onnx", "onnx"))
    assert raised.value.message == (
        "ONNX Runtime cannot load custom.onnx: Fail: Fatal error: my.own:Mine(-1) is not a registered function/op"
    )
    assert raised.value.hint is not None
    assert "a library of their own" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[ONNXRuntimeError] : 1 : FAIL : Load model from /m/x.onnx failed:/src/onnxruntime/core/graph/model.cc:149 "
            "onnxruntime::Model::Model(onnx::ModelProto&&, bool) Unsupported model IR version: 99",
            "Exception: Unsupported model IR version: 99",
        ),
        (
            "[ONNXRuntimeError] : 1 : FAIL : /src/onnxruntime/core/framework/bfc_arena.cc:360 "
            "void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory",
            "Exception: Failed to allocate memory",
        ),
    ],
)
def test_errors_are_told_without_the_library_s_sources(text: str, expected: str) -> None:
    assert shorten_error(Exception(text), "/m/x.onnx") == expected
