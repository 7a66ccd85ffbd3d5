"""What a user's function returns: plain data or not, in a place of its own or not, and arrays by their names."""

import copy
from collections.abc import Callable, Mapping, Sequence
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


class AnswerEach:
    """Calls a function with each of several records.

    Some answer in one array, list or object, which every call overwrites: then the answers are copied. The first
    records tell, which are answered again for it.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._copies: bool | None = None

    def __call__(self, records: list[Any]) -> list[Any]:
        """One answer a record."""
        if self._copies:
            return [copy.deepcopy(self._function(record)) for record in records]
        spare = copy.deepcopy(records) if self._copies is None else []
        answers = [self._function(record) for record in records]
        if self._copies is not None:
            return answers
        self._copies = share_memory(answers) and _can_be_copied(answers[0])
        return self(spare) if self._copies else answers


def share_memory(answers: Sequence[Any]) -> bool:
    """Whether two answers hold the same array, list, dict or object, so that the earlier says what the later does."""
    places = [_find_places(answer) for answer in answers]
    return len(set[int]().union(*places)) < sum(map(len, places))


def _can_be_copied(answer: Any) -> bool:
    try:
        copy.deepcopy(answer)
    except Exception:  # noqa: BLE001 - an object of a user's own, with a lock in it
        return False
    return True


def _find_places(value: Any) -> set[int]:
    """Where the parts of an answer lie that a later call could change."""
    if isinstance(value, np.ndarray):
        return {value.__array_interface__["data"][0]} if value.size else set()
    if isinstance(value, Mapping):
        return {id(value)}.union(*map(_find_places, value.values()))
    if isinstance(value, list | tuple):
        own = {id(value)} if isinstance(value, list) else set[int]()
        return own.union(*map(_find_places, value))
    return {id(value)} if hasattr(value, "__dict__") else set()


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
