"""What is taken for a network, what is refused with its reason, and what is mended on a copy."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from infer_bench.converters.quantization.forms import FORMS, Form, form_named
from infer_bench.converters.quantization.network import describe_layers, load_network
from infer_bench.converters.quantization.write import write_form
from infer_bench.errors import ModelError, NotConvertible
from tests.networks import digits, save_convolutional, save_full, save_network

SAMPLES = Path(__file__).parents[3] / "sample_models"


def run(path: Path | str, rows: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: rows})[0])


def save_stump(path: Path) -> Path:
    """One tree of one split."""
    attributes = {
        "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_values": [0.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0], "n_targets": 1,
        "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 2.0],
    }  # fmt: skip
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["p"], domain="ai.onnx.ml", **attributes)
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 1]) for name in ("x", "p")]
    graph = helper.make_graph([node], "stump", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_layers_have_names_and_say_whether_their_weights_stand_in_the_file(tmp_path: Path) -> None:
    network = load_network(str(save_full(tmp_path / "n.onnx")))
    layers = describe_layers(network)
    assert [layer.operator for layer in layers] == ["Gemm"] * 3
    assert all(layer.constant for layer in layers)
    assert len({layer.name for layer in layers}) == 3


def test_trees_and_linear_models_are_refused_with_what_shrinks_them(tmp_path: Path) -> None:
    with pytest.raises(NotConvertible, match="made of trees") as refusal:
        load_network(str(save_stump(tmp_path / "t.onnx")))
    assert "--precision float32" in refusal.value.hint
    with pytest.raises(NotConvertible, match="linear"):
        load_network(str(SAMPLES / "tumour_zipmap.onnx"))
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["g"]), helper.make_node("Softmax", ["g"], ["p"])]
    linear = save_network(tmp_path / "l.onnx", nodes, {"w": np.ones((4, 3)), "b": np.ones(3)}, ["n", 4], 3)
    with pytest.raises(NotConvertible, match="linear"):
        load_network(str(linear))


def test_a_network_without_constant_weights_or_layers_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "x"], ["m"]), helper.make_node("MatMul", ["m", "x"], ["p"])]
    with pytest.raises(NotConvertible, match="weights in the file"):
        load_network(str(save_network(tmp_path / "v.onnx", nodes, {}, [4, 4], 4)))
    nodes = [helper.make_node("Relu", ["x"], ["p"])]
    with pytest.raises(NotConvertible, match="no layer that can be int8"):
        load_network(str(save_network(tmp_path / "r.onnx", nodes, {}, ["n", 4], 4)))


@pytest.mark.parametrize("name", ["u8s8", "dynamic", "float16"])
def test_what_is_small_already_is_refused(name: str, tmp_path: Path) -> None:
    network = load_network(str(save_full(tmp_path / "n.onnx")))
    rows, _ = digits()
    write_form(network, str(tmp_path / "small.onnx"), form_named(name), [{"x": rows[:8]}], [])
    with pytest.raises(NotConvertible, match="already"):
        load_network(str(tmp_path / "small.onnx"))


def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    path = save_full(tmp_path / "n.onnx")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ModelError):
        load_network(str(path))


def test_stale_shapes_and_old_operators_are_mended_and_names_stay(tmp_path: Path) -> None:
    path = save_full(tmp_path / "n.onnx")
    rows, _ = digits()
    expected = run(path, rows[:50])
    model = onnx.load(path)
    model.graph.value_info.append(helper.make_tensor_value_info("g1", onnx.TensorProto.FLOAT, [7, 5]))
    model.graph.input.append(helper.make_tensor_value_info("b0", onnx.TensorProto.FLOAT, [96]))
    for node in model.graph.node:
        node.name = ""
    onnx.save(model, path)
    network = load_network(str(path))
    assert [value.name for value in network.graph.input] == ["x"]
    assert [value.name for value in network.graph.output] == ["p"]
    onnx.save(network, tmp_path / "mended.onnx")
    np.testing.assert_allclose(run(tmp_path / "mended.onnx", rows[:50]), expected, atol=1e-6)
    for form in FORMS:
        counts = write_form(
            network, str(tmp_path / "small.onnx"), form, [{"x": rows[i : i + 10]} for i in range(0, 50, 10)], []
        )
        assert [(entry.layers, entry.quantised) for entry in counts] == [(3, 3)]
        assert np.abs(run(tmp_path / "small.onnx", rows[:50]) - expected).max() < 0.2


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_is_left_out_is_counted_and_stays_as_it_is(form: Form, tmp_path: Path) -> None:
    network = load_network(str(save_convolutional(tmp_path / "n.onnx")))
    rows = digits()[0][:40].reshape(-1, 1, 8, 8)
    names = [layer.name for layer in describe_layers(network)]
    counts = write_form(network, str(tmp_path / "small.onnx"), form, [{"x": rows}], names[:1] + names[2:])
    assert {entry.operator: (entry.quantised, entry.layers) for entry in counts} == {"Conv": (1, 2), "Gemm": (0, 1)}
    assert all("left out" in entry.reason for entry in counts)
    whole = {numpy_helper.to_array(tensor).dtype for tensor in onnx.load(tmp_path / "small.onnx").graph.initializer}
    assert np.dtype(np.float32) in whole


def test_matrices_that_are_computed_are_counted_as_skipped(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=(8, 8))
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Transpose", ["a"], ["t"]),
        helper.make_node("MatMul", ["a", "t"], ["s"]),
        helper.make_node("MatMul", ["s", "v"], ["p"]),
    ]
    path = save_network(tmp_path / "n.onnx", nodes, {"w": weights, "v": weights}, [8, 8], 8)
    rows = np.random.default_rng(1).normal(size=(8, 8)).astype(np.float32)
    (count,) = write_form(load_network(str(path)), str(tmp_path / "s.onnx"), form_named("dynamic"), [{"x": rows}], [])
    assert (count.layers, count.quantised, count.reason) == (3, 2, "1 without constant weights")


def test_what_does_not_fit_into_float16_stays_float32(tmp_path: Path) -> None:
    """A sum of 90,000 shows on no CPU: where each node computes in the type that it declares, it is infinite."""
    from onnx.reference import ReferenceEvaluator

    generator = np.random.default_rng(0)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], "first"),
        helper.make_node("Abs", ["a"], ["b"]),
        helper.make_node("Mul", ["b", "large"], ["c"]),
        helper.make_node("ReduceSum", ["c"], ["d"], keepdims=1),
        helper.make_node("Div", ["c", "d"], ["e"]),
        helper.make_node("MatMul", ["e", "v"], ["p"], "last"),
    ]
    first = generator.normal(size=(6, 6))
    weights = {"w": first, "v": generator.normal(size=(6, 3)), "large": 3e4}
    network = load_network(str(save_network(tmp_path / "n.onnx", nodes, weights, [1, 6], 3)))
    rows = generator.normal(size=(1, 6)).astype(np.float32)
    assert np.abs(rows @ first).sum() * 3e4 > 65504
    write_form(network, str(tmp_path / "half.onnx"), form_named("float16"), [{"x": rows}], [])
    half = onnx.load(tmp_path / "half.onnx")
    assert {numpy_helper.to_array(tensor).dtype for tensor in half.graph.initializer} >= {np.dtype(np.float16)}
    expected = ReferenceEvaluator(network).run(None, {"x": rows})[0]
    np.testing.assert_allclose(ReferenceEvaluator(half).run(None, {"x": rows})[0], expected, atol=2e-3)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_file_is_valid(form: Form, tmp_path: Path) -> None:
    network = load_network(str(save_convolutional(tmp_path / "n.onnx")))
    images = digits()[0][:8].reshape(-1, 1, 8, 8)
    write_form(network, str(tmp_path / "s.onnx"), form, [{"x": images}], [])
    onnx.checker.check_model(onnx.load(tmp_path / "s.onnx"))
