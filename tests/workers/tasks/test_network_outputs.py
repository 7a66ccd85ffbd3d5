"""Every output of a network a request, and what rounding makes of them, as a worker gives it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.data.table import stack
from infer_bench.errors import EngineError
from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.tasks.network_outputs import (
    OutputVariants,
    PredictOutputs,
    PredictVariants,
    RequestOutputs,
    predict_outputs,
    predict_variants,
)
from tests.engines.zoo import open_session, ref
from tests.tensor_networks import IMAGES, KEPT, SEQUENCE, image_weights, images, save_graph, sequence_weights


def open_network(path: Path) -> Any:
    return open_session("onnxruntime", ref(path, "onnx", "onnx"))


def test_requests_of_different_sizes_and_one_that_is_refused(tmp_path: Path) -> None:
    session = open_network(save_graph(tmp_path / "s.onnx", SEQUENCE, sequence_weights()))
    sizes = [(1, 3, 64), (1, 5, 64), (1, 3, 63)]
    outputs = predict_outputs(session, PredictOutputs({"x": stack([np.ones(s, np.float32) for s in sizes])}))
    assert outputs.refusals.tolist() == [False, False, True]
    assert [y.shape for y in outputs.outputs["y"]] == [(1, 3, 5), (1, 5, 5), (0,)]
    assert "(1, 3, 63)" in outputs.complaint
    crossed = unpack(RequestOutputs, *pack(outputs))
    PredictOutputs().check(crossed)
    assert [b.dtype for b in crossed.outputs["best"][:2]] == [np.int64, np.int64]


def test_text_and_sizes_that_follow_values_cross(tmp_path: Path) -> None:
    session = open_network(save_graph(tmp_path / "k.onnx", KEPT))
    rows = stack([np.array([[0, 1, 1]], np.float32), np.array([[0, 0, 1]], np.float32)])
    outputs = unpack(RequestOutputs, *pack(predict_outputs(session, PredictOutputs({"x": rows}))))
    assert [places.tolist() for places in outputs.outputs["places"]] == [[[0, 0], [1, 2]], [[0], [2]]]
    assert outputs.outputs["text"].tolist() == [["found"], ["found"]]


def test_no_request_that_fits_is_an_error(tmp_path: Path) -> None:
    session = open_network(save_graph(tmp_path / "s.onnx", SEQUENCE, sequence_weights()))
    with pytest.raises(EngineError, match="63"):
        predict_outputs(session, PredictOutputs({"x": np.ones((2, 1, 3, 63), np.float32)}))


@pytest.mark.parametrize(("graph", "method", "draws"), [(SEQUENCE, "float64", 1), (IMAGES, "noise", 3)])
def test_float64_where_it_agrees_else_noise(tmp_path: Path, graph: str, method: str, draws: int) -> None:
    weights = sequence_weights() if graph is SEQUENCE else image_weights()
    session = open_network(save_graph(tmp_path / "m.onnx", graph, weights))
    columns = {"x": np.full((2, 1, 3, 64), 40.0, np.float32)} if graph is SEQUENCE else {"image": images(2)}
    variants = unpack(OutputVariants, *pack(predict_variants(session, PredictVariants(columns))))
    assert (variants.method, variants.is_coarse, len(variants.shaken)) == (method, False, draws)
    assert bool(variants.exact) == (method == "float64")
    assert variants.sizes.tolist() == pytest.approx([float(next(iter(columns.values()))[i].max()) for i in range(2)])


def test_random_numbers_have_no_measure(tmp_path: Path) -> None:
    graph = "g (float[n, 2, 2] x) => (float[n, 2, 2] y) { r = RandomNormalLike(x) y = Add(x, r) }"
    session = open_network(save_graph(tmp_path / "r.onnx", graph))
    with pytest.raises(EngineError, match="no two of its answers"):
        predict_variants(session, PredictVariants({"x": np.ones((1, 1, 2, 2), np.float32)}))
