"""The estimators inside an estimator, and what is set or looked up in all of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def last(estimator: Any) -> Any:
    """The step of a pipeline that predicts; any other estimator itself."""
    steps = getattr(estimator, "steps", None)
    return last(steps[-1][1]) if steps and hasattr(estimator, "named_steps") else estimator


def walk(estimator: Any) -> Iterator[Any]:
    """The estimator and every estimator inside."""
    yield estimator
    for part in parts(estimator):
        yield from walk(part)


def parts(estimator: Any) -> Iterator[Any]:
    """The estimators directly inside, in attributes and in lists, tuples, dicts and arrays of attributes."""
    for value in list(vars(estimator).values()) if hasattr(estimator, "__dict__") else []:
        yield from estimators_in(value)


def _is_part(value: Any) -> bool:
    """An estimator, or one of scikit-learn's own private holders of estimators."""
    kind = type(value)
    return hasattr(value, "__dict__") and (
        (hasattr(value, "get_params") and kind is not type) or kind.__module__ == "sklearn.calibration"
    )


def estimators_in(value: Any, depth: int = 3) -> Iterator[Any]:
    """The estimators that an attribute holds, itself or in lists, tuples, dicts and arrays."""
    if _is_part(value):
        yield value
    elif depth and isinstance(value, list | tuple):
        for item in value:
            yield from estimators_in(item, depth - 1)
    elif depth and isinstance(value, dict):
        for item in value.values():
            yield from estimators_in(item, depth - 1)
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for item in value.flat:
            yield from estimators_in(item, 0)


def selects_by_name(estimator: Any) -> bool:
    """Whether a column transformer inside asks for columns by name."""
    for part in walk(estimator):
        for _, _, columns in getattr(part, "transformers_", ()):
            first = columns.start if isinstance(columns, slice) else next(iter(np.atleast_1d(np.asarray(columns))), 0)
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
