"""Runs a converted tree model beside its original on every group of probe rows, and compares the two."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from infer_bench.converters.check import TOLERANCE, Agreement, compare
from infer_bench.converters.ensemble import Ensemble
from infer_bench.converters.probes import probe_rows
from infer_bench.converters.writer import write_onnx

Array = npt.NDArray[Any]
Predict = Callable[[Array], Array]
MODES = [("exact", 5, "float64"), ("exact", 5, "float32"), ("float32", 5, "float32"), ("float32", 3, "float32")]
"""precision, ai.onnx.ml version, input dtype."""


def session(data: bytes) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def feeds(run: Any, ensemble: Ensemble, rows: Array) -> dict[str, Array]:
    """Rows of codes as the graph's inputs: one tensor, or one a column with the category's own value."""
    inputs = run.get_inputs()
    if len(inputs) == 1 and inputs[0].name == "input":
        return {"input": rows}
    found = {}
    for i, held in enumerate(inputs):
        column = rows[:, [i]]
        known = ensemble.features[i].categories
        if "string" in held.type:
            codes = column[:, 0]
            inside = (codes >= 0) & (codes < len(known))
            texts = [known[int(c)] if ok else "" for c, ok in zip(codes, inside, strict=True)]
            column = np.array(texts, dtype=object)[:, None]
        elif known:
            values = [float(known[int(c)]) if 0 <= c < len(known) else np.nan for c in column[:, 0]]
            column = np.array(values, dtype=rows.dtype)[:, None]
        found[held.name] = column
    return found


def answers(run: Any, ensemble: Ensemble, rows: Array) -> tuple[Array, list[Any] | None]:
    """The canonical answer, float64 (rows, outputs), and the labels."""
    named = dict(zip([o.name for o in run.get_outputs()], run.run(None, feeds(run, ensemble, rows)), strict=True))
    labels = named.pop("label", None)
    (values,) = named.values()
    values = np.asarray(values, dtype=np.float64)
    return (values[:, 1:] if ensemble.task == "binary" else values), None if labels is None else labels.tolist()


def valid_codes(ensemble: Ensemble, rows: Array) -> Array:
    """Codes that a table of known categories can give rise to: whole ones in range, NaN for anything else."""
    rows = rows.copy()
    for i, feature in enumerate(ensemble.features):
        if feature.categories:
            column = rows[:, i]
            known = (column >= 0) & (column < len(feature.categories)) & (column == np.floor(column))
            rows[:, i] = np.where(known, column, np.nan)
    return rows


def agreements(
    ensemble: Ensemble, predict: Predict, mode: tuple[str, int, str], labels: Predict | None = None, limit: int = 700
) -> list[Agreement]:
    """How the file of one mode answers, group by group; `predict` and `labels` are the original's."""
    precision, opset_ml, dtype = mode
    run = session(write_onnx(ensemble, precision=precision, opset_ml=opset_ml, input_dtype=dtype))  # type: ignore[arg-type]
    found = []
    tolerance = 1e-6 if ensemble.score_dtype == "float32" else TOLERANCE[precision]
    for name, drawn in probe_rows(ensemble, seed=3, limit=limit).items():
        with np.errstate(over="ignore"):
            rows = valid_codes(ensemble, drawn).astype(dtype)
        got, got_labels = answers(run, ensemble, rows)
        expected = np.asarray(predict(rows) if len(rows) else np.zeros(got.shape), dtype=np.float64)
        pair = None if labels is None or got_labels is None else (labels(rows).tolist() if len(rows) else [], got_labels)
        found.append(compare(name, expected.reshape(got.shape), got, tolerance, pair))
    return found


def assert_same(
    ensemble: Ensemble, predict: Predict, labels: Predict | None = None, modes: Any = None, limit: int = 700
) -> None:
    """Assert that the files of all modes answer as the original does on every group of rows."""
    for mode in modes or MODES:
        for found in agreements(ensemble, predict, mode, labels, limit):
            assert found.passed, f"{mode}: {found}"
