"""From the columns that a pipeline's last step sees back to the pipeline's own, through steps that scale each alone."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from infer_bench.engines.sklearn.parts import estimators_in
from infer_bench.typing import Floats

Back = Mapping[int, tuple[int, float, float]]
"""Column behind → (column before, scale, shift), such that before = behind * scale + shift; others are left out."""


def inside(estimator: Any, way: Back | None = None) -> Iterator[tuple[Any, Back | None]]:
    """Every estimator inside, each with the way back from the columns that it sees; None where it sees the input's."""
    kind = type(estimator).__name__
    if kind == "Pipeline":
        for _, step in estimator.steps:
            if not isinstance(step, str | None):
                yield from inside(step, way)
                way = compose(step_back(step), way)
        return
    if kind == "ColumnTransformer":
        for part, places in _parts_with_columns(estimator):
            yield from inside(part, compose({i: (at, 1.0, 0.0) for i, at in enumerate(places)}, way))
        return
    encoder = getattr(estimator, "_preprocessor", None)
    yield estimator, way if encoder is None else compose(step_back(encoder), way)
    for name, value in list(vars(estimator).items()) if hasattr(estimator, "__dict__") else []:
        if name not in _ELSEWHERE:
            features = getattr(estimator, "estimators_features_", None) if name == "estimators_" else None
            for i, part in enumerate(estimators_in(value)):
                if not hasattr(part, "get_params") or hasattr(part, "n_features_in_"):  # fitted
                    own = None if features is None else {j: (int(at), 1.0, 0.0) for j, at in enumerate(features[i])}
                    yield from inside(part, compose(own, way))


_ELSEWHERE = frozenset({"final_estimator_", "calibrators", "transformer_", "_preprocessor"})
"""Attributes whose estimators see predictions, targets or encoded columns in place of the input's."""


def compose(behind: Back | None, before: Back | None) -> Back | None:
    """One way after the other; None is the identity."""
    if behind is None or before is None:
        return before if behind is None else behind
    return {
        column: (before[at][0], scale * before[at][1], shift * before[at][1] + before[at][2])
        for column, (at, scale, shift) in behind.items()
        if at in before
    }


def step_back(step: Any) -> Back | None:
    """The way back through one step; a column that is mixed, bent or encoded is left out."""
    kind = type(step).__name__
    if isinstance(step, str | None) or (kind == "FunctionTransformer" and _changes_nothing(step.func)):
        return None
    if kind == "Pipeline":
        way: Back | None = None
        for _, part in step.steps:
            way = compose(step_back(part), way)
        return way
    if kind == "ColumnTransformer":
        return _columns(step)
    if hasattr(step, "get_support"):
        return {i: (int(at), 1.0, 0.0) for i, at in enumerate(np.flatnonzero(step.get_support()))}
    maps = linear(step)
    if maps is None:
        return {}
    scale, shift = maps
    return {i: (i, float(scale[i]), float(shift[i])) for i in range(len(scale))}


def _changes_nothing(func: Any) -> bool:
    """No function, or scikit-learn's own check of dtypes, with which histogram boosting hands numbers on."""
    return func is None or getattr(getattr(func, "func", func), "__name__", "") == "check_array"


def _parts_with_columns(step: Any) -> Iterator[tuple[Any, list[int]]]:
    """The fitted parts of a column transformer, each with the places of the columns that it is given."""
    inputs = getattr(step, "_transformer_to_input_indices", {})
    for name, part, _ in step.transformers_:
        if not isinstance(part, str):
            yield part, [int(at) for at in inputs.get(name, ())]


def _columns(step: Any) -> Back:
    back: dict[int, tuple[int, float, float]] = {}
    inputs = getattr(step, "_transformer_to_input_indices", {})
    for name, part, _ in step.transformers_:
        places, place = list(inputs.get(name, ())), getattr(step, "output_indices_", {}).get(name)
        if place is None or (isinstance(part, str) and part == "drop"):
            continue
        inner = step_back(part)
        if inner is None:
            inner = {i: (i, 1.0, 0.0) for i in range(len(places))}
        for behind, (at, scale, shift) in inner.items():
            if at < len(places):
                back[place.start + behind] = (int(places[at]), scale, shift)
    return back


def linear(step: Any) -> tuple[Floats, Floats] | None:
    """(scale, shift) such that input = scaled * scale + shift, for the scalers that are linear maps.

    A `MinMaxScaler` with `clip` is one only within its range.
    """
    count = int(getattr(step, "n_features_in_", 0))
    one, zero = np.ones(count), np.zeros(count)
    kind = type(step).__name__
    if kind == "StandardScaler":
        return _or(step.scale_ if step.with_std else None, one), _or(step.mean_ if step.with_mean else None, zero)
    if kind == "RobustScaler":
        return _or(step.scale_, one), _or(step.center_, zero)
    if kind == "MinMaxScaler":
        return 1.0 / step.scale_, -step.min_ / step.scale_
    if kind == "MaxAbsScaler":
        return _or(step.scale_, one), zero
    if kind == "SimpleImputer":
        statistics = np.asarray(step.statistics_)
        usable = statistics.dtype.kind == "f" and bool(np.isfinite(statistics).all())
        return (one, zero) if usable else None
    return None


def _or(values: Any, default: Floats) -> Floats:
    return default if values is None else np.asarray(values, dtype=np.float64)
