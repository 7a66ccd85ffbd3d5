"""The engine printed in CONTRIBUTING.md is complete: it runs, answers rightly and refuses what it should."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.base import check_options
from infer_bench.errors import ModelError, OptionError
from infer_bench.model import ModelRef

CONTRIBUTING = Path(__file__).resolve().parent.parent / "CONTRIBUTING.md"
WEIGHTS = np.array([[1.0], [-2.0], [0.5]], dtype=np.float32)


@pytest.fixture
def engine() -> Any:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    found = re.search(r"<!-- example engine -->\n```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found
    module = ModuleType("example_engine")
    exec(compile(found[1], "CONTRIBUTING.md", "exec"), module.__dict__)
    return module.Reference()


def linear_model(path: Path, outputs: int = 1) -> ModelRef:
    """y = x @ WEIGHTS + 3, given `outputs` times."""
    onnx = pytest.importorskip("onnx")
    make, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
    values = {"w": WEIGHTS, "b": np.array([3], dtype=np.float32)}
    nodes = [make.make_node("MatMul", ["x", "w"], ["xw"])]
    nodes += [make.make_node("Add", ["xw", "b"], [f"y{i}"]) for i in range(outputs)]
    predictions = [make.make_tensor_value_info(f"y{i}", FLOAT, [None, 1]) for i in range(outputs)]
    constants = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = make.make_graph(nodes, "g", [make.make_tensor_value_info("x", FLOAT, [None, 3])], predictions, constants)
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=10), path)
    return ModelRef(str(path), "onnx", "onnx", "0" * 64, path.stat().st_size)


def test_record_and_table_give_the_canonical_output(engine: Any, tmp_path: Path) -> None:
    session = engine.open(linear_model(tmp_path / "m.onnx"), check_options(engine, {}))
    assert session.spec.feature_names == ("f0", "f1", "f2")
    table = {"f2": np.array([1.0, 4.0]), "f0": np.array([2.0, 0.0]), "f1": np.array([3.0, 1.0])}
    record = {name: values[1] for name, values in table.items()}
    predictions = [session.postprocess(session.predict(session.preprocess(request))) for request in (record, table)]
    assert [answer.dtype for answer in predictions] == [np.float64, np.float64]
    np.testing.assert_array_equal(predictions[0], [[3.0]])
    np.testing.assert_array_equal(predictions[1], [[-0.5], [3.0]])
    session.close()


def test_unknown_option_and_unfit_models_are_refused(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="known: feed"):
        check_options(engine, {"thread": "1"})
    with pytest.raises(ModelError, match="more than one"):
        engine.open(linear_model(tmp_path / "two.onnx", outputs=2), {})
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"broken\.onnx"):
        engine.open(ModelRef(str(broken), "onnx", "onnx", "0" * 64, 11), {})
