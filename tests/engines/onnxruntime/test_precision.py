"""In which float dtype a graph computes its outputs, and that an error is measured by the ulp of that one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import parser

from infer_bench import validate
from infer_bench.engines.onnxruntime.precision import find_precisions
from infer_bench.typing import Array
from tests.tensor_networks import save_graph

DOUBLE = """
layers (double[batch, T, 16] x) => (double[batch, T, 5] y) {
    a = MatMul(x, w1)
    b = Tanh(a)
    y = MatMul(b, w2)
}
"""


def weights(scale: float = 1.0) -> dict[str, Array]:
    random = np.random.default_rng(0)
    w1, w2 = random.normal(0, 0.3, (16, 32)), random.normal(0, 0.3, (32, 5))
    w2[3, 2] *= scale
    return {"w1": w1, "w2": w2}


@pytest.mark.parametrize(
    ("body", "given", "taken", "precision"),
    [
        ("y = MatMul(x, x)", "double", "double", "float64"),
        ("a = Cast<to = 1>(x) y = Cast<to = 11>(a)", "double", "double", "float32"),
        ("a = Cast<to = 11>(x) y = MatMul(a, a)", "float", "double", "float64"),
        ("s = Shape(x) z = ConstantOfShape<value = double[1] {1.0}>(s) y = Add(z, z)", "float", "double", "float64"),
        ("i = Cast<to = 7>(x) a = Cast<to = 11>(i) y = Exp(a)", "float", "double", "float64"),
        ("a = Exp(x) y = Cast<to = 11>(a)", "float", "double", "float32"),
        ("a = Cast<to = 10>(x) b = Exp(a) y = Cast<to = 1>(b)", "float", "float", "float16"),
        ("a = Cast<to = 16>(x) y = Cast<to = 11>(a)", "double", "double", "bfloat16"),
        ("y = Identity(x)", "double", "double", "float64"),
        ("y = LayerNormalization(x, x)", "double", "double", "float32"),
        ("y = LayerNormalization<stash_type = 11>(x, x)", "double", "double", "float64"),
    ],
)
def test_the_narrowest_that_is_computed_in(body: str, given: str, taken: str, precision: str) -> None:
    graph = f"g ({given}[n, n] x) => ({taken}[n, n] y) {{ {body} }}"
    model: Any = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 17]> {graph}')
    assert find_precisions(model) == {"y": precision}


def test_in_graphs_within_the_graph() -> None:
    graph = """g (double[n] x, bool c) => (double[n] y, double[n] z) {
        y = If(c) <
            then_branch = t () => (double[n] a) { f = Cast<to = 1>(x) a = Cast<to = 11>(f) },
            else_branch = e () => (double[n] b) { b = Exp(x) }
        >
        z = Exp(x)
    }"""
    model: Any = parser.parse_model(f'<ir_version: 9, opset_import: ["" : 17]> {graph}')
    assert find_precisions(model) == {"y": "float32", "z": "float64"}


def test_a_network_of_float64_differs_by_what_float32_rounds(tmp_path: Path) -> None:
    model = str(save_graph(tmp_path / "m.onnx", DOUBLE, weights()))
    reordered = DOUBLE.replace("y = MatMul(b, w2)", "c = Mul(b, half) d = MatMul(c, w2) y = Add(d, d)")
    same = save_graph(tmp_path / "same.onnx", reordered, {**weights(), "half": np.array(0.5)})
    off = save_graph(tmp_path / "off.onnx", DOUBLE, weights(1 + 2e-8))
    single = DOUBLE.replace("y = MatMul(b, w2)", "f = Cast<to = 1>(b) c = Cast<to = 11>(f) y = MatMul(c, w2)")
    rounded = save_graph(tmp_path / "single.onnx", single, weights())
    report = validate(model, str(same), str(off), str(rounded), rows=4)
    assert [result.different for result in report.results] == [False, True, True]
    rounding = report.results[0].groups[0].rounding
    assert rounding is not None
    assert rounding.method == "noise"
