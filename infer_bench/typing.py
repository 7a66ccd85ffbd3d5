"""The arrays that the package hands around, by name. `Array` may hold any dtype, `object` included."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Samples = npt.NDArray[np.int64]
"""Times in nanoseconds, in the order in which they were measured."""
Indices = npt.NDArray[np.intp]
"""Row numbers, or places in another array."""
Columns = Mapping[str, Array]
"""A table by column: arrays (rows,) of one length."""


class TensorRequest(dict[str, Array]):
    """A network's request: named arrays, each of its input's whole shape. A table of rows has 1-D columns instead."""


class Absent:
    """What stands in a column for the row of a record that lacks its key."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
