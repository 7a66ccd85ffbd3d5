"""Which estimators give nearly the same answer to nearly the same request: sums, products and kernels, no branches."""

import copy
from typing import Any

import numpy as np

from infer_bench.engines.float64 import nudge

_STEPS = frozenset(
    {
        "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer", "PolynomialFeatures",
        "PowerTransformer", "PCA", "TruncatedSVD", "FactorAnalysis", "Nystroem", "RBFSampler", "SimpleImputer",
        "SelectKBest", "SelectPercentile", "VarianceThreshold", "SelectFromModel",
    }
)  # fmt: skip
_MODULES = (
    "sklearn.linear_model.",
    "sklearn.svm.",
    "sklearn.gaussian_process.",
    "sklearn.kernel_ridge",
    "sklearn.neural_network.",
    "sklearn.cross_decomposition.",
    "sklearn.discriminant_analysis",
)


def is_continuous(estimator: Any) -> bool:
    """Whether it is a linear model, a kernel's or a network, behind steps of numbers alone."""
    while hasattr(estimator, "best_estimator_"):  # what a search has found predicts in its place
        estimator = estimator.best_estimator_
    steps = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    before = (step for step in steps[:-1] if step is not None and step != "passthrough")
    return all(type(step).__name__ in _STEPS for step in before) and type(steps[-1]).__module__.startswith(_MODULES)


def nudge_weights(estimator: Any) -> Any:
    """A copy whose fitted numbers, in all of its steps, are half an ulp of float32 off: as float32 may store them."""
    clone = copy.deepcopy(estimator)
    while hasattr(clone, "best_estimator_"):
        clone = clone.best_estimator_
    for step in (step for _, step in getattr(clone, "steps", [("", clone)])):
        for name, value in list(getattr(step, "__dict__", {}).items()):
            if name != "classes_" and (changed := _nudge(value)) is not None:
                setattr(step, name, changed)
    return clone


def _nudge(value: Any) -> Any:
    """An array of floats, or a list of them, moved; None for anything else."""
    if isinstance(value, list) and value and all(isinstance(part, np.ndarray) for part in value):
        return [part if (changed := _nudge(part)) is None else changed for part in value]
    is_float = isinstance(value, np.ndarray) and value.dtype == np.float64
    return np.ascontiguousarray(nudge(value)) if is_float else None
