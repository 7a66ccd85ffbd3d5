"""The estimators inside an estimator that are handed its own input, and the columns that they read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.sklearn.parts import estimators_in

MissingTexts = Mapping[str, float | None]
"""What stands for a missing text of a column: None or NaN."""

_HANDED_ON = ("best_estimator_", "estimator_", "estimators_", "regressor_", "calibrated_classifiers_", "estimator")
"""Where estimators made of estimators keep those that see the same columns."""


def find_openings(estimator: Any) -> Iterator[Any]:
    """The first steps of the pipelines inside, however nested: column transformers, vectorizers, encoders, models."""
    if hasattr(estimator, "transformers_") or hasattr(estimator, "build_analyzer"):
        yield estimator
    elif hasattr(estimator, "named_steps"):
        opening = next((step for _, step in estimator.steps if not _changes_nothing(step)), None)
        yield from () if opening is None else find_openings(opening)
    elif hasattr(estimator, "transformer_list"):
        for _, part in estimator.transformer_list:
            yield from () if isinstance(part, str) else find_openings(part)
    else:
        parts = [part for name in _HANDED_ON for part in estimators_in(getattr(estimator, name, None))]
        for part in parts:
            yield from find_openings(part)
        if not parts:
            yield estimator


def _changes_nothing(step: Any) -> bool:
    return step is None or isinstance(step, str) or type(step).__name__ == "FunctionTransformer"


def column_parts(estimator: Any) -> Iterator[tuple[Any, list[str]]]:
    """Each fitted part of the column transformers at the beginning, and each encoder there, with its columns."""
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    for opening in find_openings(estimator):
        for _, part, columns in getattr(opening, "transformers_", ()):
            if not isinstance(part, str):
                yield part, _names_of(names, columns)
        if not hasattr(opening, "transformers_") and hasattr(opening, "categories_"):
            yield opening, names


def find_missing_texts(estimator: Any, names: Sequence[str]) -> MissingTexts:
    """What a missing text is to the encoder or the imputer that reads a column first, which knows one of None and NaN.

    `names` are those of all columns. A column of which nothing is known to be missing, or both, is left out.
    """
    markers: dict[str, set[float | None]] = {}
    for opening in find_openings(estimator):
        parts = getattr(opening, "transformers_", None)
        for part, columns in [(opening, list(names))] if parts is None else _parts_of(parts, names):
            for name, values in _known_values(next(iter(steps_in(part)), None), columns):
                markers.setdefault(name, set()).update(_missing_among(values))
    return {name: values.pop() for name, values in markers.items() if len(values) == 1}


def _parts_of(parts: Any, names: Sequence[str]) -> list[tuple[Any, list[str]]]:
    return [(part, _names_of(list(names), columns)) for _, part, columns in parts if not isinstance(part, str)]


def _known_values(step: Any, names: list[str]) -> Iterator[tuple[str, Sequence[Any]]]:
    """The values of each column that a step knows by themselves."""
    if hasattr(step, "missing_values"):
        yield from ((name, [step.missing_values]) for name in names)
    else:
        yield from zip(names, getattr(step, "categories_", ()), strict=False)


def _missing_among(values: Sequence[Any]) -> Iterator[float | None]:
    for value in values:
        if value is None:
            yield None
        elif isinstance(value, float) and np.isnan(value):
            yield np.nan  # one object, which a set holds once


def find_dropped(estimator: Any) -> frozenset[str]:
    """The columns that every column transformer at the beginning leaves out; none where another step reads them all."""
    names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    dropped = set(names)
    for opening in find_openings(estimator):
        parts = getattr(opening, "transformers_", None)
        if parts is None:
            return frozenset()
        read = [columns for _, part, columns in parts if not (isinstance(part, str) and part == "drop")]
        dropped -= {name for columns in read for name in _names_of(names, columns)}
        if any(isinstance(columns, slice) and isinstance(columns.start, str) for columns in read):
            return frozenset()
    return frozenset(dropped)


def steps_in(part: Any) -> list[Any]:
    """The steps of a pipeline, those of pipelines inside in their place; any other estimator alone."""
    if not hasattr(part, "named_steps"):
        return [part]
    return [inner for _, step in part.steps if not isinstance(step, str | None) for inner in steps_in(step)]


def _names_of(names: list[str], columns: Any) -> list[str]:
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, slice):
        return names[columns] if not isinstance(columns.start, str) else []
    array = np.asarray(columns)
    if array.dtype.kind == "b":
        array = np.flatnonzero(array)
    return [str(v) if isinstance(v, str) else names[int(v)] for v in np.atleast_1d(array).tolist()] if names else []
