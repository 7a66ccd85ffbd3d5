"""A tensor in a file of its own, as ONNX's test data has them: `input_0.pb`, straight from the wire format."""

import math
from typing import Any

import numpy as np

from infer_bench.formats.protobuf import Message, integers, messages, text
from infer_bench.typing import Array

_DIMS, _DATA_TYPE, _FLOATS, _INT32S, _STRINGS, _INT64S, _NAME, _RAW = 1, 2, 4, 5, 6, 7, 8, 9
_DOUBLES, _UINT64S, _EXTERNAL = 10, 11, 13
_STRING = 8
_CODES = ("", "<f4", "u1", "i1", "<u2", "<i2", "<i4", "<i8", "", "?", "<f2", "<f8", "<u4", "<u8")
"""NumPy's dtypes by the number that ONNX's `TensorProto.DataType` gives them."""


def read_tensor(data: Any) -> tuple[str, Array]:
    """The name, which may be empty, and the array. Raises `ValueError` for bytes that are no tensor of NumPy's."""
    message = memoryview(data)
    kind = next(iter(integers(message, _DATA_TYPE)), 0)
    if any(True for _ in messages(message, _EXTERNAL)):
        raise ValueError("its values lie in another file")
    if kind != _STRING and not (0 <= kind < len(_CODES) and _CODES[kind]):
        raise ValueError(f"its type, number {kind}, is none of NumPy's" if kind else "it is no tensor")
    shape = tuple(integers(message, _DIMS))
    values = _read_texts(message) if kind == _STRING else _read_numbers(message, kind)
    if any(size < 0 for size in shape) or values.size != math.prod(shape):
        raise ValueError(f"it holds {values.size} values, and its shape is {shape}")
    return next(map(text, messages(message, _NAME)), ""), values.reshape(shape)


def _read_texts(message: Message) -> Array:
    texts = [text(value) for value in messages(message, _STRINGS)]
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def _read_numbers(message: Message, kind: int) -> Array:
    """From raw bytes, or from the field that the type has; types smaller than 32 bits are stored one in each."""
    code = _CODES[kind]
    number = {1: _FLOATS, 11: _DOUBLES}.get(kind)
    raw = b"".join(messages(message, _RAW)) or (b"".join(messages(message, number)) if number else b"")
    if raw:
        return np.frombuffer(raw, dtype=code).astype(np.dtype(code).newbyteorder("="))
    numbers = np.array(integers(message, _INT32S, _INT64S, _UINT64S), dtype=np.int64)
    if kind == 10:
        return numbers.astype(np.uint16).view(np.float16)
    return numbers.view(np.uint64) if kind == 13 else numbers.astype(np.dtype(code).newbyteorder("="))
