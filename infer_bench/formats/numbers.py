"""Numbers as text, many at a time: between commas, as JSON has them."""

import re
import warnings
from typing import Any

import numpy as np

from infer_bench.typing import Array, Floats, Ints

_ENDS = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)


def parse_integer(text: str | bytes) -> int:
    """One whole number in plain digits; raises `ValueError` for the rest of what `int` takes."""
    digits = text.decode("latin-1") if isinstance(text, bytes) else text
    if re.fullmatch(r"-?[0-9]{1,19}", digits.strip(" ")) is None:
        raise ValueError(f"{digits[:40]!r} stands where a whole number is due")
    return int(digits)


def parse_floats(text: bytes) -> Floats:
    """The numbers between the commas of `text`, each the double nearest to it.

    Raises `ValueError` where something else stands among them.
    """
    values = _parse(text, list[float], np.float64)
    if values is None:
        raise ValueError("holds what is no number")
    return values


def parse_integers(text: bytes) -> Ints:
    """As `parse_floats`, for whole numbers of 64 bits."""
    digits = text[::2]
    if digits.isdigit() and len(text) % 2 and text[1::2] == b"," * (len(digits) - 1):  # flags: of one digit each
        return np.frombuffer(digits, dtype=np.uint8).astype(np.int64) - ord("0")
    values = _parse(text, list[int], np.int64)
    if values is None:
        raise ValueError("holds other than whole numbers")
    return values


def _parse(text: bytes, kind: Any, dtype: Any) -> Array | None:
    if not text:
        return np.zeros(0, dtype)
    try:
        import msgspec
    except ImportError:  # a worker of another environment: slower, and the same bits
        return _parse_slowly(text, dtype)
    try:
        return np.array(msgspec.json.decode(b"[%b]" % text, type=kind), dtype)
    except (msgspec.MsgspecError, OverflowError):  # "inf" and "nan" are no JSON
        return _parse_slowly(text, dtype)


def _parse_slowly(text: bytes, dtype: Any) -> Array | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy's way to say that it stopped early
        try:
            values = np.fromstring(text, dtype=dtype, sep=",")
        except (ValueError, DeprecationWarning):
            return None
    if len(values) != text.count(b",") + 1:
        return None
    if dtype is np.int64 and np.isin(values, _ENDS).any():  # where NumPy stays when a number lies beyond
        return None if {int(piece) for piece in text.split(b",")} - set(values.tolist()) else values
    return values
