"""Rows of all groups with both answers, below each other: what causes are found on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table, concat
from infer_bench.measure.validate.causes.search import closeness, matches
from infer_bench.measure.validate.group_comparison import Kept
from infer_bench.typing import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class DifferingRows:
    """Rows of all groups below each other with both answers; `differ` (rows,) are those to explain."""

    groups: npt.NDArray[np.object_]
    numbers: npt.NDArray[np.int64]
    table: Table
    reference: Floats
    candidate: Floats
    differ: Bools
    refused: Bools
    relabelled: Bools


def gather(kept: Sequence[Kept]) -> DifferingRows:
    """The rows of all groups below each other, the user's first."""
    parts = sorted(kept, key=lambda part: part.group != "data")
    return DifferingRows(
        groups=np.concatenate([np.full(len(part.numbers), part.group, dtype=object) for part in parts]),
        numbers=np.concatenate([part.numbers for part in parts]),
        table=concat(part.table for part in parts),
        reference=np.concatenate([part.reference.values for part in parts]),
        candidate=np.concatenate([part.candidate.values for part in parts]),
        differ=np.concatenate([part.differ for part in parts]),
        refused=np.concatenate([part.reference.refused | part.candidate.refused for part in parts]),
        relabelled=np.concatenate([_relabelled(part) for part in parts]),
    )


def _relabelled(part: Kept) -> Bools:
    """Rows whose answers agree and whose labels do not."""
    if part.labels is None:
        return np.zeros(len(part.numbers), dtype=np.bool_)
    one, other = part.labels
    changed = np.array([a != b for a, b in zip(one.tolist(), other.tolist(), strict=True)], dtype=np.bool_)
    values = part.reference.values, part.candidate.values
    if values[0].shape != values[1].shape:
        return changed
    return np.asarray(changed & matches(*values, closeness(*values)))
