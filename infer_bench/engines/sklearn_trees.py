"""Where the splits of scikit-learn's trees lie, on the scale of the pipeline's inputs."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from infer_bench.engines.base import Domain, FloatArray
from infer_bench.engines.sklearn_model import last, walk
from infer_bench.model import ModelSpec

Split = tuple[int, float]
Unscale = Callable[[int, float], float]


def domain(estimator: Any, spec: ModelSpec) -> Domain:
    """Thresholds of all trees, through scalers; empty behind steps that mix or drop columns."""
    unscale = _through(estimator)
    if unscale is None:
        return Domain()
    found: dict[str, set[float]] = defaultdict(set)
    names = spec.feature_names
    for feature, threshold in _splits(last(estimator)):
        if feature < len(names) and np.isfinite(value := unscale(feature, threshold)):
            found[names[feature]].add(float(value))
    return Domain({name: tuple(sorted(values)) for name, values in found.items()}, _missing(estimator, found))


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


def _through(estimator: Any) -> Unscale | None:
    """The way back from the last step's scale to the input's; None when a step is not a per-column linear map."""
    if not hasattr(estimator, "named_steps"):
        return lambda _, value: value
    maps = [_linear(step) for _, step in estimator.steps[:-1] if step is not None and step != "passthrough"]
    if any(found is None for found in maps):
        return None
    known = [found for found in maps if found is not None]

    def back(feature: int, value: float) -> float:
        for scale, shift in reversed(known):
            value = value * float(scale[feature]) + float(shift[feature])
        return value

    return back


def _linear(step: Any) -> tuple[FloatArray, FloatArray] | None:
    """(scale, shift) such that input = scaled * scale + shift, for the scalers that are linear maps."""
    count = int(getattr(step, "n_features_in_", 0))
    one, zero = np.ones(count), np.zeros(count)
    kind = type(step).__name__
    if kind == "StandardScaler":
        return _or(step.scale_, one), _or(step.mean_, zero)
    if kind == "RobustScaler":
        return _or(step.scale_, one), _or(step.center_, zero)
    if kind == "MinMaxScaler":
        return 1.0 / step.scale_, -step.min_ / step.scale_
    if kind == "MaxAbsScaler":
        return _or(step.scale_, one), zero
    if kind == "SimpleImputer" and not step.add_indicator:
        return (one, zero) if np.isfinite(np.asarray(step.statistics_, dtype=np.float64)).all() else None
    return None


def _or(values: Any, default: FloatArray) -> FloatArray:
    return default if values is None else np.asarray(values, dtype=np.float64)
