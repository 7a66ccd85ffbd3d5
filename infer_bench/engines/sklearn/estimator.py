"""What a scikit-learn estimator says of itself: its columns, its classes and the method that predicts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.engines.base import make_features
from infer_bench.engines.session import name_outputs, plain_labels
from infer_bench.engines.sklearn.openings import column_parts, find_dropped, steps_in
from infer_bench.engines.sklearn.parts import last
from infer_bench.engines.sklearn.text import find_vectorizers, text_feature
from infer_bench.errors import ModelError
from infer_bench.model import Feature, ModelSpec, Task

METHODS = ("predict_proba", "decision_function", "predict", "transform")

_ABOVE_ZERO = float(np.nextafter(0.0, 1.0))
"""A classifier's second class begins above a decision value of 0, not at it."""


@dataclass(frozen=True, slots=True)
class PredictMethod:
    """How the estimator predicts: the method's name; whether that gives bare labels (`one_hot`); and, where it is not
    p > 0.5 or the largest column, the `threshold` from which on a single column means the second class.
    """

    name: str
    one_hot: bool = False
    threshold: float | None = None


def describe(estimator: Any) -> tuple[ModelSpec, PredictMethod]:
    """The model's spec and the way to ask it."""
    features = _features(estimator)
    if hasattr(estimator, "predict_proba"):
        return _probabilities(estimator, features)
    if hasattr(estimator, "classes_") and hasattr(estimator, "predict"):  # TargetEncoder knows classes and transforms
        return _scores(estimator, features)
    if hasattr(estimator, "decision_function"):
        return _outliers(estimator, features)
    method = next(name for name in METHODS if hasattr(estimator, name))
    task: Task = "regression" if _is_regressor(estimator) else "raw"
    count = _targets(estimator, method, len(features))
    return ModelSpec(task, features, name_outputs(count), (), trees(estimator)), PredictMethod(method)


def _probabilities(estimator: Any, features: tuple[Feature, ...]) -> tuple[ModelSpec, PredictMethod]:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        count = int(getattr(estimator, "n_components", 1))  # a mixture
        return ModelSpec("raw", features, name_outputs(count), ()), PredictMethod("predict_proba")
    if isinstance(classes, list):
        outputs = tuple(f"{i}:{label}" for i, labels in enumerate(classes) for label in labels)
        return ModelSpec("raw", features, outputs, (), trees(estimator)), PredictMethod("predict_proba")
    labels = plain_labels(classes)
    if _multilabel(estimator):
        spec = ModelSpec("raw", features, name_outputs(len(labels)), (), trees(estimator))
        return spec, PredictMethod("predict_proba")
    method = PredictMethod("predict_proba", threshold=_threshold(estimator))
    if len(labels) == 2:
        return ModelSpec("binary", features, ("output",), labels, trees(estimator)), method
    outputs = tuple(str(label) for label in labels)
    return ModelSpec("multiclass", features, outputs, labels, trees(estimator)), method


def _scores(estimator: Any, features: tuple[Feature, ...]) -> tuple[ModelSpec, PredictMethod]:
    """A classifier without probabilities: its decision values, or its bare labels as 0 and 1."""
    classes = estimator.classes_
    if isinstance(classes, list):
        return ModelSpec("raw", features, name_outputs(len(classes)), ()), PredictMethod("predict")
    labels = plain_labels(classes)
    if not hasattr(estimator, "decision_function"):
        task: Task = "binary" if len(labels) == 2 else "multiclass"
        outputs = ("output",) if len(labels) == 2 else tuple(str(label) for label in labels)
        spec = ModelSpec(task, features, outputs, labels, trees(estimator), labels_only=True)
        return spec, PredictMethod("predict", one_hot=True)
    if getattr(last(estimator), "decision_function_shape", "ovr") == "ovo" and len(labels) > 2:
        pairs = len(labels) * (len(labels) - 1) // 2
        return ModelSpec("raw", features, name_outputs(pairs), ()), PredictMethod("decision_function")
    count = 1 if len(labels) == 2 else len(labels)
    spec = ModelSpec("raw", features, name_outputs(count, labels), labels, trees(estimator))
    return spec, PredictMethod("decision_function", threshold=_ABOVE_ZERO)


def _outliers(estimator: Any, features: tuple[Feature, ...]) -> tuple[ModelSpec, PredictMethod]:
    """An outlier detector: its decision values, from 0 on an inlier (1), below an outlier (-1)."""
    spec = ModelSpec("raw", features, ("output",), (-1, 1), trees(estimator))
    return spec, PredictMethod("decision_function", threshold=0.0)


def _multilabel(estimator: Any) -> bool:
    """Whether each column of probabilities is that of a label of its own, so that they do not add up to 1."""
    final = last(getattr(estimator, "best_estimator_", estimator))
    binarizer = getattr(final, "_label_binarizer", None)  # a neural network's, which keeps it nowhere else
    return bool(getattr(final, "multilabel_", False)) or getattr(binarizer, "y_type_", "").startswith("multilabel")


def _threshold(estimator: Any) -> float | None:
    """The tuned threshold on the second class's probability, of the two meta-estimators that have one."""
    threshold = getattr(estimator, "best_threshold_", getattr(estimator, "threshold", None))
    if not isinstance(threshold, int | float | np.floating) or not hasattr(estimator, "response_method"):
        return None
    return float(threshold)


def _is_regressor(estimator: Any) -> bool:
    from sklearn.base import is_regressor

    return bool(is_regressor(estimator))


def _targets(estimator: Any, method: str, width: int) -> int:
    """How many columns the method gives."""
    if method == "transform":
        return _transformed_width(estimator, width)
    final = last(estimator)
    for name in ("n_outputs_", "n_targets_"):
        if isinstance(getattr(final, name, None), int | np.integer):
            return int(getattr(final, name))
    estimators = getattr(final, "estimators_", None)
    if type(final).__name__ in ("MultiOutputRegressor", "RegressorChain"):
        return len(estimators or ())
    coefficients = getattr(final, "coef_", None)
    if isinstance(coefficients, np.ndarray) and coefficients.ndim == 2:
        return _linear_targets(final, coefficients)
    return _probe_width(estimator, method, width)


def _transformed_width(estimator: Any, width: int) -> int:
    """How many columns a transformer makes: as many as it can name, else as it makes of a row of zeros or a text."""
    try:
        return len(estimator.get_feature_names_out())
    except Exception:  # noqa: BLE001 - a step without names, as a function of the user's
        with np.errstate(all="ignore"):
            row = [""] if find_vectorizers(estimator) else np.zeros((1, width))
            return int(estimator.transform(row).shape[1])


def _linear_targets(final: Any, coefficients: Any) -> int:
    intercept = np.atleast_1d(getattr(final, "intercept_", 0.0))
    return len(intercept) if len(intercept) > 1 else int(coefficients.shape[0])


def _probe_width(estimator: Any, method: str, width: int) -> int:
    """The output's width on one row of zeros; 1 when the estimator does not take such a row."""
    try:
        output = np.asarray(getattr(estimator, method)(np.zeros((1, width))))
    except Exception:  # noqa: BLE001 - text columns, name selectors: whatever the pipeline objects to
        return 1
    return int(output.reshape(1, -1).shape[1])


def _features(estimator: Any) -> tuple[Feature, ...]:
    names = getattr(estimator, "feature_names_in_", None)
    count = getattr(estimator, "n_features_in_", None)
    vectorizers = find_vectorizers(estimator) if names is None and count is None else []
    if vectorizers:
        return (text_feature(make_features(1)[0], vectorizers),)
    if names is None and count is None:
        raise ModelError(f"{type(estimator).__name__} does not say how many columns it takes; is it fitted?")
    feature_names = [] if names is None else [str(name) for name in names]
    columns = make_features(len(feature_names) if feature_names else int(count or 0), feature_names)
    every = tuple(column.name for column in columns)
    special = {**dict(_text_columns(estimator)), **_boosted_categories(estimator, every)}
    dropped = find_dropped(estimator)
    return tuple(replace(special.get(c.name, c), invented=c.invented, unread=c.name in dropped) for c in columns)


def _text_columns(estimator: Any) -> Iterator[tuple[str, Feature]]:
    """Columns that an encoder reads as text, with the categories it knows; text vectorizers' columns without."""
    for part, names in column_parts(estimator):
        vectorizers = find_vectorizers(part)
        encoder = next((step for step in steps_in(part) if hasattr(step, "categories_")), None)
        if encoder is not None:
            for name, values in zip(names, encoder.categories_, strict=False):
                labels = tuple(value for value in plain_labels(values) if isinstance(value, str | int | bool))
                if np.asarray(values).dtype.kind in "OUST" and any(isinstance(value, str) for value in labels):
                    yield name, Feature(name, "category", tuple(v for v in labels if isinstance(v, str)))
        elif vectorizers:
            yield from ((name, text_feature(Feature(name), vectorizers)) for name in names)


def _boosted_categories(estimator: Any, names: tuple[str, ...]) -> dict[str, Feature]:
    """The columns that histogram boosting encodes itself, with the categories it knows."""
    inner = getattr(estimator, "_preprocessor", None)
    features: dict[str, Feature] = {}
    if inner is None:
        return features
    places = list(inner._transformer_to_input_indices.get("encoder", ()))
    for index, values in zip(places, inner.named_transformers_["encoder"].categories_ if places else (), strict=True):
        categories = tuple(value for value in plain_labels(values) if value is not None and value == value)
        features[names[int(index)]] = Feature(names[int(index)], "category", categories)
    return features


def trees(estimator: Any) -> int | None:
    """The number of trees of a tree ensemble; None for other models."""
    final = last(estimator)
    if hasattr(final, "_predictors"):
        return sum(len(group) for group in final._predictors)
    members = getattr(final, "estimators_", None)
    if members is not None and len(members) and hasattr(np.asarray(members, dtype=object).flat[0], "tree_"):
        return int(np.asarray(members, dtype=object).size)
    return 1 if hasattr(final, "tree_") else None
