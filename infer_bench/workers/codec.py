"""Dataclasses as JSON and arrays of numbers, and back by their types.

A worker has run a stranger's model, so what it sends is data: `unpack` builds what the types say or raises ValueError.
It knows dataclasses, tuples, mappings with text as keys, unions, literals, scalars and arrays; `Any` stands for JSON.
"""

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from infer_bench.typing import ABSENT, Array
from infer_bench.workers.wire import NUMERIC

T = TypeVar("T")
Reader = Callable[[Any, Sequence[Array]], Any]

_SCALARS = frozenset({bool, int, float, str, type(None)})


def pack(value: object) -> tuple[Any, tuple[Array, ...]]:
    """`value` as JSON and the arrays that it names. Raises ValueError for what may not cross."""
    arrays: list[Array] = []
    return _packed(value, arrays), tuple(arrays)


def _packed(value: Any, arrays: list[Array]) -> Any:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, np.ndarray):
        return _packed_array(value, arrays)
    if isinstance(value, np.generic):
        return _packed(value.item(), arrays)
    if is_dataclass(value):
        return {field.name: _packed(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _packed(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return list(value) if set(map(type, value)) <= _SCALARS else [_packed(item, arrays) for item in value]
    raise ValueError(f"a value of type {type(value).__name__} may not cross")


def _packed_array(array: Array, arrays: list[Array]) -> dict[str, Any]:
    """Numbers as they lie in memory; any other array as a list of scalars, of JSON's values or of arrays."""
    if array.dtype.kind in NUMERIC:
        arrays.append(array)
        return {"array": len(arrays) - 1}
    if array.ndim != 1:
        return {"shape": list(array.shape), "flat": _packed_array(array.reshape(-1), arrays)}
    values = array.tolist()
    if set(map(type, values)) == {np.ndarray}:
        return {"parts": [_packed_array(part, arrays) for part in values]}
    if set(map(type, values)) <= _SCALARS:
        return {"values": values}
    absent = [i for i, value in enumerate(values) if value is ABSENT]
    return {"json": _packed([None if value is ABSENT else value for value in values], arrays), "absent": absent}


def unpack(kind: type[T], body: Any, arrays: Sequence[Array]) -> T:
    """The value of type `kind` that `pack` packed. Raises ValueError when it is anything else."""
    key: Any = kind
    value: T = _reader_of(key)(body, arrays)
    return value


@functools.cache
def _reader_of(kind: Any) -> Reader:
    """What reads a value of a type. Raises TypeError for a type that may not cross."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda body, _: body
    if kind in _SCALARS or kind is None:
        return _scalars(frozenset({types.NoneType if kind is None else kind}))
    if origin is Literal:
        return _literal(arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is npt.NDArray:  # a type of its own from numpy 2.5 on
        return _array(arguments[0])
    if origin is np.ndarray:
        return _array(get_args(arguments[1])[0])
    if origin is tuple:
        return _tuple(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_reader_of(arguments[0]), _reader_of(arguments[1]))
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind)
    raise TypeError(f"{kind} may not cross")


def _scalars(kinds: frozenset[type]) -> Reader:
    names = " or ".join(sorted(kind.__name__ for kind in kinds))

    def read_scalar(body: Any, _: Sequence[Array]) -> Any:
        if type(body) in kinds:
            return body
        if type(body) is int and float in kinds:
            return float(body)
        raise ValueError(f"{type(body).__name__} instead of {names}")

    return read_scalar


def _literal(values: tuple[Any, ...]) -> Reader:
    def read_literal(body: Any, _: Sequence[Array]) -> Any:
        if not any(type(body) is type(value) and body == value for value in values):
            raise ValueError(f"none of {', '.join(map(str, values))}")
        return body

    return read_literal


def _union(kinds: tuple[Any, ...]) -> Reader:
    if _SCALARS.issuperset(kinds):
        return _scalars(frozenset(kinds))
    others = [kind for kind in kinds if kind is not types.NoneType]
    if len(others) != 1:
        raise TypeError(f"a union of {kinds} may not cross")
    reader = _reader_of(others[0])
    return lambda body, arrays: None if body is None else reader(body, arrays)


def _array(dtype: Any) -> Reader:
    def read_array(body: Any, arrays: Sequence[Array]) -> Array:
        if isinstance(body, dict) and set(body) == {"array"}:
            return _of_dtype(_place(body["array"], arrays), dtype)
        if isinstance(body, dict) and set(body) == {"values"} and dtype is Any:
            return _objects(body["values"])
        if isinstance(body, dict) and set(body) == {"json", "absent"} and dtype is Any:
            return _json_values(body["json"], body["absent"])
        if isinstance(body, dict) and set(body) == {"shape", "flat"} and dtype is Any:
            return _reshaped(read_array(body["flat"], arrays), body["shape"])
        if isinstance(body, dict) and set(body) == {"parts"} and dtype is Any:
            return _array_of_arrays(body["parts"], lambda part: read_array(part, arrays))
        raise ValueError("no array")

    return read_array


def _reshaped(flat: Array, shape: Any) -> Array:
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("no shape")
    return flat.reshape(shape)


def _array_of_arrays(parts: Any, read: Callable[[Any], Array]) -> Array:
    """A 1-D array of objects, each an array of its own shape."""
    if not isinstance(parts, list):
        raise ValueError("no list of arrays")
    array = np.empty(len(parts), dtype=object)
    for i, part in enumerate(parts):
        array[i] = read(part)
    return array


def _place(index: Any, arrays: Sequence[Array]) -> Array:
    if type(index) is not int or not 0 <= index < len(arrays):
        raise ValueError("an array that was not sent")
    return arrays[index]


def _of_dtype(array: Array, dtype: Any) -> Array:
    if dtype is Any or array.dtype == dtype:
        return array
    if not np.can_cast(array.dtype, dtype, "safe"):
        raise ValueError(f"an array of {array.dtype} instead of {np.dtype(dtype)}")
    return array.astype(dtype)


def _objects(values: Any) -> Array:
    if not isinstance(values, list) or not set(map(type, values)) <= _SCALARS:
        raise ValueError("no list of scalars")
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _json_values(values: Any, absent: Any) -> Array:
    """What JSON records hold under one key; `absent` are the numbers of those that lack it."""
    if not isinstance(values, list) or not isinstance(absent, list):
        raise ValueError("no list of values")
    array = np.fromiter(values, dtype=object, count=len(values))
    for i in absent:
        if type(i) is not int or not 0 <= i < len(values):
            raise ValueError("no number of a value")
        array[i] = ABSENT
    return array


def _tuple(kinds: tuple[Any, ...]) -> Reader:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return _sequence(_reader_of(kinds[0]))
    readers = [_reader_of(kind) for kind in kinds]

    def read_tuple(body: Any, arrays: Sequence[Array]) -> tuple[Any, ...]:
        if not isinstance(body, list) or len(body) != len(readers):
            raise ValueError(f"no list of {len(readers)}")
        return tuple(reader(item, arrays) for reader, item in zip(readers, body, strict=True))

    return read_tuple


def _sequence(reader: Reader) -> Reader:
    def read_sequence(body: Any, arrays: Sequence[Array]) -> tuple[Any, ...]:
        if not isinstance(body, list):
            raise ValueError(f"{type(body).__name__} instead of a list")
        return tuple([reader(item, arrays) for item in body])

    return read_sequence


def _mapping(key_reader: Reader, reader: Reader) -> Reader:
    def read_mapping(body: Any, arrays: Sequence[Array]) -> dict[str, Any]:
        if not isinstance(body, dict):
            raise ValueError(f"{type(body).__name__} instead of an object")
        return {key_reader(key, arrays): reader(item, arrays) for key, item in body.items()}

    return read_mapping


def _dataclass(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader_of(hints[field.name]) for field in fields(kind) if field.init}
    optional = {f.name for f in fields(kind) if f.default is not MISSING or f.default_factory is not MISSING}

    def read_dataclass(body: Any, arrays: Sequence[Array]) -> Any:
        if not isinstance(body, dict) or not readers.keys() - optional <= body.keys() <= readers.keys():
            raise ValueError(f"no {kind.__name__}")
        values = {}
        for name, item in body.items():
            try:
                values[name] = readers[name](item, arrays)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return kind(**values)

    return read_dataclass
