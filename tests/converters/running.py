"""Runs a written file in ONNX Runtime on an ensemble's own probe rows and compares it with an oracle."""

from collections.abc import Callable
from typing import Any

import numpy as np

from infer_bench.converters.onnx.writer import write_onnx
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.probes import decode_columns, probe_rows
from infer_bench.typing import Array, Bools, Floats

FORMS = [("exact", 5), ("float32", 5), ("exact", 3), ("float32", 3)]
Oracle = Callable[[Floats], tuple[Floats, Any]]
"""Rows -> canonical predictions (rows, outputs), and the labels or None."""


def open_session(model: bytes) -> Any:
    """The file in ONNX Runtime, on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run_file(model: bytes, feeds: dict[str, Any]) -> dict[str, Any]:
    """The file's outputs by name."""
    session = open_session(model)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def make_feeds(ensemble: Ensemble, rows: Floats, dtype: Any, *, unseen: bool = False) -> dict[str, Array]:
    """What the file takes for rows of codes: one input named `rows`, or one a column where a column holds strings."""
    columns = decode_columns(ensemble, rows, unseen=unseen)
    with np.errstate(over="ignore"):
        if all(column.dtype != object for column in columns.values()):
            return {"rows": np.column_stack(list(columns.values())).astype(dtype)}
        return {name: _as_input(column, dtype)[:, None] for name, column in columns.items()}


def _as_input(column: Array, dtype: Any) -> Array:
    """A missing string is the empty one."""
    if column.dtype == object:
        return np.array(["" if value is None else value for value in column], dtype=object)
    return column.astype(dtype)


def canonical(ensemble: Ensemble, outputs: dict[str, Any]) -> tuple[Floats, Any]:
    """As an engine predicts: of a binary model the positive class's probability only."""
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
    """Every group of probe rows, the rows of `data`, and batches of 0 and 1 are predicted as the oracle predicts."""
    model = write_onnx(ensemble, precision=precision, opset_ml=opset_ml, input_name="rows")
    dtype = np.float64 if precision == "exact" else np.float32
    groups = {name: rows for name, rows in probe_rows(ensemble, limit=limit).items() if name not in skip}
    if data is not None:
        groups["data"] = data
    groups["one"] = groups["ordinary"][:1]
    tolerance = 1e-12 if precision == "exact" and ensemble.score_dtype == "float64" else 1e-6
    for name, rows in groups.items():
        with np.errstate(over="ignore"):
            rounded = rows.astype(dtype).astype(np.float64)
        feeds = make_feeds(ensemble, rounded, dtype, unseen=name == "categories")
        values, labels = canonical(ensemble, run_file(model, feeds))
        expected, own_labels = oracle(rounded)
        assert values.shape == expected.shape
        assert close(expected, values, tolerance).all(), f"{name}: values differ"
        if labels is not None and own_labels is not None:
            differ = np.array(labels.tolist(), object) != np.array(np.asarray(own_labels).tolist(), object)
            assert not (differ & ~tied(expected, 2 * tolerance)).any(), f"{name}: labels differ"
    none = run_file(model, make_feeds(ensemble, groups["ordinary"][:0], dtype))
    assert all(len(value) == 0 for value in none.values())


def close(expected: Floats, actual: Floats, tolerance: float) -> Bools:
    """Where two values are as good as one: relative to the expected one's size, absolute below 1."""
    same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(expected - actual) <= tolerance * np.maximum(1.0, np.abs(expected))
    return np.asarray(same | (near & np.isfinite(expected) & np.isfinite(actual)))


def tied(expected: Floats, margin: float) -> Bools:
    """The rows whose two most probable classes are within the margin."""
    if expected.shape[1] == 1:
        return np.asarray(np.abs(2 * expected[:, 0] - 1) <= margin)
    top = np.sort(expected, axis=1)
    return np.asarray(top[:, -1] - top[:, -2] <= margin)
