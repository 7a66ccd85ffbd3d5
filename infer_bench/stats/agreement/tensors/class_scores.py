"""Outputs that look like scores of classes along their last axis, and the largest of them."""

import re

import numpy as np

from infer_bench.typing import Array, Bools, Floats

_NAMES = re.compile(r"logit|prob|score|softmax|class|label", re.IGNORECASE)
_MOST_CLASSES = 1 << 20
_NEAR_ONE = 1e-2
"""How far probabilities in float16 or 8 bits may be from adding up to 1."""


def are_probabilities(values: Array) -> bool:
    """Whether a float output is probabilities along its last axis: from 0 to 1 and adding up to 1."""
    if not _may_be_scores(values) or not np.isfinite(values).all():
        return False
    numbers = values.astype(np.float64)
    within = numbers.min() >= -_NEAR_ONE and numbers.max() <= 1 + _NEAR_ONE
    return bool(within and np.all(np.abs(numbers.sum(axis=-1) - 1) <= _NEAR_ONE))


def look_like_scores(name: str, values: Array) -> bool:
    """Whether the output's name or its numbers say that it scores classes along its last axis."""
    return _may_be_scores(values) and (bool(_NAMES.search(name)) or are_probabilities(values))


def _may_be_scores(values: Array) -> bool:
    return values.dtype.kind == "f" and values.ndim >= 2 and values.size > 0 and 2 <= values.shape[-1] <= _MOST_CLASSES


def margins_of_changes(reference: Floats, candidate: Floats) -> Floats:
    """How near each other class is to the largest, where the two sides' largest differ (changes,).

    The larger of what either side has between the two classes; nothing where a side is not finite.
    """
    ours, theirs = (values.reshape(-1, values.shape[-1]) for values in (reference, candidate))
    finite = np.isfinite(ours).all(axis=1) & np.isfinite(theirs).all(axis=1)
    first, second = ours.argmax(axis=1), theirs.argmax(axis=1)
    rows: Bools = np.asarray(finite & (first != second))
    at = np.flatnonzero(rows)
    mine = ours[at, first[at]] - ours[at, second[at]]
    other = theirs[at, second[at]] - theirs[at, first[at]]
    return np.asarray(np.maximum(mine, other), dtype=np.float64)
