"""What a user's function returns: whether it is plain data, and, of a request of arrays, as named arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError
from infer_bench.typing import Array

_PLAIN = ("builtins", "numpy", "pandas", "datetime", "decimal")
"""Modules of values that are there when they are returned."""


def holds_plain_data(value: Any) -> bool:
    """Whether a value is data as it stands, and nothing of a library that may compute it when it is read."""
    if isinstance(value, Mapping):
        return all(map(holds_plain_data, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(holds_plain_data, value))
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return all(map(holds_plain_data, value.ravel()))
    fields = getattr(type(value), "__dataclass_fields__", None) or getattr(type(value), "model_fields", None)
    if fields:
        return all(holds_plain_data(getattr(value, name, None)) for name in fields)
    return type(value).__module__.partition(".")[0] in _PLAIN


def name_arrays(value: Any) -> dict[str, Array]:
    """The arrays of a mapping by name, those of a list as `output0`, `output1`, …, and a single one as `output`.

    Raises `EngineError` for what is no array of numbers or of text.
    """
    named = value if isinstance(value, Mapping) else _number_outputs(value)
    return {str(name): _as_array(part, str(name)) for name, part in named.items()}


def _number_outputs(value: Any) -> dict[str, Any]:
    """A tuple or list of arrays as outputs of its own, anything else as one."""
    if isinstance(value, list | tuple) and value and all(hasattr(part, "__array__") for part in value):
        return {f"output{i}": part for i, part in enumerate(value)}
    return {"output": value}


def _as_array(value: Any, name: str) -> Array:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:  # a tensor that needs gradients, or lies on a GPU
        raise EngineError(f"the output {name!r} is no array: {first_line(error)}") from None
    if array.dtype.kind in "US":
        return array.astype(str).astype(object)
    if array.dtype.kind not in "fiubO" or (array.dtype.kind == "O" and not _holds_text(array)):
        raise EngineError(f"the output {name!r} is no array: it is a {type(value).__name__}")
    return array


def _holds_text(array: Array) -> bool:
    return all(isinstance(value, str) for value in array.ravel().tolist())
