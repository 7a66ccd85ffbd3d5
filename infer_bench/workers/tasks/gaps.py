"""Which values of a row are missing or infinite: rows alike in that are refused alike."""

from collections import Counter

import numpy as np

from infer_bench.typing import Array, Columns, Indices, Ints

Part = slice | Indices
"""Rows of a table."""
ALIKE = 8
"""So many rows with the same gaps are refused, and none predicted, before the rest of them is taken to be refused."""
ANY_GAP = 512
"""As `ALIKE`, of rows with any gap."""
_COMPLETE, _MISSING, _INFINITE, _BELOW = range(4)


class Gaps:
    """The gaps in a table's rows, and which of them a library refuses, as far as it was asked.

    `order` lists the rows, the `complete` ones first and then those with the same gaps together. All of it is empty
    until a table was looked at, which takes time that most tables do not need.
    """

    def __init__(self) -> None:
        self._numbers: Ints = np.zeros(0, dtype=np.int64)
        self._refusals: Counter[int] = Counter()
        self._predictions: Counter[int] = Counter()
        self.order: Indices = np.zeros(0, dtype=np.intp)
        self.complete = 0

    @property
    def complete_refusals(self) -> int:
        """How many rows without a gap were refused."""
        return self._refusals[0]

    def look_at(self, columns: Columns) -> None:
        """Find the gaps of a table."""
        self._numbers = number_gaps(columns)
        self.order = np.argsort(self._numbers, kind="stable")
        self.complete = int((self._numbers == 0).sum())

    def note(self, part: Part, *, has_prediction: bool) -> None:
        """Note that a library predicted these rows, or refused them."""
        counts = self._predictions if has_prediction else self._refusals
        counts.update(self._numbers[part].tolist())

    def are_refused(self, part: Part) -> bool:
        """Whether rows with these gaps have been refused so often that it need not be asked."""
        if isinstance(part, slice):
            return False
        first, last = int(self._numbers[part[0]]), int(self._numbers[part[-1]])
        if first == 0:
            return False
        refusals, predictions = (counts.total() - counts[0] for counts in (self._refusals, self._predictions))
        if refusals >= ANY_GAP and not predictions:
            return True
        return first == last and self._refusals[first] >= ALIKE and not self._predictions[first]


def number_gaps(columns: Columns) -> Ints:
    """A number (rows,) that rows share where the same of their values are missing, inf or -inf; 0 where none are."""
    kinds = np.stack([_kinds(column) for column in columns.values()], axis=1)
    patterns, numbers = np.unique(kinds, axis=0, return_inverse=True)
    has_complete = bool(len(patterns)) and not patterns[0].any()  # patterns are sorted
    return np.asarray(numbers.ravel() + (0 if has_complete else 1), dtype=np.int64)


def _kinds(column: Array) -> Array:
    """What each row's value is (rows,); of an input with more axes the worst of its values."""
    kinds = np.full(column.shape, _COMPLETE, dtype=np.uint8)
    if column.dtype.kind == "f":
        kinds[np.isnan(column)] = _MISSING
        kinds[np.isposinf(column)] = _INFINITE
        kinds[np.isneginf(column)] = _BELOW
    elif column.dtype == object:
        missing = [value is None or value != value for value in column.ravel().tolist()]
        kinds[np.array(missing, dtype=np.bool_).reshape(column.shape)] = _MISSING
    return np.asarray(kinds.reshape(len(kinds), -1).max(axis=1, initial=_COMPLETE))


def count_rows(part: Part) -> int:
    """How many rows they are."""
    return part.stop - part.start if isinstance(part, slice) else len(part)
