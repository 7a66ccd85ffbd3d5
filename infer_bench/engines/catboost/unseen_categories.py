"""Which categories a model that keeps only hashes has learnt: it answers for the others as for any that is new."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infer_bench.typing import Array

Predict = Callable[[Array], Any]

MOST_ROWS, MOST_VALUES = 32, 64
_NEW = "\N{SYMBOL FOR NULL} a category that no model has seen"


def known_values(predict: Predict, rows: Array, place: int, values: Sequence[Any]) -> list[Any]:
    """Those of `values` for which some row is answered otherwise than for a new category.

    `rows` is an object array (rows, features), whose column at `place` is varied; its other columns matter where the
    model has learnt combinations alone.
    """
    values, base = list(values)[:MOST_VALUES], rows[:MOST_ROWS].copy()
    base[:, place] = _NEW
    varied = np.tile(base, (len(values), 1))
    varied[:, place] = np.repeat(np.array([*values, None], dtype=object)[:-1], len(base))
    new = np.asarray(predict(base)).reshape(1, len(base), -1)
    differs = (np.asarray(predict(varied)).reshape(len(values), len(base), -1) != new).any(axis=(1, 2))
    return [value for value, is_known in zip(values, differs.tolist(), strict=True) if is_known]
