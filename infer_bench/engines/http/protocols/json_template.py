"""Any JSON endpoint: a template that rows are put into, and the place of the prediction in the answer.

A string of the template that is a path stands for a part of the request's rows: `$` the only record, `$.age` or
`$['age']` one column of it, `$.*` the list of its values; `$[*]` the list of records, `$[*].age` one column of each,
`$[*].*` the list of their lists of values. `$$` is a dollar sign.
"""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from infer_bench.engines.http.protocols.base import Answer, Body, Record
from infer_bench.engines.http.protocols.json_path import JsonPath, parse_path
from infer_bench.errors import UsageError

_PLACEHOLDER = re.compile(r"\$(?P<every>\[\*\])?(?:(?P<values>\.\*)|\.(?P<name>[^.\[\]'*]+)|\['(?P<quoted>[^']*)'\])?")
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
"""Of the module: a codec that holds none can be sent to another process."""
_EXAMPLE = 'write columns as "$.age", the record as "$", all records as "$[*]", and a dollar sign as "$$"'


class JsonCodec:
    """Bodies made of a template. Without an answer's path any JSON is a right answer."""

    name = "json"
    carries_infinity = False

    def __init__(self, template: Any, answer: JsonPath | None) -> None:
        self._template, self._answer = template, answer

    @property
    def needs_rows(self) -> bool:
        """Whether the template has a place for any."""
        return any(match is not None for match in _list_placeholders(self._template))

    def check(self, columns: Sequence[str], batch: int) -> None:
        """Raises `UsageError` for a column that the rows lack, and for one row of several."""
        for match in filter(None, _list_placeholders(self._template)):
            name = match["name"] or match["quoted"]
            if name is not None and name not in columns:
                raise UsageError(f"the template has {match[0]!r}, the rows have no such column", _list_some(columns))
            if not match["every"] and batch > 1:
                raise UsageError(f"{match[0]!r} of the template is one row of {batch}", 'write "$[*]" for all rows')

    def encode(self, records: Sequence[Record]) -> Body:
        """The template with these rows in it."""
        return Body(msgspec.json.encode(_fill(self._template, records)), "application/json")

    def decode(self, content: bytes, headers: Mapping[bytes, bytes], rows: int) -> Answer:
        """Raises `ValueError` where the place of the answer holds no numbers, or not as many for every row."""
        try:
            document = _DECODER.decode(content)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None
        return Answer(None if self._answer is None else read_rows(self._answer.read(document), rows))


def read_template(path: str) -> Any:
    """The JSON document in a file. Raises `UsageError`."""
    try:
        template = msgspec.json.decode(Path(path).read_bytes())
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the template {path} cannot be read: {reason}", "it is a JSON document") from None
    for _ in _list_placeholders(template):
        pass
    return template


def make_codec(template: str, answer: str | None) -> JsonCodec:
    """The codec of a template's file and the path of its answer. Raises `UsageError` for either."""
    return JsonCodec(read_template(template), None if answer is None else parse_path(answer))


def read_rows(value: Any, rows: int) -> list[list[float]]:
    """Numbers, however deep in lists, as so many rows of equal length. Raises `ValueError`."""
    numbers = list(_flatten(value))
    if not numbers or len(numbers) % rows:
        raise ValueError(f"{len(numbers)} numbers for {rows} rows")
    width = len(numbers) // rows
    return [numbers[start : start + width] for start in range(0, len(numbers), width)]


def _flatten(value: Any) -> Sequence[float]:
    if isinstance(value, list):
        return [number for item in value for number in _flatten(item)]
    if value is None:
        return [math.nan]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"the answer is no number: {str(value)[:80]!r}")
    return [float(value)]


def _list_placeholders(template: Any) -> list[re.Match[str] | None]:
    """What every string of the template stands for; None for itself. Raises `UsageError` for what is neither."""
    if isinstance(template, dict):
        return [match for item in template.values() for match in _list_placeholders(item)]
    if isinstance(template, list):
        return [match for item in template for match in _list_placeholders(item)]
    return [_match(template)] if isinstance(template, str) else []


def _match(text: str) -> re.Match[str] | None:
    if not text.startswith("$") or text.startswith("$$"):
        return None
    match = _PLACEHOLDER.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} of the template is no part of a row", _EXAMPLE)
    return match


def _fill(template: Any, records: Sequence[Record]) -> Any:
    if isinstance(template, dict):
        return {name: _fill(item, records) for name, item in template.items()}
    if isinstance(template, list):
        return [_fill(item, records) for item in template]
    if not isinstance(template, str) or not template.startswith("$"):
        return template
    match = _match(template)
    if match is None:
        return template[1:]
    parts = [_take(match, record) for record in records]
    return parts if match["every"] else parts[0]


def _take(match: re.Match[str], record: Record) -> Any:
    if match["values"]:
        return list(record.values())
    name = match["name"] or match["quoted"]
    return record if name is None else record.get(name)


def _list_some(columns: Sequence[str]) -> str:
    return f"they have {', '.join(columns[:8])}{', …' if len(columns) > 8 else ''}"
