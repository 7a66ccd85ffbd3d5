"""What a user's function takes: the record as it is, or the body that its first parameter's annotation names.

A pydantic model is told by what it can do (`model_validate`, or `parse_obj` of its first version), so that pydantic is
never imported here; a dataclass is made of the record's keys.
"""

import dataclasses
import inspect
import types
from collections.abc import Callable as Function
from typing import Any, Union, get_args, get_origin, get_type_hints

from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError

Record = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """The class of a function's argument, and what makes one of a record."""

    name: str
    make: Function[[Record], Any]
    fields: tuple[str, ...]

    def build(self, record: Record) -> Any:
        """The argument. Raises `EngineError` that says what is expected where the record is none."""
        try:
            return self.make(record)
        except (TypeError, ValueError) as error:
            expected = f"it has {', '.join(self.fields[:8])}{', …' if len(self.fields) > 8 else ''}"
            reason = f"the record is no {self.name}, which the function takes: {_describe(error)}"
            raise EngineError(reason, expected) from None


def find_body(function: Function[..., Any]) -> Body | None:
    """What the first parameter is annotated with, where it can be made of a record; None for a dict and the like."""
    for kind in _kinds(_annotation(function)):
        for method, fields in (("model_validate", "model_fields"), ("parse_obj", "__fields__")):
            if callable(getattr(kind, method, None)):
                return Body(kind.__name__, getattr(kind, method), tuple(getattr(kind, fields, ())))
        if dataclasses.is_dataclass(kind):
            names = tuple(field.name for field in dataclasses.fields(kind) if field.init)
            return Body(kind.__name__, lambda record, kind=kind: kind(**record), names)  # type: ignore[misc]
    return None


def _annotation(function: Function[..., Any]) -> Any:
    """Of the first parameter; None where there is none, or it names what is not there."""
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    try:
        name = next(iter(inspect.signature(function).parameters), "")
        return get_type_hints(inspect.unwrap(called)).get(name)
    except Exception:  # noqa: BLE001 - an annotation is code of the user's, which may raise anything
        return None


def _kinds(annotation: Any) -> list[type]:
    """The class itself, or those of an optional one."""
    of_union = get_origin(annotation) in (Union, types.UnionType)
    candidates = get_args(annotation) if of_union else (annotation,)
    return [kind for kind in candidates if isinstance(kind, type)]


def _describe(error: Exception) -> str:
    """The first thing that is wrong: of pydantic's errors, the field and why."""
    errors = getattr(error, "errors", None)
    first = next(iter(errors()), None) if callable(errors) else None
    if not isinstance(first, dict):
        return first_line(error)
    place = ".".join(str(part) for part in first.get("loc", ()))
    return f"{place}: {first.get('msg', '')}" if place else str(first.get("msg", ""))
