"""Where a model tells apart what its ONNX file cannot: an empty text, None and NaN are all the empty string there."""

from typing import Any

import numpy as np

from infer_bench.converters.sklearn.probes import Probes, Table
from infer_bench.engines.sklearn.estimator import METHODS
from infer_bench.typing import Array


def note_empty_texts(estimator: Any, probes: Probes) -> tuple[str, ...]:
    """A note that names the columns in which the file answers another value as the model answers a missing one."""
    columns = sorted(probes.text - probes.points.raw_texts)
    if not columns:
        return ()
    table, markers = probes.draw_ordinary(len(columns)), probes.points.markers
    kinds = (
        [markers.get(column) for column in columns],
        [_other_marker(markers[column]) if column in markers else None for column in columns],
        [""] * len(columns),
    )
    known, other, empty = (_predict_rows(estimator, _fill(table, probes.names, columns, values)) for values in kinds)
    apart = [column for column, *answers in zip(columns, known, other, empty, strict=True) if len(set(answers)) > 1]
    if not apart:
        return ()
    what = "an empty text for a missing one" if known == other else "an empty text, None and NaN for one another"
    names = ", ".join(repr(probes.names[column]) for column in apart[:3])
    names += f" and {len(apart) - 3} more" if len(apart) > 3 else ""
    return (f"the file takes {what}, and the model tells them apart: {names}",)


def _other_marker(marker: Any) -> float | None:
    return np.nan if marker is None else None


def _fill(table: Table, names: tuple[str, ...], columns: list[int], values: list[Any]) -> Table:
    """The table with each of the values in its own row of its own column."""
    filled = {name: column.copy() for name, column in table.items()}
    for row, (column, value) in enumerate(zip(columns, values, strict=True)):
        filled[names[column]][row] = value
    return filled


def _predict_rows(estimator: Any, table: Table) -> list[str]:
    """What the model says to each row, in words; an empty word for a row that it refuses."""
    rows = len(next(iter(table.values())))
    try:
        return [repr(answer) for answer in _predict(estimator, table).tolist()]
    except Exception:  # noqa: BLE001 - whatever a step raises on a value that it does not know
        if rows == 1:
            return [""]
    singles = ({name: column[i : i + 1] for name, column in table.items()} for i in range(rows))
    return [answer for single in singles for answer in _predict_rows(estimator, single)]


def _predict(estimator: Any, table: Table) -> Array:
    import pandas as pd

    frame = pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in table.items()})
    named = hasattr(estimator, "feature_names_in_")
    method = next(getattr(estimator, name) for name in METHODS if hasattr(estimator, name))
    out = method(frame if named else frame.to_numpy(dtype=object))
    return np.asarray(out.toarray() if hasattr(out, "toarray") else out)
