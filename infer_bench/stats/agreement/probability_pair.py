"""One output beside two: the two may say of two classes what the one says of the second.

Which of the two a file gives depends on its format, and says nothing of what it predicts. So it is decided here, from
the shapes and the numbers of both sides, row by row: the rows of a comparison can be cut into any parts. The two are
probabilities that add up to 1, or a decision value and its negative.
"""

import numpy as np

from infer_bench.typing import Bools, Floats

__all__ = ["comparable_rows", "is_pair", "to_same_outputs", "to_width"]

_NEAR = 1e-2
"""How far two outputs may be from adding up to 1, and outside 0 to 1: what rounding to 8 bits may do."""
_ROUNDING = 2.0**-20
"""How far two float32 probabilities may be from adding up to 1 by rounding, with room; as a share, values from 0."""


def comparable_rows(one: Floats, other: Floats) -> Bools:
    """The rows (rows,) of which both sides give the same outputs: of (rows, n) and (rows, m) all where n is m.

    Of one output beside two, those whose two are such a pair.
    """
    if one.shape[1] == other.shape[1]:
        return np.ones(len(one), dtype=np.bool_)
    if {one.shape[1], other.shape[1]} == {1, 2}:
        return is_pair(one if one.shape[1] == 2 else other)
    return np.zeros(len(one), dtype=np.bool_)


def to_same_outputs(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Both sides with as many outputs: of one beside two, what either says of the second class (rows, 1).

    Two probabilities say it twice, as p1 and as 1 - p0. Where these differ by more than rounding, the one that is
    farther from the other side counts, so that no output goes uncompared.
    """
    if (one.shape[1], other.shape[1]) == (2, 1):
        return _second(one, other[:, 0]), other
    if (one.shape[1], other.shape[1]) == (1, 2):
        return one, _second(other, one[:, 0])
    return one, other


def to_width(values: Floats, width: int) -> Floats:
    """Predictions (rows, n) of a side that was compared as `width` outputs: of a pair the second."""
    return values[:, 1:] if (values.shape[1], width) == (2, 1) else values


def is_pair(values: Floats) -> Bools:
    """Whether two outputs (rows, 2) are probabilities of two classes, or opposite values; NaN may stand for either."""
    with np.errstate(all="ignore"):
        within = np.abs(values - 0.5).max(axis=1) <= 0.5 + _NEAR
        total = np.abs(values.sum(axis=1) - 1.0) <= _NEAR
    return np.asarray((within & total) | _is_opposite(values) | np.isnan(values).any(axis=1))


def _is_opposite(values: Floats) -> Bools:
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(values.sum(axis=1)) <= _ROUNDING * np.abs(values[:, 1]))


def _second(values: Floats, single: Floats) -> Floats:
    """What both outputs say of the second class (rows, 1); NaN where one of them is."""
    with np.errstate(all="ignore"):
        direct, complement = values[:, 1], 1.0 - values[:, 0]
        farther = np.abs(complement - single) > np.abs(direct - single)
        apart = np.abs(direct - complement) > _ROUNDING
    second = np.where(farther & apart & ~_is_opposite(values), complement, direct)
    return np.where(np.isnan(values).any(axis=1), np.nan, second).reshape(-1, 1)
