"""Runs a converted scikit-learn model beside its original on every group of probe rows."""

from typing import Any

import numpy as np

from infer_bench.converters.sklearn.convert import convert_sklearn
from infer_bench.converters.sklearn.probes import Group, Probes
from infer_bench.trees.readers.sklearn.ensembles import read_sklearn_trees
from tests.converters.running import open_session
from tests.converters.sklearn.original import predict

TOLERANCE = {"exact": 1e-12, "float32": 1e-6}


def make_feeds(session: Any, group: Group) -> dict[str, Any]:
    inputs = session.get_inputs()
    if len(inputs) == 1 and inputs[0].name == "input":
        dtype = np.float64 if "double" in inputs[0].type else np.float32
        with np.errstate(over="ignore"):
            return {"input": np.column_stack(list(group.table.values())).astype(dtype)}
    columns = {}
    for value in inputs:
        column = group.table[value.name]
        if "string" in value.type:
            columns[value.name] = np.array([v if isinstance(v, str) else "" for v in column], dtype=object)[:, None]
        else:
            columns[value.name] = column.astype(np.float64 if "double" in value.type else np.float32)[:, None]
    return columns


def compare(estimator: Any, precision: Any = "exact", rows: int = 256, **options: Any) -> dict[str, int]:
    """Assert that the two agree on every group; returns the number of rows compared in each."""
    data = convert_sklearn(estimator, precision=precision, **options)
    session = open_session(data)
    outputs = [value.name for value in session.get_outputs()]
    row_counts = {}
    for group in Probes(estimator, rows=rows, single=precision == "float32").draw_groups():
        predictions = dict(zip(outputs, session.run(None, make_feeds(session, group)), strict=True))
        if group.rows:
            assert_predictions(estimator, group, predictions, TOLERANCE[precision])
        row_counts[group.name] = group.rows
    return row_counts


def assert_predictions(estimator: Any, group: Group, predictions: dict[str, Any], tolerance: float) -> None:
    expected = predict(estimator, group.table)
    good = ~expected.refusals
    numbers = [predictions[name] for name in ("probabilities", "scores", "prediction") if name in predictions]
    if expected.labels is not None and "label" in predictions:
        assert (predictions["label"][good] == expected.labels[good]).all(), f"labels differ on {group.name}"
    if not numbers or not expected.values.shape[1]:
        return
    values = np.asarray(numbers[0], dtype=np.float64).reshape(group.rows, -1)
    if read_sklearn_trees(estimator) is None:
        assert_refused(estimator, group, values[~good])
    if not good.any():
        return
    assert values.shape == expected.values.shape
    single = tolerance > 1e-9
    np.testing.assert_allclose(
        values[good],
        as_single(expected.values[good]) if single else expected.values[good],
        rtol=tolerance,
        atol=tolerance,
        err_msg=f"{group.name}: values differ",
    )


def as_single(values: Any) -> Any:
    """Beyond float32's range a float32 answer is infinite."""
    beyond = np.abs(values) > np.finfo(np.float32).max
    return np.where(beyond, np.copysign(np.inf, values), values)


def assert_refused(estimator: Any, group: Group, values: Any) -> None:
    """Where scikit-learn raises, no number may stand."""
    finite = np.isfinite(values)
    sure = finite.any(axis=1) if hasattr(estimator, "predict") else finite.all(axis=1)
    assert not sure.any(), f"{group.name}: a number where scikit-learn raises"
