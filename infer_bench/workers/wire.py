"""How messages cross a connection: a header of JSON, then raw buffers of numbers. Nothing is ever unpickled."""

import json
from dataclasses import dataclass
from multiprocessing import BufferTooShort
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from infer_bench.typing import Array

NUMERIC = frozenset("biuf")
"""The kinds of dtype whose arrays cross as they lie in memory."""
PIECE = 8 << 20
"""So many bytes of an array cross at a time: a connection holds each message whole beside the array."""
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
    """Write one message."""
    shapes = [(array.dtype.str, array.shape) for array in frame.arrays]
    header = {"kind": frame.kind, "number": frame.number, "body": frame.body, "arrays": shapes}
    connection.send_bytes(json.dumps(header).encode())
    for array in frame.arrays:
        memory = _memory(np.ascontiguousarray(array))
        for start in range(0, max(1, len(memory)), PIECE):
            connection.send_bytes(memory[start : start + PIECE])


def receive(connection: Connection) -> Frame:
    """Read one message. Raises EOFError when the other side is gone, ValueError when it speaks nonsense."""
    try:
        header = json.loads(connection.recv_bytes())
    except RecursionError:
        raise ValueError("its header is nested too deeply") from None
    if not isinstance(header, dict) or set(header) != _KEYS:
        raise ValueError("its header is none")
    kind, number, shapes = header["kind"], header["number"], header["arrays"]
    if type(kind) is not str or type(number) is not int or not isinstance(shapes, list):
        raise ValueError("its header is none")
    return Frame(kind, number, header["body"], tuple(_array(connection, *_layout(shape)) for shape in shapes))


def _layout(header: Any) -> "tuple[np.dtype[Any], tuple[int, ...]]":
    """The dtype and the shape of an array that is to follow."""
    dtype, shape = header
    sizes = tuple(shape)
    if type(dtype) is not str or any(type(size) is not int or not 0 <= size < 2**48 for size in sizes):
        raise ValueError("an array without dtype and shape")
    if np.dtype(dtype).kind not in NUMERIC:
        raise ValueError(f"an array of dtype {np.dtype(dtype)} may not cross")
    return np.dtype(dtype), sizes


def _array(connection: Connection, dtype: "np.dtype[Any]", shape: tuple[int, ...]) -> Array:
    try:
        array = np.empty(shape, dtype=dtype)
    except MemoryError:
        raise ValueError(f"an array of shape {shape} does not fit into memory") from None
    memory = _memory(array)
    for start in range(0, max(1, len(memory)), PIECE):
        if _receive_piece(connection, memory[start : start + PIECE]) != min(PIECE, len(memory) - start):
            raise ValueError(f"an array of shape {shape} came with another size")
    return array


def _receive_piece(connection: Connection, memory: memoryview) -> int:
    """How many bytes came; -1 for more than there is room for."""
    try:
        return connection.recv_bytes_into(memory) if memory else len(connection.recv_bytes())
    except BufferTooShort:
        return -1


def _memory(array: Array) -> memoryview:
    """The array's own memory: large batches are not copied to be sent."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
