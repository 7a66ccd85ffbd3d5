"""The rows that the sides of a gate answer: the same ones wherever they can, so that their answers compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.errors import DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.rows import Rows, rows_for, seen_by
from infer_bench.measure.schedule.scheduler import Pair
from infer_bench.measure.settings import Settings
from infer_bench.report.common import Notice
from infer_bench.typing import Columns


@dataclass
class SharedRows:
    """`rows` of each model by its path, the `columns` of each entrant, and `notices` on them.

    `apart` are candidates that answer other rows than their baselines: their answers cannot be compared. `unfit` are
    those whose model no candidate could open, and why.
    """

    rows: dict[str, Rows] = field(default_factory=dict)
    columns: dict[Key, Columns] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    apart: set[Key] = field(default_factory=set)
    unfit: dict[Key, InferBenchError] = field(default_factory=dict)


def given(found: Sequence[Pair], data: str | None, settings: Settings) -> SharedRows:
    """The rows of all who take part. Raises `DataError` for rows that cannot be read or do not fit a model."""
    made = SharedRows()
    groups = _by_model(found)
    for path, group in groups.items():
        try:
            made.rows[path] = rows_for(group, data, settings)
        except UsageError:
            raise
        except DataError as error:
            whose = f" (for {group[0].model.name})" if len(groups) > 1 else ""
            raise DataError(f"{error.message}{whose}", error.hint) from None
        except InferBenchError as error:
            made.unfit |= {candidate.key: error for candidate in group}
    for match in found:
        _hand_out(match, made, data)
    if made.apart:
        text = "models with different inputs were each given rows of their own: their answers are not compared"
        made.notices.append(Notice("own-rows", text, "give rows with --data"))
    if any(not len(next(iter(held.values()), ())) for held in made.columns.values()):
        raise DataError("there are no rows to answer", "give rows with --data")
    return made


def _by_model(found: Sequence[Pair]) -> Mapping[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for match in found:
        for candidate in match.candidates:
            groups.setdefault(candidate.model.path, []).append(candidate)
    return groups


def _hand_out(match: Pair, made: SharedRows, data: str | None) -> None:
    ours, theirs = match.candidate, match.baseline
    met = theirs is not None and theirs.key in made.columns
    for candidate in match.candidates:
        if candidate.key not in made.columns and candidate.key not in made.unfit:
            made.columns[candidate.key] = seen_by(candidate, made.rows[candidate.model.path])
    if theirs is None or made.unfit.keys() & {ours.key, theirs.key}:
        return
    # Of several candidates the first gives its rows to the baseline, and the others take the baseline's.
    giver, taker = (theirs, ours) if met else (ours, theirs)
    columns = alike(made.columns[giver.key], made.columns[taker.key], data)
    if columns is not None:
        made.columns[taker.key] = columns
    elif data is None:
        made.apart.add(ours.key)


def alike(ours: Columns, theirs: Columns, data: str | None) -> Columns | None:
    """The rows of one side for the other, where it has the same columns or, without names, as many; None: its own.

    Of a file both have the same rows; which columns a model takes of it is its own affair.
    """
    if list(ours) == list(theirs):
        return ours if data is None or all(_equal(ours[name], theirs[name]) for name in ours) else None
    if data is not None:
        return None
    if set(ours) == set(theirs):
        return {name: ours[name] for name in theirs}
    return dict(zip(theirs, ours.values(), strict=True)) if len(ours) == len(theirs) else None


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
