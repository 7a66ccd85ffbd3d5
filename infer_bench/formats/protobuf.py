"""Protocol-buffer messages without their schema: numbered fields, as the wire format's encoding guide has them."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from infer_bench.typing import Array, Ints

Message: TypeAlias = memoryview
_SIZES = {1: 8, 5: 4}
_VARINT, _BYTES = 0, 2
_LONGEST = 10


def fields(data: Message) -> Iterator[tuple[int, int, Message | int]]:
    """Each field's number, wire type and value: an integer, or the bytes of anything else.

    Raises `ValueError` where the message is cut off or malformed.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number == 0 or wire not in (_VARINT, _BYTES, *_SIZES):
            raise ValueError(f"a malformed field at byte {at}")
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        size = _SIZES.get(wire, 0)
        if wire == _BYTES:
            size, at = _varint(data, at)
        if at + size > len(data):
            raise ValueError(f"it is truncated: field {number} needs {size} bytes and {len(data) - at} are left")
        yield number, wire, data[at : at + size]
        at += size


def messages(data: Message, *numbers: int) -> Iterator[Message]:
    """The fields of these numbers that hold bytes: messages, text or packed numbers. Raises as `fields` does."""
    return (value for number, _, value in fields(data) if number in numbers and isinstance(value, memoryview))


def text(data: Message) -> str:
    """A field's bytes as text. Raises `ValueError` where they are no UTF-8."""
    return bytes(data).decode()


def integers(data: Message, *numbers: int) -> list[int]:
    """The signed integers in the fields of these numbers, packed or one a field. Raises as `fields` does."""
    values: list[int] = []
    for number, _, value in fields(data):
        if number in numbers:
            values += _unpack(value) if isinstance(value, memoryview) else [_signed(value)]
    return values


def encode_field(number: int, content: bytes) -> bytes:
    """A field on the wire that holds bytes: a message, text or packed numbers."""
    return _encode(number << 3 | _BYTES) + _encode(len(content)) + content


def encode_integers(values: Ints) -> bytes:
    """The integers packed, which takes a byte less for each than one a field, and which every reader knows."""
    numbers = values.astype(np.int64).view(np.uint64)
    octets: list[Array] = []
    chunks: list[Array] = []
    while not octets or numbers.any():
        chunks.append(numbers > 0 if octets else np.ones(len(numbers), dtype=np.bool_))
        remaining = numbers >> np.uint64(7)
        more = np.where(remaining > 0, np.uint64(0x80), np.uint64(0))
        octets.append((numbers & np.uint64(0x7F) | more).astype(np.uint8))
        numbers = remaining
    packed: bytes = np.stack(octets, axis=1)[np.stack(chunks, axis=1)].tobytes()
    return packed


def _encode(number: int) -> bytes:
    """A base-128 number."""
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def _varint(data: Message, at: int) -> tuple[int, int]:
    """A base-128 number and the place behind it."""
    value = shift = 0
    while at < len(data) and shift < 7 * _LONGEST:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("it is cut off")


def _unpack(data: Message) -> list[int]:
    """Base-128 numbers, one after the other."""
    octets = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    if len(octets) and (not len(ends) or ends[-1] != len(octets) - 1 or (ends - starts).max() >= _LONGEST):
        raise ValueError("its packed numbers are cut off")
    values = np.zeros(len(ends), dtype=np.uint64)
    for place in range(int((ends - starts).max(initial=-1)) + 1):
        wide = starts + place <= ends
        values[wide] |= (octets[starts[wide] + place] & 0x7F).astype(np.uint64) << np.uint64(7 * place)
    unpacked: list[int] = values.view(np.int64).tolist()
    return unpacked


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
