"""Protocol-buffer messages read without their schema: enough of an ONNX file to know it and to find its outside data.

Field numbers are those of ONNX's public `onnx.proto`.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infer_bench.errors import ModelError

Bytes = memoryview
IR_VERSION, GRAPH, OPSETS = 1, 7, 8
_DEEPEST = 64


def varint(data: Bytes, at: int) -> tuple[int, int]:
    """A base-128 number and the place behind it. Raises `ValueError` when it is cut off or too long."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("it is cut off")


def fields(data: Bytes) -> Iterator[tuple[int, int, Bytes | int]]:
    """Each field's number, wire type and value. Raises `ValueError` where the message is cut off or malformed."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number == 0 or wire not in (0, 1, 2, 5):
            raise ValueError(f"a malformed field at byte {at}")
        if wire == 0:
            value, at = varint(data, at)
            yield number, wire, value
            continue
        size = {1: 8, 5: 4}.get(wire, 0)
        if wire == 2:
            size, at = varint(data, at)
        if at + size > len(data):
            raise ValueError(f"it is truncated: field {number} needs {size} bytes and {len(data) - at} are left")
        yield number, wire, data[at : at + size]
        at += size


def looks_like_onnx(file: Path) -> bool:
    """Whether the top level reads as an ONNX ModelProto, even when its end is cut off.

    Raises `ModelError` for what begins as one and holds no graph.
    """
    seen: set[int] = set()
    with _mapped(file) as data:
        try:
            for number, wire, value in fields(data):
                if not _plausible(number, wire, value):
                    return False
                seen.add(number)
        except ValueError:
            return IR_VERSION in seen and _producer_or_more(seen)
    return IR_VERSION in seen and bool(seen & {GRAPH, OPSETS})


def _producer_or_more(seen: set[int]) -> bool:
    return bool(seen & {2, 3, 4, 5, GRAPH, OPSETS}) or seen == {IR_VERSION}


def _plausible(number: int, wire: int, value: Bytes | int) -> bool:
    if number == IR_VERSION:
        return wire == 0 and isinstance(value, int) and 1 <= value <= 1000
    if number in (2, 3, 4, 6, GRAPH, OPSETS, 14, 20, 25, 26):
        return wire == 2
    return number == 5 and wire == 0


@contextmanager
def _mapped(file: Path) -> Iterator[Bytes]:
    """The file's bytes as a read-only view."""
    with file.open("rb") as stream:
        yield memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def check_onnx(file: Path) -> None:
    """Raises `ModelError` when the file is truncated, has no graph, or refers to data outside of its folder."""
    with _mapped(file) as data:
        try:
            top = list(fields(data))
            graphs = [value for number, _, value in top if number == GRAPH and isinstance(value, memoryview)]
            if not graphs:
                raise ModelError(f"{file.name} is an ONNX file without a graph")
            locations = {place for number, _, value in top for place in _locations(number, value)}
        except ValueError as error:
            raise ModelError(f"{file.name} is a broken ONNX file: {error}") from None
    for location in sorted(locations):
        _check_location(file, location)


def _locations(number: int, value: Bytes | int) -> Iterator[str]:
    if isinstance(value, memoryview):
        if number == GRAPH:
            yield from _graph(value, 0)
        elif number == 25:
            yield from (place for n, _, v in fields(value) if n == 7 for place in _node(v, 0))


def _graph(data: Bytes, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ValueError("its graphs are nested too deeply")
    for number, _, value in fields(data):
        if number == 1:
            yield from _node(value, depth)
        elif number == 5:
            yield from _tensor(value)
        elif number == 15 and isinstance(value, memoryview):
            yield from (place for n, _, v in fields(value) if n in (1, 2) for place in _tensor(v))


def _node(data: Bytes | int, depth: int) -> Iterator[str]:
    if isinstance(data, memoryview):
        for number, _, value in fields(data):
            if number == 5 and isinstance(value, memoryview):
                yield from _attribute(value, depth)


def _attribute(data: Bytes, depth: int) -> Iterator[str]:
    for number, _, value in fields(data):
        if number in (6, 11) and isinstance(value, memoryview):
            yield from _graph(value, depth + 1)
        elif number in (5, 10):
            yield from _tensor(value)


def _tensor(data: Bytes | int) -> Iterator[str]:
    """The `location` of data that lies outside of the file (field 13: pairs of key and value)."""
    if isinstance(data, memoryview):
        for number, _, value in fields(data):
            if number == 13 and isinstance(value, memoryview):
                pair = {
                    n: bytes(v).decode("utf-8", "replace") for n, _, v in fields(value) if isinstance(v, memoryview)
                }
                if pair.get(1) == "location":
                    yield pair.get(2, "")


def _check_location(file: Path, location: str) -> None:
    folder = os.path.realpath(file.parent)
    target = os.path.realpath(os.path.join(folder, location))
    if os.path.isabs(location) or "\0" in location or os.path.commonpath([folder, target]) != folder:
        raise ModelError(f"{file.name} refers to data outside of its folder: {location!r}")
    if not os.path.isfile(target):
        raise ModelError(f"{file.name} keeps its weights in {location!r}, which is not beside it")
