"""What a graph rounds: in float64, or by moving its numbers an ulp."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from infer_bench.engines.onnxruntime.network import NetworkSession
from infer_bench.engines.onnxruntime.rounding import move_weights
from infer_bench.engines.rounding_runs import Method, move_request, shake, shake_in_float64
from infer_bench.errors import EngineError
from infer_bench.typing import Array
from tests.engines.zoo import open_session, ref
from tests.tensor_networks import IMAGES, SEQUENCE, image_weights, images, save_graph, sequence_weights


def open_network(path: Path) -> NetworkSession:
    session = open_session("onnxruntime", ref(path, "onnx", "onnx"))
    assert isinstance(session, NetworkSession)
    return session


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_about_half_of_the_numbers_move_by_an_ulp(dtype: type) -> None:
    values: Array = np.linspace(-3, 3, 4001).astype(dtype)
    moved = shake(values, "w", 0)
    steps = np.abs(moved.astype(np.float64) - values) / np.spacing(np.abs(values)).astype(np.float64)
    assert moved.dtype == values.dtype
    assert set(np.unique(np.round(steps, 3))) <= {0.0, 0.5, 1.0}
    assert 0.4 < np.mean(steps > 0) < 0.6
    assert moved[2000] == 0
    assert np.array_equal(moved, shake(values, "w", 0))
    assert not np.array_equal(moved, shake(values, "w", 1))


def test_what_is_no_weight_stays() -> None:
    for values in (np.array([1, 2]), np.array(2.0, np.float32), np.array([2.0], np.float32), np.array(["a", "b"])):
        assert shake(values, "w", 0) is values
    assert shake_in_float64(np.array([1, 2]), "w").dtype == np.int64
    wide = shake_in_float64(np.array([1.0, 3.0], np.float32), "w")
    assert np.abs(wide / [1.0, 3.0] - 1).tolist() == pytest.approx([2.0**-24] * 2)


def test_whole_numbers_of_a_request_are_not_moved() -> None:
    values: Array = np.array([0, 1, 5, -3, 0.5, 1e9, np.nan, 2**22 - 1], np.float32)
    moved = np.nextafter(values, np.float32(-9))
    kept = move_request(values, moved)
    assert kept.dtype == np.float32
    assert np.array_equal(kept == values, [True, True, True, True, False, False, False, True])
    assert move_request(values, values.astype(np.float64) * 0.999).dtype == np.float64
    half: Array = np.array([3, 0.25, 65504, np.inf], np.float16)
    assert move_request(half, half / np.float16(2)).tolist() == [3, 0.125, 65504, np.inf]
    ids = np.array([1, 2])
    assert move_request(ids, ids) is ids


@pytest.mark.parametrize("method", ["noise", "float64"])
def test_ids_that_are_floats_are_not_those_of_their_neighbours(method: Method, tmp_path: Path) -> None:
    graph = "g (float[N, 2, 2] ids) => (float[N, 2, 2, 2] y) { whole = Cast<to = 7>(ids) y = Gather(table, whole) }"
    table = np.arange(20, dtype=np.float32).reshape(10, 2) / np.float32(7)
    session = open_network(save_graph(tmp_path / "ids.onnx", graph, {"table": table}))
    ids = np.array([[[1, 3], [5, 9]]], np.float32)
    for shaken in session.rounding_runs(method).shaken({"ids": ids}):
        assert np.allclose(shaken["y"], table[[[[1, 3], [5, 9]]]], rtol=1e-6)


def test_a_graph_of_matrices_runs_in_float64(tmp_path: Path) -> None:
    session = open_network(save_graph(tmp_path / "s.onnx", SEQUENCE, sequence_weights()))
    x = np.random.default_rng(0).uniform(size=(1, 4, 64)).astype(np.float32)
    runs = session.rounding_runs("float64")
    exact, own = runs.exact({"x": x}), session.named_outputs(session.predict({"x": x}))
    assert exact is not None
    assert (str(exact["y"].dtype), str(exact["best"].dtype)) == ("float64", "int64")
    assert 0 < np.abs(exact["y"] - own["y"]).max() < 1e-5
    (moved,) = runs.shaken({"x": x})
    assert 0 < np.abs(exact["y"] - moved["y"]).max() < 1e-5
    assert (runs.method, runs.is_coarse) == ("float64", False)


def test_a_convolution_has_no_float64_and_its_weights_are_moved(tmp_path: Path) -> None:
    session = open_network(save_graph(tmp_path / "i.onnx", IMAGES, image_weights()))
    with pytest.raises(EngineError):
        session.rounding_runs("float64")
    runs = session.rounding_runs("noise")
    x = images(1)[0]
    draws = [draw["probs"] for draw in runs.shaken({"image": x})]
    assert runs.exact({"image": x}) is None
    assert len(draws) == 3
    assert 0 < max(float(np.abs(draw - draws[0]).max()) for draw in draws) < 1e-5
    assert not runs.is_coarse


def test_float16_inside_is_told(tmp_path: Path) -> None:
    graph = "g (float[n, 2, 2] x) => (float[n, 2, 2] y) { h = Cast<to = 10>(x) y = Cast<to = 1>(h) }"
    session = open_network(save_graph(tmp_path / "h.onnx", graph))
    with pytest.raises(EngineError, match="float16"):
        session.rounding_runs("float64")
    assert session.rounding_runs("noise").is_coarse


def test_quantised_graphs_have_no_measure(tmp_path: Path) -> None:
    graph = """
    g (float[n, 2, 2] x) => (float[n, 2, 2] y) {
        scale = Constant<value = float {0.1}>()
        zero = Constant<value = uint8 {0}>()
        q = QuantizeLinear(x, scale, zero)
        y = DequantizeLinear(q, scale, zero)
    }"""
    session = open_network(save_graph(tmp_path / "q.onnx", graph))
    methods: tuple[Method, ...] = ("float64", "noise")
    for method in methods:
        with pytest.raises(EngineError, match="quantised"):
            session.rounding_runs(method)


def test_sizes_that_an_operator_wants_in_float32_are_left_alone() -> None:
    scales = helper.make_tensor("scales", 1, [4], [1.0, 1.0, 2.0, 2.0])
    weight = helper.make_tensor("w", 1, [4], [1.0, 1.0, 2.0, 2.0])
    node = helper.make_node("Resize", ["x", "", "scales"], ["y"])
    x = helper.make_tensor_value_info("x", 1, [1, 1, 2, 2])
    y = helper.make_tensor_value_info("y", 1, None)
    model = helper.make_model(helper.make_graph([node], "g", [x], [y], [scales, weight]))
    move_weights(model, lambda values, _: values + 1)
    by_name = {t.name: onnx.numpy_helper.to_array(t).tolist() for t in model.graph.initializer}
    assert by_name == {"scales": [1.0, 1.0, 2.0, 2.0], "w": [2.0, 2.0, 3.0, 3.0]}
