"""Where the splits of scikit-learn's trees lie, on the scale of the pipeline's inputs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from infer_bench.engines import sklearn_columns
from infer_bench.engines.base import Domain
from infer_bench.engines.sklearn_model import last, walk
from infer_bench.model import ModelSpec

Split = tuple[int, float]
_AWAY = (-2.0, -1.0, 0.0, 1.0, 2.0)
_KEPT = ("X_train_", "_fit_X", "support_vectors_", "cluster_centers_")
"""Where models keep rows that they were trained on, or what stands for them."""
_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def domain(estimator: Any, spec: ModelSpec) -> Domain:
    """Thresholds of all trees, on the scale of the inputs; none of columns that steps have mixed or encoded.

    Where a column has none, a first scaler, or rows that the model has kept, tell where its values lie.
    """
    way, names = sklearn_columns.back(estimator), spec.feature_names
    found: dict[str, set[float]] = defaultdict(set)
    for feature, value in _returned(_splits(last(estimator)), way):
        if feature < len(names) and np.isfinite(value):
            found[names[feature]].add(float(value))
    split, missing = frozenset(found), _missing(estimator, found)
    for feature, value in _typical(estimator, way):
        if feature < len(names) and names[feature] not in split and np.isfinite(value):
            found[names[feature]].add(float(value))
    return Domain({name: tuple(sorted(values)) for name, values in found.items()}, missing)


def _returned(points: Iterable[Split], way: sklearn_columns.Back | None) -> Iterator[Split]:
    """Points of the last step's columns as points of the inputs'."""
    for feature, value in points:
        if way is None:
            yield feature, value
        elif feature in way:
            column, scale, shift = way[feature]
            yield column, value * scale + shift


def _typical(estimator: Any, way: sklearn_columns.Back | None) -> Iterator[Split]:
    """(column, value) of ordinary values, on the scale of the inputs."""
    scaled = way
    if way is None and (linear := sklearn_columns.linear(estimator)) is not None:
        scaled = {i: (i, float(scale), float(shift)) for i, (scale, shift) in enumerate(zip(*linear, strict=True))}
    for column, scale, shift in (scaled or {}).values():
        if (scale, shift) != (1.0, 0.0):
            yield from ((column, shift + away * scale) for away in _AWAY)
    for name in _KEPT:
        rows = getattr(last(estimator), name, None)
        if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.dtype.kind == "f" and len(rows):
            for at in np.quantile(rows, _SHARES, axis=0):
                yield from _returned(enumerate(at.tolist()), way)


def _missing(estimator: Any, found: dict[str, set[float]]) -> frozenset[str]:
    tags = getattr(last(estimator), "__sklearn_tags__", None)
    takes = tags is not None and tags().input_tags.allow_nan
    return frozenset(found) if takes else frozenset()


def _splits(final: Any) -> Iterator[Split]:
    for part in walk(final):
        tree = getattr(part, "tree_", None)
        if tree is not None and hasattr(tree, "children_left"):
            inner = tree.children_left != -1
            yield from zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)
        for group in getattr(part, "_predictors", ()):
            for predictor in group:
                nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
                plain = nodes[nodes["is_categorical"] == 0]
                yield from zip(plain["feature_idx"].tolist(), plain["num_threshold"].tolist(), strict=True)
