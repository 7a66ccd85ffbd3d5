"""Rows of narrower dtypes than double, such as float32 or int8, in which a pipeline may compute itself.

A converted file computes in double, and is compared with the original fed the same values in double. What the original
answers when it is fed float32 is another question: rounding, or where trees follow a step that mixes columns, another
leaf. Of columns of int8 numpy's functions round more (`log1p` to float16) or wrap around (`square`, `negative`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from infer_bench.measure.convert.compare import TOLERANCES
from infer_bench.measure.convert.round_trip import TablePredictor
from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.typing import Columns

_READ_AS = {"f": "float32", "i": "int64", "u": "int64"}
"""What numbers of narrower dtypes are read as, where none is missing."""


@dataclass(frozen=True, slots=True)
class OwnDtypes:
    """How far the original fed narrower dtypes is from itself fed double: a `note`, or a `failure` beyond rounding."""

    note: str = ""
    failure: str | None = None


def as_stored(columns: Columns, dtypes: Mapping[str, str]) -> Columns | None:
    """The rows as the file stores them, `dtypes` being those of its narrower columns; None where all are of 64 bits."""
    narrow = {
        name: columns[name].astype(dtype)
        for name, dtype in dtypes.items()
        if columns[name].dtype == _READ_AS[dtype.lstrip("u")[0]]
    }
    rows = {**columns, **narrow}
    return rows if narrow or _narrow_dtypes(rows) else None


def _narrow_dtypes(columns: Columns) -> list[str]:
    dtypes = {column.dtype for column in columns.values()}
    return sorted(str(dtype) for dtype in dtypes if dtype.kind in "fiu" and dtype.itemsize < 8)


def compare_own_dtypes(original: TablePredictor, rows: Columns | None, double: Predictions | None) -> OwnDtypes:
    """Compare the original's answers to `rows` as they are stored with those to the same values in 64 bits."""
    if rows is None or double is None:
        return OwnDtypes()
    limits = Limits(TOLERANCES["float32"], TOLERANCES["float32"], worst=0)
    comparison = compare(double, original.predict(rows), limits)
    delta, dtypes = f"max |Δ| {comparison.max_abs:.1e}", ", ".join(_narrow_dtypes(rows))
    if comparison.failing or comparison.label_changes:
        return OwnDtypes(
            failure=f"fed {dtypes} as the rows are, the original itself answers otherwise than fed the same values as "
            f"float64: {delta} (of {comparison.rows:,} rows). Give the rows as float64, and serve them so"
        )
    if comparison.max_abs == 0:
        return OwnDtypes()
    return OwnDtypes(f"on {dtypes} rows the original itself rounds ({delta}); the file answers as it does in double")
