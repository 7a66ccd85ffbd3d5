"""Keywords of the Python interface: what is misspelt or of another type is said in a line, before anything is read."""

import difflib
import os
import types
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Union, get_args, get_origin

from infer_bench.errors import UsageError

_TITLES: dict[Any, str] = {bool: "True or False", int: "whole number", float: "number", str: "text"}
_KINDS: dict[Any, Any] = {int: Integral, float: Real, str: str}


def check_keywords(values: Mapping[str, Any], hints: Mapping[str, Any], names: Iterable[str] = ()) -> None:
    """Raise `UsageError` for a value whose name is none of `hints`, and for one that does not fit its type there.

    `names` are others that could have been meant.
    """
    for name, value in values.items():
        if name not in hints:
            close = difflib.get_close_matches(name, [*hints, *names], n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(hints))}"
            raise UsageError(f"there is no setting {name!r}", hint)
        if not _fits(value, hints[name]):
            raise UsageError(f"{name} is no {_describe(hints[name])}: {value!r}")


def read_path(value: Any) -> Any:
    """A path as text; anything else as it is."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _fits(value: Any, hint: Any) -> bool:
    """Whether the value is of the type; what is neither a number nor a text, or a list of them, is not looked at."""
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if get_origin(hint) in (tuple, Sequence):
        return isinstance(value, list | tuple) and all(_fits(part, get_args(hint)[0]) for part in value)
    if hint is bool:
        return isinstance(value, bool)
    if hint is types.NoneType:
        return value is None
    return hint not in _KINDS or (isinstance(value, _KINDS[hint]) and not isinstance(value, bool))


def _describe(hint: Any) -> str:
    """A type in words, as in `number` or `list of texts`."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_describe(part) for part in get_args(hint) if part is not types.NoneType)
    if get_origin(hint) in (tuple, Sequence):
        return f"list of {_describe(get_args(hint)[0])}s"
    return _TITLES.get(hint, getattr(hint, "__name__", str(hint)))
