"""NumPy's dtypes as pickles describe them: they are believed by C code, so they are checked to hold together."""

import math
from typing import Any

from infer_bench.formats.pickles.values import Instance

NAME = "numpy.dtype"
_HAS_OBJECTS = 0x01


def is_dtype(value: Any) -> bool:
    """Whether this stands for a dtype."""
    return isinstance(value, Instance) and value.name == NAME


def code(dtype: Any) -> str:
    """The type code, as in `f8` or `V64`. Raises `ValueError` when this is no plain dtype."""
    if not is_dtype(dtype) or not dtype.args or not isinstance(dtype.args[0], str):
        raise ValueError("a dtype without a plain type code")
    return str(dtype.args[0])


def itemsize(dtype: Any) -> int:
    """Bytes an element takes."""
    import numpy as np

    return np.dtype(code(dtype)).itemsize


def holds_objects(dtype: Any) -> bool:
    """Whether the elements are Python objects; an array of them is a nested pickle in joblib's files."""
    return code(dtype).lstrip("<>|=") in ("O", "O4", "O8")


def sound(dtype: Instance) -> bool:
    """Whether the states of a dtype describe what its code says, with every field inside of the element."""
    try:
        return len(dtype.states) == 1 and _sound(dtype, dtype.states[0])
    except (ValueError, TypeError, IndexError, KeyError):
        return False


def _sound(dtype: Instance, state: Any) -> bool:
    size = itemsize(dtype)
    _, order, subarray, names, fields, elsize, _, flags = state[:8]
    if order not in ("<", ">", "|", "=") or elsize not in (-1, size):
        return False
    if bool(flags & _HAS_OBJECTS) != holds_objects(dtype):
        return False
    if subarray is not None and not _sound_subarray(subarray, size):
        return False
    if names is None and fields is None:
        return True
    return code(dtype).startswith("V") and set(names) <= set(fields) and all(_inside(f, size) for f in fields.values())


def _sound_subarray(subarray: Any, size: int) -> bool:
    base, shape = subarray
    lengths = shape if isinstance(shape, tuple) else (shape,)
    return not holds_objects(base) and itemsize(base) * math.prod(lengths) == size and min(lengths, default=1) >= 0


def _inside(field: Any, size: int) -> bool:
    base, offset = field[0], field[1]
    return not holds_objects(base) and 0 <= offset <= size - itemsize(base)
