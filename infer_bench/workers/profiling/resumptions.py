"""Calls of coroutines as calls: cProfile counts one each time that a coroutine goes on after it has waited."""

import contextlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import CodeType, FrameType
from typing import Any

from infer_bench.errors import EngineError
from infer_bench.workers.profiling.requests import FunctionProfile

Key = tuple[str, int, str]
_RESUMABLE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_REASON = 3
"""The bits of RESUME's argument that say why a frame runs: 0 at its start, else after a yield or an await."""


def find_coroutines(entries: list[Any]) -> set[Key]:
    """The coroutine functions among cProfile's entries."""
    codes = (entry.code for entry in entries)
    return {_key(code) for code in codes if isinstance(code, CodeType) and code.co_flags & _RESUMABLE}


def measure_starts(run: Callable[[], object]) -> dict[Key, float]:
    """Of each coroutine function that `run` calls, the share of its entries that are calls and no resumptions."""
    counts: dict[CodeType, list[int]] = {}

    def count(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_flags & _RESUMABLE:
            starts_and_entries = counts.setdefault(code, [0, 0])
            starts_and_entries[0] += code.co_code[frame.f_lasti + 1] & _REASON == 0
            starts_and_entries[1] += 1

    sys.setprofile(count)
    try:
        with contextlib.suppress(EngineError):  # what was counted until then holds
            run()
    finally:
        sys.setprofile(None)
    return {_key(code): starts / entries for code, (starts, entries) in counts.items()}


def count_calls(function: FunctionProfile, share: Mapping[Key, float]) -> FunctionProfile:
    """The function with its calls in place of its entries."""
    part = share.get((function.file, function.line, function.name))
    if part is None:
        return function
    callers = tuple(
        replace(caller, calls=_scale(caller.calls, part), primitive_calls=_scale(caller.primitive_calls, part))
        for caller in function.callers
    )
    calls, primitive = _scale(function.calls, part), _scale(function.primitive_calls, part)
    return replace(function, calls=calls, primitive_calls=primitive, callers=callers)


def _scale(count: int, part: float) -> int:
    return max(1, round(count * part)) if count else 0


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_firstlineno, code.co_name
