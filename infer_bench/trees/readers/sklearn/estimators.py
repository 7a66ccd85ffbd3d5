"""What is asked of every fitted estimator: its class, its columns, its classes, the estimators inside it."""

from collections.abc import Iterator, Sequence
from typing import Any

from infer_bench.engines.sklearn.parts import estimators_in
from infer_bench.engines.sklearn.text import find_vectorizers
from infer_bench.errors import NotConvertible
from infer_bench.model import Feature, Label

ColumnNumbers = Sequence[int]


def get_family(estimator: Any) -> str:
    """`sklearn`, `lightgbm`, `xgboost`, `catboost`, or the estimator's own top module."""
    return type(estimator).__module__.partition(".")[0]


def get_class_name(estimator: Any) -> str:
    """The class's name, for routes and messages."""
    return type(estimator).__name__


def refuse_foreign(estimator: Any) -> None:
    """Raise `NotConvertible` for a class that is not scikit-learn's own: it may override anything."""
    if get_family(estimator) != "sklearn":
        where = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
        raise NotConvertible(
            f"{where} is not a class of scikit-learn", "replace this step by one of scikit-learn's own"
        )


def allows_nan(estimator: Any) -> bool:
    """Whether the estimator takes NaN, by its own tags."""
    try:
        from sklearn.utils import get_tags
    except ImportError:
        return bool(estimator._get_tags()["allow_nan"])
    return bool(get_tags(estimator).input_tags.allow_nan)


def get_classes(estimator: Any) -> tuple[Label, ...]:
    """The class labels as plain Python values; raises `NotConvertible` for several targets."""
    classes = estimator.classes_
    if isinstance(classes, list):
        raise NotConvertible(
            f"{get_class_name(estimator)} predicts several targets of classes", "convert one model a target"
        )
    return tuple(classes.tolist())


def get_feature_names(estimator: Any) -> tuple[str, ...]:
    """The names that the model was fitted with, else `f0`, `f1`, …; raises `NotConvertible` when unfitted."""
    width = count_columns(estimator)
    names = getattr(estimator, "feature_names_in_", None)
    return tuple(map(str, names)) if names is not None else tuple(f"f{i}" for i in range(width))


def get_features(estimator: Any) -> tuple[Feature, ...]:
    """The columns that the model was fitted with; raises `NotConvertible` when unfitted."""
    invented = getattr(estimator, "feature_names_in_", None) is None
    return tuple(Feature(name, invented=invented) for name in get_feature_names(estimator))


def count_columns(estimator: Any) -> int:
    """The number of columns that a fitted estimator takes."""
    isotonic = get_class_name(estimator) == "IsotonicRegression"
    width = 1 if isotonic else getattr(estimator, "n_features_in_", None)
    if width is None and find_vectorizers(estimator):
        return 1
    for inner, _ in iterate_parts(estimator, ()):
        width = width if width is not None else getattr(inner, "n_features_in_", None)
    if width is None:
        raise NotConvertible(f"{get_class_name(estimator)} is not fitted, or does not say how many columns it takes")
    return int(width)


def iterate_parts(estimator: Any, columns: ColumnNumbers) -> Iterator[tuple[Any, ColumnNumbers]]:
    """The estimators inside that see the same columns as `estimator` (or, in a ColumnTransformer, some of them)."""
    name = get_class_name(estimator)
    if name == "ColumnTransformer":
        for _, inner, indices in iterate_transformers(estimator):
            if not isinstance(inner, str):
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


def iterate_transformers(step: Any) -> Iterator[tuple[str, Any, list[int]]]:
    """Name, transformer and column numbers of each part of a ColumnTransformer that is given columns."""
    for name, inner, _ in getattr(step, "transformers_", ()):
        indices = [int(i) for i in step._transformer_to_input_indices.get(name, ())]
        if indices:
            yield name, inner, indices


def _members(estimator: Any) -> list[Any]:
    if get_class_name(estimator) == "FeatureUnion":
        return [inner for _, inner in estimator.transformer_list]
    if get_class_name(estimator) == "CalibratedClassifierCV":
        return [part.estimator for part in estimator.calibrated_classifiers_]
    members = getattr(estimator, "estimators_", ())
    features = getattr(estimator, "estimators_features_", None)
    return [] if features is not None else list(estimators_in(members))


def _opening(pipeline: Any) -> Iterator[Any]:
    """The first step of a pipeline, and those after it that still see the same columns in the same order."""
    for _, step in pipeline.steps:
        if step is None or isinstance(step, str):
            continue
        yield step
        same = get_class_name(step) == "FunctionTransformer" and step.func is None
        if not same and (get_class_name(step) != "SimpleImputer" or step.add_indicator):
            return
