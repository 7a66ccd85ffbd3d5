"""Where the values of a model's columns lie, as the fitted attributes of its parts tell."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from infer_bench.engines.sklearn import columns as sklearn_columns
from infer_bench.typing import Floats

Value = tuple[int, float]
_AWAY = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
_ROW_ATTRIBUTES = ("X_train_", "X_fit_", "_fit_X", "X_", "support_vectors_")
"""Where models keep rows that they were trained on."""
_CENTRE_ATTRIBUTES = ("cluster_centers_", "means_", "theta_", "centroids_", "location_", "X_offset_")
"""Where they keep what stands for such rows."""
_EDGE_ATTRIBUTES = ("bin_edges_", "quantiles_", "X_thresholds_")
"""Where transformers keep the values between which they work."""
_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def typical(part: Any) -> Iterator[Value]:
    """(column, value) of ordinary values of the columns that an estimator sees; nothing where it does not tell."""
    width = int(getattr(part, "n_features_in_", 0))
    middle = _middle(part, width)
    if middle is not None:
        for away in _AWAY:
            yield from enumerate((middle[0] + away * middle[1]).tolist())
    for name in (*_ROW_ATTRIBUTES, *_CENTRE_ATTRIBUTES):
        rows = _rows(part, name, width)
        if rows is not None:
            for at in np.quantile(rows, _SHARES, axis=0):
                yield from enumerate(at.tolist())
    for name in _EDGE_ATTRIBUTES:
        yield from _edges(getattr(part, name, None), width)
    yield from _categories(getattr(part, "categories_", None))


def training_rows(part: Any) -> Floats | None:
    """The training rows that an estimator has kept (rows, columns), in the columns that it sees; or None."""
    width = int(getattr(part, "n_features_in_", 0))
    return next((rows for name in _ROW_ATTRIBUTES if (rows := _rows(part, name, width)) is not None), None)


def _rows(part: Any, name: str, width: int) -> Floats | None:
    values = getattr(part, name, None)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or not values.size:
        return None
    rows = values.reshape(1, -1) if values.ndim == 1 else values
    fits = rows.ndim == 2 and rows.shape[1] == width and bool(np.isfinite(rows).all())
    return rows.astype(np.float64) if fits else None


def _middle(part: Any, width: int) -> tuple[Floats, Floats] | None:
    """The columns' centres and spreads, each (columns,)."""
    kind = type(part).__name__
    maps = None if kind == "SimpleImputer" else sklearn_columns.linear(part)
    if maps is not None:
        scale, shift = maps
        return (shift + scale / 2, scale / 4) if kind == "MinMaxScaler" else (shift, scale)
    if kind == "PowerTransformer":
        with np.errstate(all="ignore"):
            low, at, high = part.inverse_transform(np.array([-1.0, 0.0, 1.0])[:, None] * np.ones(width))
        return at, (high - low) / 2
    centre = _rows(part, "mean_", width)
    if centre is None:
        centre, spread = _rows(part, "_x_mean", width), _rows(part, "_x_std", width)
        return (centre[0], spread[0]) if centre is not None and spread is not None else None
    directions, variance = _rows(part, "components_", width), getattr(part, "explained_variance_", None)
    if directions is None or variance is None:
        return centre[0], np.zeros(width)
    return centre[0], np.sqrt(np.asarray(variance) @ directions**2)


def _categories(categories: Any) -> Iterator[Value]:
    """(column, value) of the numbers that an encoder knows as categories."""
    for column, values in enumerate(categories if isinstance(categories, list) else ()):
        values = np.asarray(values)
        if values.dtype.kind in "iuf":
            yield from ((column, float(value)) for value in values if np.isfinite(value))


def _edges(edges: Any, width: int) -> Iterator[Value]:
    """(column, value) of arrays of values, one a column, or a matrix with a column each."""
    if isinstance(edges, np.ndarray) and edges.dtype.kind == "f":
        columns = list(edges.T) if edges.ndim == 2 else [edges] if width == 1 else []
    else:
        columns = list(edges) if isinstance(edges, list | tuple | np.ndarray) else []
    for column, values in enumerate(columns[:width]):
        values = np.asarray(values)
        if values.dtype.kind == "f" and values.size:
            yield from ((column, float(value)) for value in np.quantile(values, _SHARES))
