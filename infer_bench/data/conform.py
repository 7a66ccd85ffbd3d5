"""A table fitted to a model: columns matched by name, or by place where one side has no names; kinds checked."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from infer_bench.data.table import Column, Table
from infer_bench.data.text import is_number
from infer_bench.errors import DataError
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import ABSENT, Absent

_GENERATED = re.compile(r"(?:f|x|Column_|feature_|column_|Feature_|input_)?\d+")
_MOST_NAMES = 3
TEXT = "text"
"""The column of several that is the text of a model which reads one and has no name for it."""
_RECORDS = 'a record is {"column": value, …}: DataFrame.to_json(orient="records") writes a list of them'


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """Which column of the data feeds each feature, in the model's order; `extra` columns are not used.

    `by_position` says that one of the two has no names of its own and the columns were taken as they stand, `misplaced`
    is the place of the first column that is called as the model's column of another place.
    """

    columns: tuple[str, ...]
    extra: tuple[str, ...] = ()
    by_position: bool = False
    misplaced: int | None = None


def match(columns: Sequence[str], spec: ModelSpec, *, named: bool = True, order: Sequence[str] = ()) -> ColumnMatch:
    """Find each feature's column: by its name, or by its place where its name is invented or the data is not `named`.

    `order` are the names that another model gives to the same columns, which then say where those of a model without
    names are. Raises `DataError` naming the first columns that are missing, and what resembles them.
    """
    common = {f.name for f in spec.features if not f.invented} & set(columns) if named else set()
    missing = [feature for feature in spec.features if feature.name not in common]
    rest = [name for name in columns if name not in common]
    if not missing:
        return ColumnMatch(spec.feature_names, tuple(rest))
    spelt = _with_blanks(missing, rest) if named else {}
    if len(spelt) == len(missing):
        matched = tuple(spelt.get(name, name) for name in spec.feature_names)
        return ColumnMatch(matched, _leave_out(rest, matched))
    if named and len(columns) > 1 and not order and _reads_one_text(spec) and spec.features[0].name not in columns:
        return _match_text(columns)
    names = [feature.name for feature in missing]
    if named and not all(feature.invented for feature in missing):
        if common or len(names) != len(columns) or not _look_generated(names):
            raise DataError(_missing(names, columns, spec.feature_names), _resembles(names, columns))
    elif named and not common and len(order) == len(spec.features) and set(order) <= set(columns):
        rest = list(order)
    column_match = _match_by_place(columns, spec, common, _columns_in_place(rest, names, named=named))
    return column_match if named else replace(column_match, misplaced=None)


def _with_blanks(missing: Sequence[Feature], columns: Sequence[str]) -> dict[str, str]:
    """The columns with blanks in their names by those of the features: LightGBM writes `mean radius` as `mean_radius`.

    Empty where two columns would become one name.
    """
    underscored = {name.replace(" ", "_"): name for name in columns}
    names = [feature.name for feature in missing if not feature.invented and feature.name in underscored]
    return {name: underscored[name] for name in names} if len(underscored) == len(columns) else {}


def _match_by_place(
    columns: Sequence[str], spec: ModelSpec, common: Collection[str], in_place: Sequence[str]
) -> ColumnMatch:
    following = iter(in_place)
    matched = tuple(name if name in common else next(following) for name in spec.feature_names)
    return ColumnMatch(
        matched,
        _leave_out(columns, matched),
        by_position=matched != spec.feature_names,
        misplaced=first_misplaced(spec.feature_names, matched),
    )


def _leave_out(names: Sequence[str], others: Collection[str]) -> tuple[str, ...]:
    excluded = frozenset(others)
    return tuple(name for name in names if name not in excluded)


def _columns_in_place(columns: Sequence[str], names: Sequence[str], *, named: bool) -> Sequence[str]:
    """The columns that stand where features of these names are due; others may stand between those so called."""
    if len(columns) == len(names):
        return columns
    own_names = frozenset(names)
    if named and [name for name in columns if name in own_names] == list(names):
        return names
    counts = f"it takes {len(names)}, and the data has {len(columns)}"
    if not named:
        counts = f"it has {len(columns)}, and the model takes {len(names)}"
    raise DataError(
        f"the {'model' if named else 'data'} does not name its columns: {counts}",
        "give the columns of the training alone, in its order",
    )


def first_misplaced(names: Sequence[str], columns: Sequence[str]) -> int | None:
    """The first place whose column is called as `names` calls another one; None where no name says otherwise."""
    own_names = frozenset(names)
    pairs = enumerate(zip(names, columns, strict=True))
    return next((place for place, (name, column) in pairs if column != name and column in own_names), None)


def _reads_one_text(spec: ModelSpec) -> bool:
    """Whether the model takes a single text, for which it has no name."""
    return [(feature.kind, feature.invented) for feature in spec.features] == [("string", True)]


def _match_text(columns: Sequence[str]) -> ColumnMatch:
    """The column for a model of one text without a name: the one called `text`."""
    if TEXT not in columns:
        raise DataError(
            f"the model reads one text, and none of the {len(columns)} columns is called {TEXT!r}",
            f"call the column of text {TEXT!r}, or leave out the others",
        )
    return ColumnMatch((TEXT,), tuple(name for name in columns if name != TEXT), by_position=True)


def text_columns(column_match: ColumnMatch, spec: ModelSpec) -> dict[str, frozenset[str]]:
    """The columns of data that a model takes for categories' names, each with the names that it keeps."""
    pairs = zip(spec.features, column_match.columns, strict=True)
    return {
        name: frozenset(map(str, feature.categories))
        for feature, name in pairs
        if feature.kind == "category" and (feature.hashed or _holds_text(feature))
    }


def conform(table: Table, spec: ModelSpec) -> Table:
    """The model's features as columns, in its order, under its names; other columns are left out (`match` tells which).

    Numbers stay in their dtype. Raises `DataError` when a column is missing, or holds text where a number is due.
    """
    column_match = match(table.names, spec, named=table.named)
    pairs = zip(spec.features, column_match.columns, strict=True)
    return Table({feature.name: _fit(table.columns[name], name, feature) for feature, name in pairs})


def _look_generated(names: Sequence[str]) -> bool:
    """Whether these look like names that a library made up (f0, f1, … or Column_0, Column_1, …), not the user's."""
    return all(_GENERATED.fullmatch(name) for name in names)


def _fit(column: Column, name: str, feature: Feature) -> Column:
    if feature.unread and column.dtype == object:
        return np.full(len(column), np.nan)
    if feature.kind == "category" and not feature.categories and _mixes_text(column):
        return _objects(None if value is ABSENT else value for value in column.tolist())
    column = as_one_kind(column, name)
    textual = feature.kind == "string" or (feature.kind == "category" and _holds_text(feature))
    if column.dtype == object and not textual and feature.kind != "category":
        return _no_text(column, name)
    if column.dtype != object and textual:
        return _as_text(column, name, feature)
    return column


def _mixes_text(column: Column) -> bool:
    """Whether it holds texts beside numbers, as a category may that the model keeps as hashes of texts."""
    kinds = set(map(type, column.tolist())) - {type(None), Absent} if column.dtype == object else set()
    return str in kinds and kinds != {str} and kinds <= {str, int, float, bool}


def as_one_kind(column: Column, name: str) -> Column:
    """The values of JSON records as numbers, NaN for none, or as text, None for none. Raises `DataError` for others."""
    if column.dtype != object:
        return column
    values = column.tolist()
    kinds = set(map(type, values)) - {type(None), Absent}
    if kinds <= {str}:
        return column if ABSENT not in values else _objects(None if value is ABSENT else value for value in values)
    if kinds <= {int, float, bool}:
        return _as_floats(values, name)
    if kinds & {dict, list}:
        what = "lists" if list in kinds else "objects"
        raise DataError(f"column {name!r} holds {what} where the model takes a value", _RECORDS)
    raise DataError(f"column {name!r} holds text in some rows and numbers in others")


def _as_floats(values: list[Any], name: str) -> Column:
    try:
        return np.array([np.nan if value is None or value is ABSENT else float(value) for value in values])
    except OverflowError:
        raise DataError(f"column {name!r} holds a number beyond the range of a double") from None


def _objects(values: Iterable[Any]) -> Column:
    return np.array(list(values), dtype=object)


def _holds_text(feature: Feature) -> bool:
    return bool(feature.categories) and all(isinstance(value, str) for value in feature.categories)


def _no_text(column: Column, name: str) -> Column:
    """A text column where numbers are due: fine only when it is all missing."""
    texts = [str(value) for value in column.tolist() if value is not None]
    if not texts:
        return np.full(len(column), np.nan)
    example = next((text for text in texts if not is_number(text)), texts[0])
    raise DataError(f"column {name!r} holds text ({example[:40]!r}) where the model takes a number")


def _as_text(column: Column, name: str, feature: Feature) -> Column:
    """A column without any value, or of whole numbers that the model knows as text (as csv reads the text `1`)."""
    if column.dtype.kind == "f" and np.isnan(column).all():
        return np.full(len(column), None, dtype=object)
    text = np.array([str(value) for value in column.tolist()], dtype=object)
    if column.dtype.kind == "i" and set(text.tolist()) & {str(value) for value in feature.categories}:
        return text
    raise DataError(f"column {name!r} holds numbers where the model takes text")


def _missing(missing: Sequence[str], columns: Sequence[str], features: Sequence[str]) -> str:
    first = ", ".join(repr(name) for name in missing[:_MOST_NAMES])
    rest = f" and {len(missing) - _MOST_NAMES} more" if len(missing) > _MOST_NAMES else ""
    return f"the data lacks {first}{rest} (the model has {len(features)} features, the data {len(columns)} columns)"


def _resembles(missing: Sequence[str], columns: Sequence[str]) -> str:
    lowered = {name.lower(): name for name in columns}
    pairs = []
    for name in missing[:_MOST_NAMES]:
        close = get_close_matches(name.lower(), lowered, 1)
        pairs += [f"{name!r} is close to {lowered[close[0]]!r}"] if close else []
    return "; ".join(pairs) or f"the data has {', '.join(repr(name) for name in columns[:_MOST_NAMES])}…"
