"""OpenVINO against ONNX Runtime: in float32 by default, of any inputs and outputs, and without trees."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.openvino import last_line
from infer_bench.errors import EngineError, ModelError, OptionError
from infer_bench.model import ModelRef
from tests.engines.zoo import answer, open_session, ref, table

onnx = pytest.importorskip("onnx")
random = np.random.default_rng(0)
WIDE = random.normal(size=(200, 4, 64)).astype(np.float32)


def save(folder: Path, graph: str, header: str = '<ir_version: 10, opset_import: ["" : 17]>') -> ModelRef:
    import onnx.parser

    path = folder / "network.onnx"
    path.write_bytes(onnx.parser.parse_model(f"{header} {graph}").SerializeToString())
    return ref(path, "onnx", "onnx")


@pytest.fixture
def pair(tmp_path: Path) -> ModelRef:
    """Two inputs of three axes and of whole numbers, and two outputs."""
    body = "m = MatMul(a, a) s = Softmax(m) r = ReduceSum(k) n = Neg(k)"
    return save(tmp_path, f"pair (float[B, T, T] a, int64[B, 3] k) => (float[B, T, T] s, int64[B, 3] n) {{ {body} }}")


def make_request(batch: int, size: int) -> dict[str, Any]:
    return {
        "a": random.normal(size=(batch, size, size)).astype(np.float32),
        "k": random.integers(-9, 9, (batch, 3)),
    }


def test_named_inputs_and_outputs_of_any_size_agree_with_onnx_runtime(pair: ModelRef) -> None:
    pytest.importorskip("openvino")
    session, other = (open_session(name, pair) for name in ("openvino", "onnxruntime"))
    assert session.spec == other.spec
    for batch, size in ((1, 5), (3, 2), (2, 7)):
        request = make_request(batch, size)
        mine, theirs = (s.named_outputs(s.predict(s.preprocess(request))) for s in (session, other))  # type: ignore[attr-defined]
        assert list(mine) == list(theirs) == ["s", "n"]
        assert [array.dtype for array in mine.values()] == [array.dtype for array in theirs.values()]
        np.testing.assert_allclose(mine["s"], theirs["s"], atol=1e-6)
        np.testing.assert_array_equal(mine["n"], theirs["n"])


def test_outputs_are_not_overwritten_by_the_next_request(pair: ModelRef) -> None:
    pytest.importorskip("openvino")
    session: Any = open_session("openvino", pair)
    first = session.predict(session.preprocess(make_request(2, 3)))
    before = [array.copy() for array in first]
    session.predict(session.preprocess(make_request(2, 3)))
    for array, copy in zip(first, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_float32_is_what_is_computed_unless_less_is_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    weights = ", ".join(str(value) for value in random.normal(size=64).round(3))
    body = f"w = Constant<value = float[64, 1] {{{weights}}}> () m = MatMul(x, w) y = Sigmoid(m)"
    model = save(tmp_path, f"wide (float[N, 64] x) => (float[N, 1] y) {{ {body} }}")
    rows = table(WIDE[:, 0].astype(np.float64), tuple(f"f{i}" for i in range(64)))
    expected = answer(open_session("onnxruntime", model), rows)
    np.testing.assert_allclose(answer(open_session("openvino", model, threads="2"), rows), expected, atol=1e-6)
    np.testing.assert_allclose(answer(open_session("openvino", model, precision="bf16"), rows), expected, atol=0.1)


def test_shapes_that_do_not_fit_are_refused_by_name(pair: ModelRef) -> None:
    pytest.importorskip("openvino")
    session = open_session("openvino", pair)
    with pytest.raises(EngineError, match=r"the input is k int64 \(B, 3\), and the request has int64 \(1, 4\)"):
        answer(session, {**make_request(1, 2), "k": np.zeros((1, 4), np.int64)})
    with pytest.raises(EngineError, match="lacks the input 'a'"):
        answer(session, {"k": np.zeros((1, 3), np.int64)})


def test_what_it_cannot_run_is_refused_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    text = save(tmp_path, "text (string[N] t) => (string[N] u) { u = Identity(t) }")
    with pytest.raises(EngineError, match="takes text"):
        open_session("openvino", text)
    ml, house = (f'<ir_version: 10, opset_import: ["" : 17, "{domain}" : 3]>' for domain in ("ai.onnx.ml", "house"))
    graph = "scaled (float[N, 4] x) => (float[N, 4] y)"
    trees = save(tmp_path, f'{graph} {{ y = ai.onnx.ml.Normalizer <norm = "L2"> (x) }}', ml)
    with pytest.raises(EngineError, match="runs networks alone: it has no kernel for Normalizer"):
        open_session("openvino", trees)
    stranger = save(tmp_path, f"{graph} {{ y = house.Own (x) }}", house)
    with pytest.raises(ModelError, match=r"OpenVINO cannot compile network.onnx: .*Own"):
        open_session("openvino", stranger)
    with pytest.raises(OptionError, match="precision cannot be 'f8'"):
        open_session("openvino", stranger, precision="f8")


def test_the_last_line_is_what_openvino_says() -> None:
    assert (
        last_line(RuntimeError("Exception from core.cpp:84:\nCheck failed at b.cpp:1:\nno such port\n\n"))
        == "no such port"
    )
    assert last_line(RuntimeError("")) == "RuntimeError"
