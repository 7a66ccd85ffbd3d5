"""Tensors and their datatypes. Shapes are (rows, …)."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from infer_bench.errors import DataError
from infer_bench.typing import Array

DTYPES: dict[str, str] = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
"""Those that NumPy has; little-endian, as the protocol writes them. `BYTES` holds text."""


def make_tensor(values: Sequence[Any], datatype: str, name: str) -> Array:
    """Values of rows, or lists of them, as an array of a datatype; None is NaN, of texts None.

    Raises `DataError` for what the datatype cannot hold.
    """
    if datatype == "BYTES":
        return _make_texts(_flatten(values)).reshape(np.shape(values))
    if datatype not in DTYPES:
        raise DataError(f"the input {name!r} has the datatype {datatype}, of which nothing is known here")
    dtype = np.dtype(DTYPES[datatype])
    try:
        wide = np.asarray([np.nan if value is None else value for value in _flatten(values)])
        with np.errstate(invalid="ignore", over="ignore"):
            tensor = wide.astype(dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"the input {name!r} takes {datatype}: {error}") from None
    if dtype.kind in "biu" and (wide.dtype.kind not in "biuf" or (tensor != wide).any()):
        kind = "truth values" if dtype.kind == "b" else "whole numbers"
        raise DataError(f"the input {name!r} takes {kind} ({datatype}), the rows hold others")
    return tensor.reshape(np.shape(values))


def _flatten(values: Sequence[Any]) -> list[Any]:
    return [item for value in values for item in (value if isinstance(value, list) else [value])]


def _make_texts(values: Sequence[Any]) -> Array:
    texts = np.empty(len(values), dtype=object)
    texts[:] = [_make_text(value) for value in values]
    return texts


def _make_text(value: Any) -> str | None:
    """A whole number stands without a fraction: files with missing values hold whole numbers as floats."""
    if value is None or value != value:
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def require_values(tensor: Array, name: str, *, binary: bool) -> None:
    """Raise `DataError` for what cannot be written: in bytes no text is missing, and JSON has no infinity."""
    if binary and tensor.dtype == object and any(text is None for text in tensor.ravel().tolist()):
        raise DataError(f"a text of the input {name!r} is missing, which bytes cannot carry", "see --protocol oip")
    if not binary and tensor.dtype.kind == "f" and np.isinf(tensor).any():
        message = f"a number of the input {name!r} is too large for {tensor.dtype}, and JSON carries no infinity"
        raise DataError(message, "leave such rows out, or see --protocol oip-binary")


def write_bytes(tensor: Array, datatype: str) -> bytes:
    """As the binary extension has it: the values in order, each text with its length before it."""
    if datatype != "BYTES":
        return tensor.tobytes()
    texts = [text.encode() for text in tensor.ravel().tolist()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def read_bytes(content: bytes, datatype: str, shape: Sequence[int]) -> Array:
    """A tensor as `write_bytes` writes it. Raises `ValueError` where the bytes do not fit the shape."""
    if datatype == "BYTES":
        return _as_texts(list(_split_texts(content)), shape)
    return np.frombuffer(content, dtype=_find_dtype(datatype)).reshape(tuple(shape))


def read_list(values: Sequence[Any], datatype: str, shape: Sequence[int]) -> Array:
    """A tensor of a list, flat or nested; null is NaN. Raises `ValueError` for values of another kind or number."""
    if datatype == "BYTES":
        return _as_texts(np.array(values, dtype=object).ravel().tolist(), shape)
    dtype = _find_dtype(datatype)
    with np.errstate(invalid="ignore", over="ignore"):
        wide = np.asarray(values, dtype=np.float64 if dtype.kind == "f" else None)
        tensor = wide.astype(dtype)
    if dtype.kind != "f" and wide.size and (wide.dtype.kind not in "biuf" or (tensor != wide).any()):
        raise ValueError(f"it holds others than {datatype}")
    return tensor.reshape(tuple(shape))


def _find_dtype(datatype: str) -> np.dtype[Any]:
    if datatype not in DTYPES:
        raise ValueError(f"an output has the datatype {datatype}")
    return np.dtype(DTYPES[datatype])


def _as_texts(texts: Sequence[Any], shape: Sequence[int]) -> Array:
    tensor = np.empty(len(texts), dtype=object)
    tensor[:] = texts
    return tensor.reshape(tuple(shape))


def _split_texts(content: bytes) -> Iterator[str]:
    """Each behind its length of four bytes; what is no UTF-8 keeps its bytes as escapes."""
    start = 0
    while start < len(content):
        end = start + 4 + int.from_bytes(content[start : start + 4], "little")
        if end > len(content):
            raise ValueError("a text is longer than the answer")
        yield content[start + 4 : end].decode(errors="backslashreplace")
        start = end
