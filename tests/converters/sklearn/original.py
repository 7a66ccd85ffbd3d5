"""What a scikit-learn model itself predicts for the rows of a group."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.converters.sklearn.probes import Table
from infer_bench.typing import Array


def make_rows(estimator: Any, table: Table) -> Any:
    """The rows as the estimator takes them: a DataFrame where it knows names or strings, else a double array."""
    has_names = getattr(estimator, "feature_names_in_", None) is not None
    if not has_names and all(column.dtype != object for column in table.values()):
        return np.column_stack(list(table.values())) if table else np.empty((0, 0))
    import pandas as pd

    columns = {name: pd.Series(column, dtype=column.dtype) for name, column in table.items()}
    return pd.DataFrame(columns) if has_names else pd.DataFrame(columns).to_numpy(dtype=object)


@dataclass(frozen=True, slots=True)
class Original:
    """Its predictions: `values` double (rows, outputs), `labels` (rows,) or None, `refusals` where it refused."""

    values: Array
    labels: Array | None
    refusals: Array


def predict(estimator: Any, table: Table) -> Original:
    """The estimator's own predictions; where it refuses a batch, those of the plain rows and of each other."""
    rows = len(next(iter(table.values())))
    try:
        values, labels = _predict_batch(estimator, make_rows(estimator, table))
        return Original(values, labels, np.zeros(rows, dtype=bool))
    except (ValueError, TypeError, KeyError, IndexError, FloatingPointError):
        if rows == 1:
            return Original(np.full((1, 1), np.nan), None, np.ones(1, dtype=bool))
    if rows == 0:
        return Original(np.empty((0, 1)), None, np.zeros(0, dtype=bool))
    parts = _split(table)
    return _stack(parts, [predict(estimator, {name: column[part] for name, column in table.items()}) for part in parts])


def _split(table: Table) -> list[Array]:
    """The row numbers of the smaller batches after a refused one: of plain rows together, of each other row alone."""
    plain = np.logical_and.reduce([_are_plain(column) for column in table.values()])
    if plain.all():
        plain[:] = False
    together = [np.flatnonzero(plain)] if plain.any() else []
    return together + [np.array([row]) for row in np.flatnonzero(~plain)]


def _are_plain(column: Array) -> Array:
    """Where a value is what most estimators take: a text, or a number that float32 holds."""
    if column.dtype == object:
        return np.array([isinstance(value, str) for value in column], dtype=bool)
    return np.asarray(np.abs(column) <= np.finfo(np.float32).max)


def _stack(parts: list[Array], predictions: list[Original]) -> Original:
    """The predictions of all parts, in the rows' order. `labels` of refused rows are any."""
    order = np.argsort(np.concatenate(parts))
    refusals = np.concatenate([part.refusals for part in predictions])
    good = next((part for part in predictions if not part.refusals.all()), None)
    width = good.values.shape[1] if good else 1
    values = np.vstack([part.values if not part.refusals.all() else _nans(part, width) for part in predictions])[order]
    if good is None or good.labels is None:
        return Original(values, None, refusals[order])
    filler = good.labels[:1]
    labels = np.concatenate([filler.repeat(len(p.refusals)) if p.labels is None else p.labels for p in predictions])
    return Original(values, labels[order], refusals[order])


def _nans(part: Original, width: int) -> Array:
    return np.full((len(part.refusals), width), np.nan)


def _predict_batch(estimator: Any, rows: Any) -> tuple[Array, Array | None]:
    count = len(rows)
    if not hasattr(estimator, "predict"):
        out = estimator.transform(rows)
        return np.asarray(out.toarray() if hasattr(out, "toarray") else out, dtype=np.float64).reshape(count, -1), None
    labels = np.asarray(estimator.predict(rows))
    if hasattr(estimator, "cluster_centers_") and hasattr(estimator, "transform"):
        return np.asarray(estimator.transform(rows), dtype=np.float64), labels
    if hasattr(estimator, "predict_proba"):
        return np.asarray(estimator.predict_proba(rows), dtype=np.float64), labels
    if hasattr(estimator, "decision_function"):
        return np.asarray(estimator.decision_function(rows), dtype=np.float64).reshape(count, -1), labels
    if hasattr(estimator, "classes_"):
        return np.empty((count, 0)), labels
    return labels.astype(np.float64).reshape(count, -1), None
