"""Rows of which some differ, with both predictions: what causes are found on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table, concat
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.stats.agreement.probability_pair import to_same_outputs
from infer_bench.stats.agreement.row_outcomes import RowOutcomes
from infer_bench.typing import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class DifferingRows:
    """Rows below each other, each named by its group and its number there (rows,).

    `reference` and `candidate` are predictions (rows, outputs), as they were compared: NaN for a model that refuses the
    row or predicts other outputs. Of the masks (rows,), `differ` are the rows to explain, beside some that agree;
    `without_pair` are those without a prediction of one of the two; `relabelled` have another label. `rounding` are
    those that only rounding keeps apart, where `measurable` says that it is known what the reference rounds.
    """

    groups: npt.NDArray[np.object_]
    numbers: Ints
    table: Table
    reference: Floats
    candidate: Floats
    differ: Bools
    without_pair: Bools
    relabelled: Bools
    rounding: Bools
    measurable: Bools

    @classmethod
    def of(
        cls,
        group: str,
        numbers: Ints,
        table: Table,
        reference: Predictions,
        candidate: Predictions,
        outcomes: RowOutcomes,
    ) -> "DifferingRows":
        """All rows of one block."""
        ours, theirs = to_same_outputs(reference.values, candidate.values)
        none = np.zeros(len(numbers), dtype=np.bool_)
        return cls(
            groups=np.full(len(numbers), group, dtype=object),
            numbers=numbers,
            table=table,
            reference=ours,
            candidate=_without(theirs, outcomes.unlike) if theirs.shape == ours.shape else np.full_like(ours, np.nan),
            differ=outcomes.differ,
            without_pair=~outcomes.common,
            relabelled=none if outcomes.relabelled is None else outcomes.relabelled,
            rounding=none if outcomes.rounding is None else outcomes.rounding,
            measurable=none if outcomes.rounding is None else outcomes.rounding | (not reference.computes_in_float64),
        )

    @property
    def outputs(self) -> int:
        """How many outputs were compared."""
        return int(self.reference.shape[1])

    def take(self, rows: Ints) -> "DifferingRows":
        """Those at some places."""
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "table"}
        return DifferingRows(table=self.table.take(rows), **arrays)

    @property
    def with_roles_swapped(self) -> "DifferingRows":
        """With the candidate in the reference's place and the other way round."""
        return replace(self, reference=self.candidate, candidate=self.reference)


def _without(values: Floats, rows: Bools) -> Floats:
    return np.where(rows[:, None], np.nan, values) if rows.any() else values


def join(parts: Sequence[DifferingRows]) -> DifferingRows:
    """All parts below each other."""
    if len(parts) == 1:
        return parts[0]
    width = max(part.reference.shape[1] for part in parts)
    return DifferingRows(
        groups=np.concatenate([part.groups for part in parts]),
        numbers=np.concatenate([part.numbers for part in parts]),
        table=concat(part.table for part in parts),
        reference=_stack((part.reference for part in parts), width),
        candidate=_stack((part.candidate for part in parts), width),
        differ=np.concatenate([part.differ for part in parts]),
        without_pair=np.concatenate([part.without_pair for part in parts]),
        relabelled=np.concatenate([part.relabelled for part in parts]),
        rounding=np.concatenate([part.rounding for part in parts]),
        measurable=np.concatenate([part.measurable for part in parts]),
    )


def _stack(parts: Iterable[Floats], width: int) -> Floats:
    """Predictions below each other; how many outputs a model has is not known where it refuses every row."""
    return np.concatenate([p if p.shape[1] == width else np.full((len(p), width), np.nan) for p in parts])
