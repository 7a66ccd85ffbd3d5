"""Runs a written file in ONNX Runtime on an ensemble's own probe rows and holds its answers against an oracle."""

from collections.abc import Callable
from typing import Any

import numpy as np

from infer_bench.converters import check
from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.probes import onnx_feeds, probe_rows
from infer_bench.typing import Floats

FORMS = [("exact", 5), ("float32", 5), ("exact", 3), ("float32", 3)]
Oracle = Callable[[Floats], tuple[Floats, Any]]
"""Rows -> canonical answers (rows, outputs), and the labels or None."""


def run(model: bytes, feeds: dict[str, Any]) -> dict[str, Any]:
    """The file's outputs by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def canonical(ensemble: Ensemble, outputs: dict[str, Any]) -> tuple[Floats, Any]:
    """As an engine answers: of a binary model the positive class's probability only."""
    if "probabilities" not in outputs:
        return outputs["prediction"].astype(float), None
    values = outputs["probabilities"].astype(float)
    return values[:, 1:] if ensemble.task == "binary" else values, outputs["label"]


def assert_same(
    ensemble: Ensemble,
    oracle: Oracle,
    precision: Any,
    opset_ml: Any,
    *,
    data: Floats | None = None,
    skip: tuple[str, ...] = (),
    limit: int = 1200,
) -> None:
    """Every group of probe rows, the given rows, and batches of 0 and 1 are answered as the oracle answers."""
    model = write_onnx(ensemble, precision=precision, opset_ml=opset_ml, input_name="rows")
    dtype = np.float64 if precision == "exact" else np.float32
    groups = {name: rows for name, rows in probe_rows(ensemble, limit=limit).items() if name not in skip}
    if data is not None:
        groups["data"] = data
    groups["one"] = groups["ordinary"][:1]
    allowed = check.tolerance(ensemble, precision)
    for name, rows in groups.items():
        with np.errstate(over="ignore"):
            held = rows.astype(dtype).astype(np.float64)
        outputs = run(model, onnx_feeds(ensemble, held, input_name="rows", dtype=dtype))
        actual, labels = canonical(ensemble, outputs)
        expected, wanted = oracle(held)
        both = None if labels is None or wanted is None else (np.asarray(wanted), labels)
        found = check.compare(name, expected, actual, labels=both, tolerance=allowed)
        assert found.passes(allowed), found
    none = run(model, onnx_feeds(ensemble, groups["ordinary"][:0], input_name="rows", dtype=dtype))
    assert all(len(value) == 0 for value in none.values())
