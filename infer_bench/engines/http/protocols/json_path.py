"""Places in a JSON document, as in `$.scores[0]` and `$[*].score`: the part of JSONPath that has no conditions."""

import re
from dataclasses import dataclass
from typing import Any

from infer_bench.errors import UsageError

_STEP = re.compile(r"\.(?P<name>[^.\[\]'\s]+)|\['(?P<quoted>[^']*)'\]|\[(?P<index>-?\d+)\]|(?P<every>\[\*\])")
EVERY = object()
"""The step to every element."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """`steps` are names, places from 0, and `EVERY`."""

    text: str
    steps: tuple[Any, ...]

    def read(self, document: Any) -> Any:
        """What stands there; behind `[*]` a list. Raises `ValueError` where there is nothing."""
        return _read(document, self.steps, self.text)


def parse_path(text: str) -> JsonPath:
    """The path that a text writes. Raises `UsageError`."""
    steps: list[Any] = []
    place = 1
    while text.startswith("$") and place < len(text):
        step = _STEP.match(text, place)
        if step is None:
            break
        place = step.end()
        steps.append(_read_step(step))
    if not text.startswith("$") or place < len(text):
        raise UsageError(f"{text!r} is no path into JSON", "write it as in '$.score' or '$.scores[0]'")
    return JsonPath(text, tuple(steps))


def _read_step(step: re.Match[str]) -> Any:
    if step["every"]:
        return EVERY
    if step["index"]:
        return int(step["index"])
    return step["quoted"] if step["name"] is None else step["name"]


def _read(value: Any, steps: tuple[Any, ...], text: str) -> Any:
    for place, step in enumerate(steps):
        if step is EVERY:
            if not isinstance(value, list):
                raise ValueError(f"{text}: there is no list")
            return [_read(item, steps[place + 1 :], text) for item in value]
        try:
            value = _take(value, step)
        except (KeyError, IndexError, TypeError):
            raise ValueError(f"there is no {text}") from None
    return value


def _take(value: Any, step: Any) -> Any:
    if isinstance(value, str) or isinstance(step, int) is not isinstance(value, list):
        raise TypeError
    return value[step]
