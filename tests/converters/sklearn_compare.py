"""Runs a converted scikit-learn model beside its original on every group of probe rows."""

from typing import Any

import numpy as np
import onnxruntime as ort

from infer_bench.converters.sklearn.convert import convert_sklearn
from infer_bench.converters.sklearn.probes import Group, Probes, ask
from infer_bench.trees.readers.sklearn.ensembles import read_sklearn_trees

TOLERANCE = {"exact": 1e-12, "float32": 1e-6}


def session(data: bytes) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def feeds(run: Any, group: Group) -> dict[str, Any]:
    inputs = run.get_inputs()
    if len(inputs) == 1 and inputs[0].name == "input":
        dtype = np.float64 if "double" in inputs[0].type else np.float32
        with np.errstate(over="ignore"):
            return {"input": np.column_stack(list(group.table.values())).astype(dtype)}
    found = {}
    for value in inputs:
        column = group.table[value.name]
        if "string" in value.type:
            found[value.name] = np.array([v if isinstance(v, str) else "" for v in column], dtype=object)[:, None]
        else:
            found[value.name] = column.astype(np.float64 if "double" in value.type else np.float32)[:, None]
    return found


def compare(estimator: Any, precision: Any = "exact", rows: int = 256, **options: Any) -> dict[str, int]:
    """Assert that the two agree on every group; returns the number of rows compared in each."""
    data = convert_sklearn(estimator, precision=precision, **options)
    run = session(data)
    outputs = [value.name for value in run.get_outputs()]
    counted = {}
    for group in Probes(estimator, rows=rows, single=precision == "float32").groups():
        predictions = dict(zip(outputs, run.run(None, feeds(run, group)), strict=True))
        if group.rows:
            check(estimator, group, predictions, TOLERANCE[precision])
        counted[group.name] = group.rows
    return counted


def check(estimator: Any, group: Group, predictions: dict[str, Any], tolerance: float) -> None:
    expected = ask(estimator, group.table)
    good = ~expected.raised
    numbers = [predictions[name] for name in ("probabilities", "scores", "prediction") if name in predictions]
    if expected.labels is not None and "label" in predictions:
        assert (predictions["label"][good] == expected.labels[good]).all(), f"labels differ on {group.name}"
    if not numbers or not expected.values.shape[1]:
        return
    found = np.asarray(numbers[0], dtype=np.float64).reshape(group.rows, -1)
    if read_sklearn_trees(estimator) is None:
        assert_refused(estimator, group, found[~good])
    if not good.any():
        return
    assert found.shape == expected.values.shape
    single = tolerance > 1e-9
    np.testing.assert_allclose(
        found[good],
        as_single(expected.values[good]) if single else expected.values[good],
        rtol=tolerance,
        atol=tolerance,
        err_msg=f"{group.name}: values differ",
    )


def as_single(values: Any) -> Any:
    """Beyond float32's range a float32 answer is infinite."""
    beyond = np.abs(values) > np.finfo(np.float32).max
    return np.where(beyond, np.copysign(np.inf, values), values)


def assert_refused(estimator: Any, group: Group, found: Any) -> None:
    """Where scikit-learn raises, no number may stand."""
    answered = np.isfinite(found)
    sure = answered.any(axis=1) if hasattr(estimator, "predict") else answered.all(axis=1)
    assert not sure.any(), f"{group.name}: a number where scikit-learn raises"
