"""Rows of float32, on which scikit-learn computes in float32 itself.

A converted file computes in double, and is compared with the original fed the same values in double. What the original
answers when it is fed float32 is another question: rounding, or where trees follow a step that mixes columns, another
leaf.
"""

from dataclasses import dataclass

from infer_bench.measure.convert.compare import TOLERANCES
from infer_bench.measure.convert.round_trip import TablePredictor
from infer_bench.stats.agreement.comparison import compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.typing import Columns


@dataclass(frozen=True, slots=True)
class OwnFloat32:
    """How far the original fed float32 is from itself fed double: a `note`, or a `failure` beyond rounding."""

    note: str = ""
    failure: str | None = None


def holds_float32(columns: Columns) -> bool:
    """Whether some column does."""
    return any(column.dtype == "float32" for column in columns.values())


def compare_own_float32(original: TablePredictor, rows: Columns | None, double: Predictions | None) -> OwnFloat32:
    """Compare the original's answers to float32 `rows` with those to the same values in double."""
    if rows is None or double is None:
        return OwnFloat32()
    limits = Limits(TOLERANCES["float32"], TOLERANCES["float32"], worst=0)
    comparison = compare(double, original.predict(rows), limits)
    delta = f"max |Δ| {comparison.max_abs:.1e}"
    if comparison.failing or comparison.label_changes:
        return OwnFloat32(
            failure=f"fed float32 as the rows are, the original itself answers otherwise than fed the same values as "
            f"float64: {delta} (of {comparison.rows:,} rows). Give the rows as float64, and serve them so"
        )
    if comparison.max_abs == 0:
        return OwnFloat32()
    return OwnFloat32(f"on float32 rows the original itself rounds ({delta}); the file answers as it does in double")
