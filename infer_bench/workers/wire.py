"""How messages cross a connection: a header of JSON, then raw buffers of numbers. Nothing is ever unpickled."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.typing import Array
from infer_bench.workers.connection import Connection

NUMERIC = frozenset("biuf")
"""The kinds of dtype whose arrays cross as they lie in memory."""
_KEYS = {"kind", "number", "body", "arrays"}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: its kind, the `number` that a request and its response share, JSON, and arrays that the JSON names
    by their places.
    """

    kind: str
    number: int
    body: Any = None
    arrays: tuple[Array, ...] = ()


def send(connection: Connection, frame: Frame) -> None:
    """Write one frame: its header, then all arrays at once, from where they lie."""
    shapes = [(array.dtype.str, array.shape) for array in frame.arrays]
    header = {"kind": frame.kind, "number": frame.number, "body": frame.body, "arrays": shapes}
    connection.send([memoryview(json.dumps(header).encode())])
    if frame.arrays:
        connection.send([_memory(np.ascontiguousarray(array)) for array in frame.arrays])


def receive(connection: Connection) -> Frame:
    """Read one frame. Raises EOFError when the other side is gone, ValueError when it speaks nonsense."""
    try:
        header = json.loads(connection.receive())
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None
    except (MemoryError, OverflowError):
        raise ValueError("its header does not fit into memory") from None
    if not isinstance(header, dict) or set(header) != _KEYS:
        raise ValueError("its header is none")
    kind, number, shapes = header["kind"], header["number"], header["arrays"]
    if type(kind) is not str or type(number) is not int or not isinstance(shapes, list):
        raise ValueError("its header is none")
    arrays = tuple(_allocate(*_layout(shape)) for shape in shapes)
    if arrays and not connection.receive_into([_memory(array) for array in arrays]):
        raise ValueError("its arrays came with another size")
    return Frame(kind, number, header["body"], arrays)


def _layout(header: Any) -> "tuple[np.dtype[Any], tuple[int, ...]]":
    """The dtype and the shape of an array that is to follow."""
    dtype, shape = header
    sizes = tuple(shape)
    if type(dtype) is not str or any(type(size) is not int or not 0 <= size < 2**48 for size in sizes):
        raise ValueError("an array without dtype and shape")
    if np.dtype(dtype).kind not in NUMERIC:
        raise ValueError(f"an array of dtype {np.dtype(dtype)} may not cross")
    return np.dtype(dtype), sizes


def _allocate(dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> Array:
    try:
        return np.empty(shape, dtype=dtype)
    except MemoryError:
        raise ValueError(f"an array of shape {shape} does not fit into memory") from None


def _memory(array: Array) -> memoryview:
    """The array's own memory: large batches are not copied to be sent."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
