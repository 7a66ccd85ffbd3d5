"""Weights in fewer bits, and other weights, told from the files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from infer_bench import validate
from infer_bench.formats.onnx_weights import Weight, read_weights
from infer_bench.measure.validate.causes.precision import other_weights, rounded_weights
from tests.faulty_networks import save_graph, save_network

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.normal(size=(16, 24)).astype(np.float32)


def weight(values: Any, dtype: str = "float32", name: str = "w") -> Weight:
    return Weight(name, dtype, np.asarray(values))


def quantised(values: Any, axis: int | None = None) -> Any:
    scale = np.abs(values).max(axis=axis, keepdims=True) / 127
    return np.round(values / scale).astype(np.int8)


@pytest.mark.parametrize(
    "values",
    [
        quantised(MATRIX),
        quantised(MATRIX).T,
        quantised(MATRIX * np.geomspace(1, 50, 24), axis=0),
        (quantised(MATRIX).astype(int) + 128).astype(np.uint8),
    ],
)
def test_integers_are_matched_with_what_they_stand_for(values: Any) -> None:
    floats = [weight(RANDOM.normal(size=(16, 24)), name="other"), weight(MATRIX)]
    if values.max(axis=0).min() == 127 and values.dtype == np.int8 and values.shape == MATRIX.shape:
        floats[1] = weight(MATRIX * np.geomspace(1, 50, 24))
    (one,) = rounded_weights(floats, [weight(values, str(values.dtype), "w_quantized")])
    assert (one.name, one.shape) == ("w", (16, 24))
    assert 1e-4 < one.error < 0.02


def test_half_precision_is_matched_and_a_stranger_is_not() -> None:
    (half,) = rounded_weights([weight(MATRIX)], [weight(MATRIX.astype(np.float16), "float16")])
    assert 0 < half.error < 1e-3
    stranger = RANDOM.integers(-127, 127, (16, 24)).astype(np.int8)
    assert rounded_weights([weight(MATRIX)], [weight(stranger, "int8")]) == []
    thin = RANDOM.normal(size=(2, 8))
    assert rounded_weights([weight(thin)], [weight(quantised(RANDOM.normal(size=(2, 8))), "int8")]) == []


def test_other_numbers_under_the_same_name() -> None:
    changed = MATRIX.copy()
    changed[3, 4] += 0.25
    (one,) = other_weights([weight(MATRIX), weight([1.0], name="b")], [weight(changed), weight([1.0], name="b")])
    assert one.name == "w"
    assert one.delta == pytest.approx(0.25)
    assert other_weights([weight(MATRIX)], [weight(MATRIX.T), weight(MATRIX.astype(np.float64), "float64", "w")]) == []


def test_every_way_in_which_weights_are_stored(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    tensor = helper.make_tensor
    stored = [
        numpy_helper.from_array(values, "raw"),
        tensor("floats", TensorProto.FLOAT, [2, 3], values.ravel()),
        tensor("halves", TensorProto.FLOAT16, [2, 3], values.ravel()),
        tensor("brains", TensorProto.BFLOAT16, [2, 3], values.ravel()),
        tensor("bytes", TensorProto.INT8, [2, 3], [0, -1, 2, 3, 4, 5]),
        numpy_helper.from_array(np.arange(6), "indices"),
    ]
    constant = helper.make_node("Constant", [], ["constant"], value=numpy_helper.from_array(values, "any"))
    path = save_graph(tmp_path / "g.onnx", [constant, helper.make_node("Identity", ["x"], ["y"])], stored, 4, 4)
    weights = {one.name: one for one in read_weights(path.read_bytes())}
    assert set(weights) == {"raw", "floats", "halves", "brains", "bytes", "indices", "constant"}
    assert weights["indices"].values.tolist() == list(range(6))
    for name in ("raw", "floats", "halves", "brains", "constant"):
        np.testing.assert_array_equal(weights[name].values.astype(np.float32), values)
    assert weights["bytes"].values.tolist() == [[0, -1, 2], [3, 4, 5]]
    assert (weights["halves"].dtype, weights["brains"].dtype) == ("float16", "bfloat16")


def test_causes_of_networks_in_fewer_bits_and_with_other_weights(tmp_path: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    paths = {kind: save_network(tmp_path / f"{kind[:2]}.onnx", kind) for kind in ("plain", "float16", "no bias")}
    quantize_dynamic(paths["plain"], tmp_path / "int8.onnx")
    report = validate(str(paths["plain"]), str(tmp_path / "int8.onnx"), str(paths["float16"]), str(paths["no bias"]))
    causes = [result.causes[0] for result in report.results]
    assert [cause.name for cause in causes] == ["quantisation", "float16 weights", "other weights"]
    assert causes[0].detail.startswith("int8.onnx holds weights of the other in fewer bits (3 as int8), off most: w")
    assert "depends on its other rows" in causes[0].detail
    assert causes[0].fix.startswith("infer-bench quantize --exclude auto")
    assert causes[1].detail.startswith(
        "fl.onnx holds weights of the other in fewer bits (1 as float16), off most: w1 32×32"
    )
    assert causes[2].detail.startswith("no.onnx stores other numbers under the same names: b1 by up to ")
    assert all(cause.rows_explained == cause.rows_examined > 0 for cause in causes)
