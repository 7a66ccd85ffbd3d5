"""What a scikit-learn model is fed: its columns' names, and which of them hold strings."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from infer_bench.converters.sklearn.encoders import is_text
from infer_bench.converters.sklearn.registry import family, kind
from infer_bench.errors import NotConvertible

Columns = Sequence[int]


def feature_names(estimator: Any) -> tuple[str, ...]:
    """The names that the model was fitted with, else `f0`, `f1`, …; raises `NotConvertible` when unfitted."""
    width = width_of(estimator)
    given = getattr(estimator, "feature_names_in_", None)
    return tuple(map(str, given)) if given is not None else tuple(f"f{i}" for i in range(width))


def width_of(estimator: Any) -> int:
    """The number of columns that a fitted estimator takes."""
    width = 1 if kind(estimator) == "IsotonicRegression" else getattr(estimator, "n_features_in_", None)
    for inner, _ in parts(estimator, ()):
        width = width if width is not None else getattr(inner, "n_features_in_", None)
    if width is None:
        raise NotConvertible(f"{kind(estimator)} is not fitted, or does not say how many columns it takes")
    return int(width)


def parts(estimator: Any, columns: Columns) -> Iterator[tuple[Any, Columns]]:
    """The estimators inside that see the same columns as `estimator` (or, in a ColumnTransformer, some of them)."""
    name = kind(estimator)
    if name == "ColumnTransformer":
        for key, inner, _ in getattr(estimator, "transformers_", ()):
            indices = [int(i) for i in estimator._transformer_to_input_indices.get(key, [])]
            if not isinstance(inner, str) and indices:
                yield inner, [columns[i] for i in indices] if len(columns) else ()
        return
    if name == "Pipeline":
        yield from ((step, columns) for step in _opening(estimator))
        return
    for attribute in ("best_estimator_", "estimator_", "regressor_", "_preprocessor"):
        inner = getattr(estimator, attribute, None)
        if hasattr(inner, "get_params"):
            yield inner, columns
    if name in ("FrozenEstimator", "FixedThresholdClassifier") and not hasattr(estimator, "estimator_"):
        yield estimator.estimator, columns
    for inner in _members(estimator):
        if hasattr(inner, "get_params"):
            yield inner, columns


def _members(estimator: Any) -> list[Any]:
    if kind(estimator) == "FeatureUnion":
        return [inner for _, inner in estimator.transformer_list]
    if kind(estimator) == "CalibratedClassifierCV":
        return [part.estimator for part in estimator.calibrated_classifiers_]
    members = getattr(estimator, "estimators_", ())
    features = getattr(estimator, "estimators_features_", None)
    return [] if features is not None else list(np.ravel(np.asarray(members, dtype=object)))


def _opening(pipeline: Any) -> Iterator[Any]:
    """The first step of a pipeline, and those after it that still see the same columns in the same order."""
    for _, step in pipeline.steps:
        if step is None or isinstance(step, str):
            continue
        yield step
        if kind(step) != "SimpleImputer" or step.add_indicator:
            return


def text_columns(estimator: Any, columns: Columns) -> set[int]:
    """The columns whose known values are strings."""
    known = getattr(estimator, "categories_", None)
    if known is None and kind(estimator) == "SimpleImputer":
        known = [[value] for value in estimator.statistics_]
    found: set[int] = set()
    if known is not None and family(estimator) == "sklearn" and len(known) == len(columns):
        found = {column for column, values in zip(columns, known, strict=True) if is_text(values)}
    for inner, inner_columns in parts(estimator, columns):
        found |= text_columns(inner, inner_columns)
    return found
