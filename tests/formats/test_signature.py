"""What a graph takes and gives, and whether that is columns or tensors."""

from collections.abc import Sequence
from typing import Any

import pytest
from onnx import TensorProto, helper, numpy_helper

from infer_bench.errors import ModelError
from infer_bench.formats.input_names import is_batch, is_state, is_time
from infer_bench.formats.signature import TENSORS, Signature, find_batch_axis, read_signature
from infer_bench.model import TensorInput

FLOAT, INT, TEXT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING


def read(
    *inputs: tuple[str, int, Sequence[Any] | None],
    op: str = "Identity",
    domain: str = "",
    stored: Sequence[Any] = (),
    ir_version: int = 9,
    metadata: dict[str, str] | None = None,
) -> Signature:
    values = [helper.make_tensor_value_info(*value) for value in inputs]
    nodes = [helper.make_node(op, [inputs[0][0]], ["y"], domain=domain)]
    outputs = [helper.make_tensor_value_info("y", FLOAT, None), helper.make_tensor_value_info("z", FLOAT, [1])]
    model = helper.make_model(helper.make_graph(nodes, "g", values, outputs, list(stored)), ir_version=ir_version)
    helper.set_model_props(model, metadata or {})
    return read_signature(model.SerializeToString())


def test_inputs_are_read_as_they_are_declared() -> None:
    signature = read(
        ("a:0", FLOAT, ["batch", 3, None, 224]),
        ("sr", INT, []),
        ("any", TensorProto.DOUBLE, None),
        ("half", TensorProto.FLOAT16, ["?", "-1", 0]),
        ("brain", TensorProto.BFLOAT16, [1]),
        ("words", TEXT, [1, 2]),
        ("flag", TensorProto.BOOL, [1]),
    )
    assert signature.outputs == ("y", "z")
    assert signature.is_network
    assert signature.inputs == (
        TensorInput("a:0", "float32", ("batch", 3, None, 224), 0),
        TensorInput("sr", "int64", ()),
        TensorInput("any", "float64", None),
        TensorInput("half", "float16", (None, None, 0), 0),
        TensorInput("brain", "", (1,)),
        TensorInput("words", "object", (1, 2)),
        TensorInput("flag", "bool", (1,)),
    )
    assert str(signature.inputs[0]) == "a:0 float32 (batch, 3, ?, 224)"
    assert str(signature.inputs[2]) == "any float64 of any rank"


def test_a_sequence_has_no_dtype() -> None:
    value = helper.make_tensor_sequence_value_info("x", FLOAT, None)
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [value])
    assert read_signature(helper.make_model(graph).SerializeToString()).inputs == (TensorInput("x", "", None),)


@pytest.mark.parametrize(("ir_version", "names"), [(3, ["x"]), (9, ["x", "w"])])
def test_inputs_that_are_stored_are_defaults_or_no_inputs(ir_version: int, names: list[str]) -> None:
    stored = [numpy_helper.from_array(numpy_helper.to_array(helper.make_tensor("w", FLOAT, [2], [1.0, 2.0])), "w")]
    signature = read(("w", FLOAT, [2]), ("x", FLOAT, ["n", 3, 4]), stored=stored, ir_version=ir_version)
    assert [tensor.name for tensor in signature.inputs] == names
    assert [tensor.optional for tensor in signature.inputs] == [False, True][: len(names)]


TABLES: dict[str, dict[str, Any]] = {
    "a matrix": {"inputs": [("x", FLOAT, ["n", 30])]},
    "a matrix of a fixed batch": {"inputs": [("x", FLOAT, [64, 30])]},
    "a matrix of doubles without a name for the batch": {"inputs": [("x", TensorProto.DOUBLE, [None, 30])]},
    "a column each": {"inputs": [("a", FLOAT, ["n", 1]), ("b", INT, ["n", 1]), ("c", TEXT, [None, 1])]},
    "a matrix beside a column": {"inputs": [("age", FLOAT, ["n", 1]), ("rest", FLOAT, ["n", 8])]},
    "texts": {"inputs": [("x", TEXT, [None])]},
    "trees that do not say how wide": {
        "inputs": [("x", FLOAT, [None, None])],
        "op": "TreeEnsembleRegressor",
        "domain": "ai.onnx.ml",
    },
    "whole numbers of trees": {
        "inputs": [("x", INT, [None, 4])],
        "op": "TreeEnsembleRegressor",
        "domain": "ai.onnx.ml",
    },
    "our own": {"inputs": [("x", FLOAT, [None, None])], "metadata": {"infer_bench.spec": "{}"}},
}
NETWORKS: dict[str, dict[str, Any]] = {
    "an image": {"inputs": [("x", FLOAT, ["n", 3, 8, 8])]},
    "a free width": {"inputs": [("x", FLOAT, ["n", None])]},
    "a width beyond any table": {"inputs": [("x", FLOAT, ["n", 16000])]},
    "frames": {"inputs": [("x", FLOAT, ["frames", 80])]},
    "tokens": {"inputs": [("x", INT, ["n", 128])]},
    "a scalar beside a column": {"inputs": [("x", FLOAT, ["n", 1]), ("sr", INT, [])]},
    "a column beside tokens": {"inputs": [("x", FLOAT, ["n", 1]), ("ids", INT, ["n", 16])]},
    "two matrices": {"inputs": [("a", FLOAT, ["n", 8]), ("b", FLOAT, ["n", 16])]},
    "sound": {"inputs": [("x", FLOAT, ["samples"])]},
    "a fixed vector": {"inputs": [("x", FLOAT, [16000])]},
    "no inputs": {"inputs": [("x", FLOAT, None)]},
}


@pytest.mark.parametrize("name", TABLES)
def test_columns_are_a_table(name: str) -> None:
    case = dict(TABLES[name])
    assert not read(*case.pop("inputs"), **case).is_network


def test_a_converted_network_says_that_it_takes_tensors() -> None:
    matrix = ("x", FLOAT, ["n", 4])
    assert not read(matrix).is_network
    assert read(matrix, metadata={TENSORS: "yes"}).is_network


@pytest.mark.parametrize("name", NETWORKS)
def test_tensors_are_a_network(name: str) -> None:
    case = dict(NETWORKS[name])
    assert read(*case.pop("inputs"), **case).is_network


@pytest.mark.parametrize(
    ("name", "shape", "axis"),
    [
        ("x", ("batch", 3), 0),
        ("x", (None, 3, None), 0),
        ("x", ("unk__1", "unk__2", 101), 0),
        ("x", ("time", "b", 80), 1),
        ("x", ("T", "N", 80), 1),
        ("boxes", (1, "n", 4), None),
        ("features", ("num_nodes", 16), None),
        ("edge_index", (2, "num_edges"), None),
        ("points", ("batch", "points", 3), 0),
        ("x", ("sequence_length", 576), None),
        ("x", (1, 3, "height"), None),
        ("x", (), None),
        ("x", None, None),
        ("state", (2, "batch", 128), 1),
        ("state", (2, None, 128), 1),
        ("state", (2, 1, 128), None),
        ("past_key_values.0.key", (None, 8, None, 64), None),
        ("past_key_values.0.key", ("batch_size", 8, "past", 64), 0),
    ],
)
def test_the_batch_axis(name: str, shape: tuple[Any, ...] | None, axis: int | None) -> None:
    assert find_batch_axis(name, shape) == axis


def test_names() -> None:
    assert all(map(is_batch, ("b", "N", "bs", "batch", "batch_size", "minibatch", "n_samples")))
    assert not any(map(is_batch, ("height", "seq_len", "s0", "", None, 4)))
    assert all(
        map(
            is_time,
            (
                "T",
                "time",
                "num_frames",
                "seq_len",
                "sequence_length",
                "tokens",
                "samples",
                "num_nodes",
                "n_points",
                "Atoms",
            ),
        )
    )
    assert not any(map(is_time, ("batch_seq", "height", "target", "endpoints", "num_batch_nodes", None)))
    assert all(
        map(is_state, ("h", "c0", "h_0", "hn", "state", "stateN", "rnn_state", "hidden", "past_key_values.0.key"))
    )
    assert not any(map(is_state, ("x", "chars", "estate", "height", "mask", "input", "broadcast")))


def test_bytes_that_are_no_model_are_refused() -> None:
    for data in (b"", b"\x08\x09", b"\x3a\xff"):
        with pytest.raises(ModelError, match="no ONNX model"):
            read_signature(data)


@pytest.mark.parametrize(("output", "operator", "is_network"), [
    (("INT64", ["n"]), "ArgMax", True),
    (("BOOL", ["n", 3]), "IsNaN", True),
    (("STRING", ["n", 3]), "Cast", True),
    (("FLOAT", ["n", 3]), "Relu", False),
    (("FLOAT16", ["n", 3]), "Cast", False),
])  # fmt: skip
def test_what_gives_no_numbers_is_no_table(output: Any, operator: str, is_network: bool) -> None:
    kind, shape = output
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])]
    outputs = [helper.make_tensor_value_info("y", getattr(TensorProto, kind), shape)]
    ml = "ai.onnx.ml"
    for domain, op, expected in (("", operator, is_network), (ml, "Scaler", is_network), (ml, "SVMClassifier", False)):
        node = helper.make_node(op, ["x"], ["y"], domain=domain)
        model = helper.make_model(helper.make_graph([node], "g", inputs, outputs))
        signature = read_signature(model.SerializeToString())
        assert signature.is_network is expected
