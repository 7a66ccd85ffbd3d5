"""Columns of numbers that a file stores in fewer bits than they are read in: `int8`, `float16`, not `float32`."""

from collections.abc import Mapping
from typing import Any

from infer_bench.typing import Array

_BYTES = {"f": 4, "i": 8, "u": 8}
"""What a number is read in, by its kind."""


def of_arrays(arrays: Mapping[str, Array]) -> dict[str, str]:
    """Those of columns of arrays, each with its dtype."""
    dtypes = {name: array.dtype for name, array in arrays.items()}
    return {name: dtype.name for name, dtype in dtypes.items() if dtype.itemsize < _BYTES.get(dtype.kind, 0)}


def of_schema(schema: Any) -> dict[str, str]:
    """Those of an arrow schema, each with the dtype that NumPy has for its type."""
    dtypes = {str(field.name): _name(field.type) for field in schema}
    return {name: dtype for name, dtype in dtypes.items() if dtype}


def _name(kind: Any) -> str:
    from pyarrow import types

    if types.is_float16(kind):
        return "float16"
    return str(kind) if types.is_integer(kind) and kind.bit_width < 64 else ""
