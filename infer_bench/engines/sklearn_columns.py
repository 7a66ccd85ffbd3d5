"""From the columns that a pipeline's last step sees back to the pipeline's own, through steps that scale each alone."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.engines.base import FloatArray

Back = Mapping[int, tuple[int, float, float]]
"""Column behind → (column before, scale, shift), such that before = behind * scale + shift; others are left out."""


def back(estimator: Any) -> Back | None:
    """The way back through all steps but the last; None for an estimator that is no pipeline."""
    if not hasattr(estimator, "named_steps"):
        return None
    return _chain([step for _, step in estimator.steps[:-1]], None)


def _chain(steps: list[Any], width: int | None) -> Back | None:
    """Steps one after the other; None is the identity."""
    found: Back | None = None
    for step in steps:
        if step is None or step == "passthrough":
            continue
        one = _step(step)
        if found is None:
            found = one
            continue
        before = found
        found = {
            behind: (before[at][0], scale * before[at][1], shift * before[at][1] + before[at][2])
            for behind, (at, scale, shift) in one.items()
            if at in before
        }
    return found


def _step(step: Any) -> Back:
    kind = type(step).__name__
    if kind == "Pipeline":
        count = int(getattr(step, "n_features_in_", 0))
        held = _chain([part for _, part in step.steps], count)
        return {i: (i, 1.0, 0.0) for i in range(count)} if held is None else held
    if kind == "ColumnTransformer":
        return _columns(step)
    maps = linear(step)
    if maps is None:
        return {}
    scale, shift = maps
    return {i: (i, float(scale[i]), float(shift[i])) for i in range(len(scale))}


def _columns(step: Any) -> Back:
    found: dict[int, tuple[int, float, float]] = {}
    inputs = getattr(step, "_transformer_to_input_indices", {})
    for name, part, _ in step.transformers_:
        taken, place = list(inputs.get(name, ())), getattr(step, "output_indices_", {}).get(name)
        if place is None or (isinstance(part, str) and part == "drop"):
            continue
        if isinstance(part, str) or type(part).__name__ == "FunctionTransformer":
            plain = isinstance(part, str) or getattr(part, "func", None) is None
            inner: Back = {i: (i, 1.0, 0.0) for i in range(len(taken))} if plain else {}
        else:
            inner = _step(part)
        for behind, (at, scale, shift) in inner.items():
            if at < len(taken):
                found[place.start + behind] = (int(taken[at]), scale, shift)
    return found


def linear(step: Any) -> tuple[FloatArray, FloatArray] | None:
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
        held = np.asarray(step.statistics_)
        known = held.dtype.kind == "f" and bool(np.isfinite(held).all())
        return (one, zero) if known else None
    return None


def _or(given: Any, default: FloatArray) -> FloatArray:
    return default if given is None else np.asarray(given, dtype=np.float64)
