"""Graphs of floats computed in float64."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from infer_bench.engines.onnxruntime.float64 import make_runner, widen_graph
from infer_bench.errors import EngineError
from tests.faulty_networks import save_graph, save_network

F = TensorProto.FLOAT
ROWS = np.random.default_rng(0).normal(size=(6, 4))
node, store = helper.make_node, numpy_helper.from_array


def constant(name: str, values: Any) -> Any:
    return node("Constant", [], [name], value=store(np.asarray(values, dtype=np.float32)))


def runs(path: Path) -> Any:
    return make_runner(str(path), "y")({"x": ROWS})


def test_constants_casts_and_filled_tensors_are_float64(tmp_path: Path) -> None:
    nodes = [
        constant("third", [1 / 3] * 4),
        node("Constant", [], ["tenth"], value_float=0.1),
        node("Constant", [], ["tenths"], value_floats=[0.1] * 4),
        node("Shape", ["x"], ["shape"]),
        node("ConstantOfShape", ["shape"], ["zeros"]),
        node("ConstantOfShape", ["shape"], ["sevenths"], value=store(np.array([1 / 7], dtype=np.float32))),
        node("Cast", ["x"], ["again"], to=F),
        node("Sum", ["again", "third", "tenth", "tenths", "zeros", "sevenths"], ["y"]),
    ]
    output = runs(save_graph(tmp_path / "sum.onnx", nodes, [], 4, 4))
    assert output.dtype == np.float64
    constants = [float(np.float32(value)) for value in (1 / 3, 0.1, 0.1, 1 / 7)]
    np.testing.assert_allclose(output, ROWS + sum(constants), rtol=1e-15)


def test_branches_are_computed_in_float64_too(tmp_path: Path) -> None:
    def branch(name: str, factor: float) -> Any:
        value = helper.make_tensor_value_info(name, F, ["batch", 4])
        nodes = [constant(f"{name}_factor", [factor]), node("Mul", ["x", f"{name}_factor"], [name])]
        return helper.make_graph(nodes, name, [], [value])

    condition = store(np.array(True), "always")
    nodes = [node("If", ["always"], ["y"], then_branch=branch("then", 0.1), else_branch=branch("other", 2.0))]
    output = runs(save_graph(tmp_path / "if.onnx", nodes, [condition], 4, 4))
    np.testing.assert_allclose(output, ROWS * float(np.float32(0.1)), rtol=1e-15)


@pytest.mark.parametrize("stored", [True, False])
def test_operators_keep_the_inputs_that_they_want_in_float32(tmp_path: Path, stored: bool) -> None:
    scales = np.array([1, 2], dtype=np.float32)
    nodes = [] if stored else [constant("scales", scales)]
    nodes.append(node("Resize", ["x", "", "scales"], ["y"], mode="nearest"))
    path = save_graph(tmp_path / "resize.onnx", nodes, [store(scales, "scales")] if stored else [], 4, 8)
    np.testing.assert_array_equal(runs(path), np.repeat(ROWS, 2, axis=1))


def test_a_network_is_off_by_less_than_float32(tmp_path: Path) -> None:
    path = save_network(tmp_path / "net.onnx", "split", "Erf")
    rows = np.random.default_rng(1).normal(size=(20, 8))
    double = make_runner(str(path), "y")({"x": rows})
    import onnxruntime

    single = onnxruntime.InferenceSession(str(path)).run(None, {"x": rows.astype(np.float32)})[0]
    assert 0 < np.abs(double - single).max() < 1e-6


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16), node("Cast", ["h"], ["y"], to=F)], "float16"),
        ([node("Cast", ["x"], ["h"], to=TensorProto.BFLOAT16), node("Cast", ["h"], ["y"], to=F)], "bfloat16"),
        ([node("Add", ["x", "x"], ["s"]), node("DynamicQuantizeLinear", ["s"], ["q", "a", "b"]),
          node("DequantizeLinear", ["q", "a", "b"], ["y"])], "quantised"),
    ],
)  # fmt: skip
def test_what_is_not_float32_throughout_has_no_such_form(tmp_path: Path, nodes: Any, reason: str) -> None:
    with pytest.raises(EngineError, match=f"parts of the network .*{reason}"):
        widen_graph(str(save_graph(tmp_path / "mixed.onnx", nodes, [], 4, 4)))


def test_operators_of_other_domains_have_no_such_form(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [node("Gelu", ["x"], ["y"], domain="com.microsoft")],
        "g",
        [helper.make_tensor_value_info("x", F, [None, 4])],
        [helper.make_tensor_value_info("y", F, [None, 4])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "gelu.onnx")
    with pytest.raises(EngineError, match="Gelu of com"):
        widen_graph(str(tmp_path / "gelu.onnx"))
