"""What a model predicts for a block of rows: numbers, labels, and the rows that it refuses."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.stats.agreement.rounding import RoundingUnits
from infer_bench.typing import Array, Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The label of each row: `names` are the distinct labels, `codes` (rows,) places among them, -1 for no label.

    `text`: they are the text that a user's function returns, of which its numbers say nothing.
    """

    names: tuple[Any, ...]
    codes: Ints
    text: bool = False

    @classmethod
    def of(cls, labels: Iterable[Any], *, text: bool = False) -> "Labels":
        """From one label a row."""
        names: dict[Hashable, Any] = {}
        places: dict[Hashable, int] = {}
        codes = []
        for label in labels:
            key = label_key(label)
            names.setdefault(key, label)
            codes.append(places.setdefault(key, len(places)))
        return cls(tuple(names.values()), np.array(codes, dtype=np.int64), text)

    def take(self, rows: Array) -> "Labels":
        """Those of some rows."""
        return replace(self, codes=self.codes[rows])


def label_key(label: Any) -> Hashable:
    """What two labels have in common when they are the same one: 1, 1.0 and True are, the text "1" is another."""
    if label != label:
        return (float, "nan")
    return label if isinstance(label, Hashable) else repr(label)


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions for a block of rows: `values` (rows, outputs), NaN where `refusals` (rows,).

    `labels` is None for a model without classes. `complaint` is what the library said of the first row it refused.
    `units` measure what a reference rounds, None where that is not known.
    """

    values: Floats
    refusals: Bools
    labels: Labels | None = None
    complaint: str = ""
    units: RoundingUnits | None = None

    @property
    def computes_in_float64(self) -> bool:
        """Whether it is known that the model does."""
        return self.units is not None and self.units.is_exact

    @classmethod
    def unrefused(cls, values: Floats, labels: Labels | None = None) -> "Predictions":
        """Of a model that refuses none of the rows."""
        return cls(values, np.zeros(len(values), dtype=np.bool_), labels)

    def take(self, rows: Array) -> "Predictions":
        """Those for some rows, given by their places or by a mask (rows,)."""
        labels = None if self.labels is None else self.labels.take(rows)
        units = None if self.units is None else self.units.take(rows)
        return replace(self, values=self.values[rows], refusals=self.refusals[rows], labels=labels, units=units)
