"""Where the splits of scikit-learn's trees and other interesting values lie, on the scale of the inputs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.base import Domain
from infer_bench.engines.sklearn import columns as sklearn_columns
from infer_bench.engines.sklearn.parts import last
from infer_bench.engines.sklearn.typical_values import training_rows, typical
from infer_bench.model import ModelSpec
from infer_bench.typing import Floats

Point = tuple[int, float]
MOST_STORED = 256
"""So many of the rows that a model has kept from its training are told."""


def domain(estimator: Any, spec: ModelSpec) -> Domain:
    """Thresholds of all trees, on the scale of the inputs; none of columns that steps have mixed or encoded.

    Where a column has none, scalers, and rows that the model has kept, tell where its values lie.
    """
    names, parts = spec.feature_names, list(sklearn_columns.inside(estimator))
    splits = _points_by_name(names, ((part_splits(part), way) for part, way in parts))
    usual = _points_by_name(names, ((typical(part), way) for part, way in parts))
    missing = _missing(estimator, splits)
    thresholds = {name: tuple(sorted(values)) for name, values in (usual | splits).items()}
    return Domain(thresholds, missing, _stored_rows(parts, len(names)))


def _points_by_name(
    names: Sequence[str], points: Iterable[tuple[Iterable[Point], sklearn_columns.Back | None]]
) -> dict[str, set[float]]:
    by_name: dict[str, set[float]] = defaultdict(set)
    for values, way in points:
        for feature, value in _as_input_points(values, way):
            if feature < len(names) and np.isfinite(value):
                by_name[names[feature]].add(float(value))
    return by_name


def _as_input_points(points: Iterable[Point], way: sklearn_columns.Back | None) -> Iterator[Point]:
    """Points of a part's columns as points of the inputs'."""
    for feature, value in points:
        if way is None:
            yield feature, value
        elif feature in way:
            column, scale, shift = way[feature]
            yield column, value * scale + shift


def _stored_rows(parts: Iterable[tuple[Any, sklearn_columns.Back | None]], width: int) -> Floats | None:
    """The first part's training rows (rows, columns) that can be told in all of the inputs' columns."""
    for part, way in parts:
        rows = training_rows(part)
        if rows is None:
            continue
        sample = rows[np.linspace(0, len(rows) - 1, min(MOST_STORED, len(rows))).astype(np.intp)]
        inputs = np.full((len(sample), width), np.nan)
        for behind, (at, scale, shift) in ({i: (i, 1.0, 0.0) for i in range(width)} if way is None else way).items():
            if behind < sample.shape[1] and at < width:
                inputs[:, at] = sample[:, behind] * scale + shift
        if np.isfinite(inputs).all():
            return inputs
    return None


def _missing(estimator: Any, splits: dict[str, set[float]]) -> frozenset[str]:
    tags = getattr(last(estimator), "__sklearn_tags__", None)
    takes = tags is not None and tags().input_tags.allow_nan
    return frozenset(splits) if takes else frozenset()


def part_splits(part: Any) -> Iterator[Point]:
    """(column, threshold) of an estimator's own trees."""
    tree = getattr(part, "tree_", None)
    if tree is not None and hasattr(tree, "children_left"):
        inner = tree.children_left != -1
        yield from zip(tree.feature[inner].tolist(), tree.threshold[inner].tolist(), strict=True)
    for group in getattr(part, "_predictors", ()):
        for predictor in group:
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            plain = nodes[nodes["is_categorical"] == 0]
            yield from zip(plain["feature_idx"].tolist(), plain["num_threshold"].tolist(), strict=True)
