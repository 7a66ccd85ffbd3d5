"""Where a model's answer hangs on the dtype of the columns it is given, and not on their numbers alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from infer_bench.trees.readers.sklearn.estimators import get_class_name

_OF_EVERY_WHOLE_NUMBER = frozenset({"reciprocal", "square", "negative"})
"""Functions that answer whole numbers of any size otherwise: 1 / 5 is 0, and what does not fit wraps around."""


def note_dtypes(estimator: Any) -> tuple[str, ...]:
    """A note that names numpy's functions in the estimator, which answer columns of int8 otherwise than of float64."""
    names = sorted({step.func.__name__ for step in _find_functions(estimator)})
    if not names:
        return ()
    whole = bool(_OF_EVERY_WHOLE_NUMBER & set(names))
    kinds = "whole numbers, bool, float16 or float32" if whole else "bool, int8, float16 or float32"
    text = (
        f"numpy's {', '.join(names)} may answer columns of {kinds} otherwise than of float64, as which the file reads"
    )
    return (f"{text} them: --data with rows of the dtypes that are served compares both",)


def _find_functions(estimator: Any) -> Iterator[Any]:
    """The steps of a function of numpy's, wherever they stand in the estimator."""
    parts = [estimator, *(estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ())]
    for part in parts:
        if get_class_name(part) == "FunctionTransformer" and isinstance(part.func, np.ufunc):
            yield part
