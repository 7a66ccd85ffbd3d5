"""What a scikit-learn estimator says of itself: its columns, its classes and the method that answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.engines.base import name_features
from infer_bench.engines.session import output_names, plain_labels
from infer_bench.errors import ModelError
from infer_bench.model import Feature, ModelSpec, Task

METHODS = ("predict_proba", "decision_function", "predict", "transform")

_ABOVE_ZERO = float(np.nextafter(0.0, 1.0))
"""A classifier's second class begins above a decision value of 0, not at it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How the estimator answers: its method; whether that gives bare labels; and, where it is not p > 0.5 or the
    largest column, the value from which on a single column means the second class.
    """

    method: str
    one_hot: bool = False
    threshold: float | None = None


def describe(estimator: Any) -> tuple[ModelSpec, Answer]:
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
    return ModelSpec(task, features, output_names(count), (), trees(estimator)), Answer(method)


def _probabilities(estimator: Any, features: tuple[Feature, ...]) -> tuple[ModelSpec, Answer]:
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        count = int(getattr(estimator, "n_components", 1))  # a mixture
        return ModelSpec("raw", features, output_names(count), ()), Answer("predict_proba")
    if isinstance(classes, list):
        called = [f"{i}:{label}" for i, held in enumerate(classes) for label in held]
        return ModelSpec("raw", features, tuple(called), (), trees(estimator)), Answer("predict_proba")
    labels = plain_labels(classes)
    if _multilabel(estimator):
        return ModelSpec("raw", features, output_names(len(labels)), (), trees(estimator)), Answer("predict_proba")
    answer = Answer("predict_proba", threshold=_threshold(estimator))
    if len(labels) == 2:
        return ModelSpec("binary", features, ("output",), labels, trees(estimator)), answer
    outputs = tuple(str(label) for label in labels)
    return ModelSpec("multiclass", features, outputs, labels, trees(estimator)), answer


def _scores(estimator: Any, features: tuple[Feature, ...]) -> tuple[ModelSpec, Answer]:
    """A classifier without probabilities: its decision values, or its bare labels as 0 and 1."""
    classes = estimator.classes_
    if isinstance(classes, list):
        return ModelSpec("raw", features, output_names(len(classes)), ()), Answer("predict")
    labels = plain_labels(classes)
    if not hasattr(estimator, "decision_function"):
        task: Task = "binary" if len(labels) == 2 else "multiclass"
        called = ("output",) if len(labels) == 2 else tuple(str(label) for label in labels)
        return ModelSpec(task, features, called, labels, trees(estimator)), Answer("predict", one_hot=True)
    if getattr(last(estimator), "decision_function_shape", "ovr") == "ovo" and len(labels) > 2:
        pairs = len(labels) * (len(labels) - 1) // 2
        return ModelSpec("raw", features, output_names(pairs), ()), Answer("decision_function")
    count = 1 if len(labels) == 2 else len(labels)
    spec = ModelSpec("raw", features, output_names(count, labels), labels, trees(estimator))
    return spec, Answer("decision_function", threshold=_ABOVE_ZERO)


def _outliers(estimator: Any, features: tuple[Feature, ...]) -> tuple[ModelSpec, Answer]:
    """An outlier detector: its decision values, from 0 on an inlier (1), below an outlier (-1)."""
    spec = ModelSpec("raw", features, ("output",), (-1, 1), trees(estimator))
    return spec, Answer("decision_function", threshold=0.0)


def _multilabel(estimator: Any) -> bool:
    return bool(getattr(last(estimator), "multilabel_", False))


def _threshold(estimator: Any) -> float | None:
    """The tuned threshold on the second class's probability, of the two meta-estimators that have one."""
    held = getattr(estimator, "best_threshold_", getattr(estimator, "threshold", None))
    return (
        float(held) if isinstance(held, int | float | np.floating) and hasattr(estimator, "response_method") else None
    )


def last(estimator: Any) -> Any:
    """The step of a pipeline that predicts; any other estimator itself."""
    steps = getattr(estimator, "steps", None)
    return last(steps[-1][1]) if steps and hasattr(estimator, "named_steps") else estimator


def _is_regressor(estimator: Any) -> bool:
    from sklearn.base import is_regressor

    return bool(is_regressor(estimator))


def _targets(estimator: Any, method: str, width: int) -> int:
    """How many columns the method gives."""
    if method == "transform":
        return _transformed(estimator, width)
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
    return _probed(estimator, method, width)


def _transformed(estimator: Any, width: int) -> int:
    """How many columns a transformer makes: as many as it can name, else as it makes of a row of zeros."""
    try:
        return len(estimator.get_feature_names_out())
    except Exception:  # noqa: BLE001 - a step without names, as a function of the user's
        with np.errstate(all="ignore"):
            return int(estimator.transform(np.zeros((1, width))).shape[1])


def _linear_targets(final: Any, coefficients: Any) -> int:
    intercept = np.atleast_1d(getattr(final, "intercept_", 0.0))
    return len(intercept) if len(intercept) > 1 else int(coefficients.shape[0])


def _probed(estimator: Any, method: str, width: int) -> int:
    """The answer's width on one row of zeros; 1 when the estimator does not take such a row."""
    try:
        answer = np.asarray(getattr(estimator, method)(np.zeros((1, width))))
    except Exception:  # noqa: BLE001 - text columns, name selectors: whatever the pipeline objects to
        return 1
    return int(answer.reshape(1, -1).shape[1])


def _features(estimator: Any) -> tuple[Feature, ...]:
    called = getattr(estimator, "feature_names_in_", None)
    count = getattr(estimator, "n_features_in_", None)
    if called is None and count is None:
        raise ModelError(f"{type(estimator).__name__} does not say how many columns it takes; is it fitted?")
    listed = [] if called is None else [str(name) for name in called]
    every = name_features(len(listed) if listed else int(count or 0), listed)
    known = {**dict(_text_columns(estimator)), **_boosted_categories(estimator, every)}
    return tuple(known.get(name, Feature(name)) for name in every)


def _text_columns(estimator: Any) -> Iterator[tuple[str, Feature]]:
    """Columns that an encoder reads as text, with the categories it knows; text vectorizers' columns without."""
    for part, chosen in _column_parts(estimator):
        first = part.steps[0][1] if hasattr(part, "steps") else part
        encoder = next((step for step in _steps(part) if hasattr(step, "categories_")), None)
        if encoder is not None:
            for name, values in zip(chosen, encoder.categories_, strict=False):
                known = tuple(value for value in plain_labels(values) if isinstance(value, str | int | bool))
                if np.asarray(values).dtype.kind in "OUST" and any(isinstance(value, str) for value in known):
                    yield name, Feature(name, "category", tuple(v for v in known if isinstance(v, str)))
        elif hasattr(first, "vocabulary_") or type(first).__name__ == "HashingVectorizer":
            yield from ((name, Feature(name, "string")) for name in chosen)


def _boosted_categories(estimator: Any, called: tuple[str, ...]) -> dict[str, Feature]:
    """The columns that histogram boosting encodes itself, with the categories it knows."""
    inner = getattr(estimator, "_preprocessor", None)
    found: dict[str, Feature] = {}
    if inner is None:
        return found
    taken = list(inner._transformer_to_input_indices.get("encoder", ()))
    for index, values in zip(taken, inner.named_transformers_["encoder"].categories_ if taken else (), strict=True):
        known = tuple(value for value in plain_labels(values) if value is not None and value == value)
        found[called[int(index)]] = Feature(called[int(index)], "category", known)
    return found


def _steps(part: Any) -> list[Any]:
    return [step for _, step in part.steps] if hasattr(part, "steps") else [part]


def _column_parts(estimator: Any) -> Iterator[tuple[Any, list[str]]]:
    """Each fitted part of a column transformer with the names of the columns it is given."""
    called = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    first = estimator.steps[0][1] if hasattr(estimator, "steps") else estimator
    for _, part, chosen in getattr(first, "transformers_", ()):
        if not isinstance(part, str):
            yield part, _chosen(called, chosen)
    if not hasattr(first, "transformers_") and hasattr(first, "categories_"):
        yield first, called


def _chosen(called: list[str], chosen: Any) -> list[str]:
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        return called[chosen] if not isinstance(chosen.start, str) else []
    listed = np.asarray(chosen)
    if listed.dtype.kind == "b":
        listed = np.flatnonzero(listed)
    return [str(v) if isinstance(v, str) else called[int(v)] for v in np.atleast_1d(listed).tolist()] if called else []


def selects_by_name(estimator: Any) -> bool:
    """Whether a column transformer inside asks for columns by name."""
    for part in walk(estimator):
        for _, _, chosen in getattr(part, "transformers_", ()):
            first = chosen.start if isinstance(chosen, slice) else next(iter(np.atleast_1d(np.asarray(chosen))), 0)
            if isinstance(first, str):
                return True
    return False


def forget_names(estimator: Any) -> None:
    """Let the estimator take arrays without a warning at every call: only those parts that see the input itself."""
    vars(estimator).pop("feature_names_in_", None)
    steps = getattr(estimator, "steps", None)
    inner = _first_step(steps) if steps else list(parts(estimator))
    for part in inner:
        forget_names(part)


def _first_step(steps: Any) -> list[Any]:
    real = [step for _, step in steps if step is not None and step != "passthrough"]
    return real[:1]


def set_threads(estimator: Any, threads: int) -> None:
    """`n_jobs` of every part, where it has one: a saved -1 starts a thread pool for a single row."""
    for part in walk(estimator):
        if hasattr(part, "n_jobs"):
            part.n_jobs = threads


def trees(estimator: Any) -> int | None:
    """The number of trees of a tree ensemble; None for other models."""
    final = last(estimator)
    if hasattr(final, "_predictors"):
        return sum(len(group) for group in final._predictors)
    members = getattr(final, "estimators_", None)
    if members is not None and len(members) and hasattr(np.asarray(members, dtype=object).flat[0], "tree_"):
        return int(np.asarray(members, dtype=object).size)
    return 1 if hasattr(final, "tree_") else None


def walk(estimator: Any) -> Iterator[Any]:
    """The estimator and every estimator inside."""
    yield estimator
    for part in parts(estimator):
        yield from walk(part)


def parts(estimator: Any) -> Iterator[Any]:
    """The estimators directly inside, in attributes and in lists, tuples, dicts and arrays of attributes."""
    for value in list(vars(estimator).values()) if hasattr(estimator, "__dict__") else []:
        yield from held(value)


def _is_part(value: Any) -> bool:
    """An estimator, or one of scikit-learn's own private holders of estimators."""
    kind = type(value)
    return hasattr(value, "__dict__") and (
        (hasattr(value, "get_params") and kind is not type) or kind.__module__ == "sklearn.calibration"
    )


def held(value: Any, depth: int = 3) -> Iterator[Any]:
    """The estimators that an attribute holds, itself or in lists, tuples, dicts and arrays."""
    if _is_part(value):
        yield value
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from held(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from held(item, depth - 1)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for item in value.flat:
            yield from held(item, 0)
