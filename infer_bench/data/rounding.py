"""Numbers as a narrower dtype holds them."""

import numpy as np

from infer_bench.typing import Array, Columns


def round_numbers(columns: Columns, dtype: str) -> dict[str, Array]:
    """The columns with their floats rounded to `dtype` and handed on in double, so that a library computes as ever.

    What is beyond the dtype's range becomes infinite.
    """
    with np.errstate(over="ignore"):
        return {
            name: column.astype(dtype).astype(np.float64) if column.dtype.kind == "f" else column
            for name, column in columns.items()
        }
