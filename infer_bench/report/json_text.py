"""JSON that a person can read and a program can load: objects are indented, rows of samples stay on one line."""

import math
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

LINE = 100
"""An array or object of scalars is kept on one line when it is no longer than this; an array of numbers always is."""

_LARGEST = 1.7976931348623157e308
_FLAT = (type(None), bool, int, float, str)


def encode(value: object) -> bytes:
    """`value` (dataclasses, mappings, sequences, scalars) as UTF-8 JSON that ends in a newline.

    The same value always gives the same bytes: a dataclass's keys stand in the order of its fields, a mapping's in its
    own. JSON knows no NaN and no infinity: NaN becomes null, an infinity the largest double. A lone surrogate (an
    undecodable file name) is written as its escape. Anything else that JSON does not know is written as its `str`.
    """
    return "".join(_write(_simplify(value), "\n")).encode() + b"\n"


def _simplify(value: object) -> Any:
    """`value` built of dict, list, str, int, float, bool and None only."""
    if isinstance(value, (list, tuple)) and set(map(type, value)) == {int}:
        return value  # raw samples: millions of them
    if hasattr(value, "tolist"):  # of numpy, an array or a scalar
        return _simplify(value.tolist())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _simplify(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_make_text(key): _simplify(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return [_simplify(item) for item in sorted(value, key=str)]
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_simplify(item) for item in value]
    return _simplify_scalar(value)


def _simplify_scalar(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return None if math.isnan(value) else max(-_LARGEST, min(_LARGEST, float(value)))
    return _make_text(value)


def _make_text(value: object) -> str:
    return str(value).encode("utf-8", "backslashreplace").decode()


def _write(value: Any, newline: str) -> Iterator[str]:
    """Pieces of JSON; `newline` is a line feed and the present indentation."""
    if isinstance(value, (list, tuple)) and set(map(type, value)) <= {int, float}:
        yield msgspec.json.encode(value).decode()
        return
    if isinstance(value, _FLAT) or not value or _fits(value):
        yield _write_one_line(value)
        return
    inner = newline + "  "
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield opening
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for place, (key, item) in enumerate(items):
        yield ("," if place else "") + inner + ("" if key is None else f"{_write_one_line(key)}: ")
        yield from _write(item, inner)
    yield newline + closing


def _fits(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value
    return all(isinstance(item, _FLAT) or not item for item in items) and len(_write_one_line(value)) <= LINE


def _write_one_line(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_write_one_line(key)}: {_write_one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_write_one_line, value)) + "]"
    return msgspec.json.encode(value).decode()
