"""RFC 4180 text with a header."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence


def write_table(fields: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """The whole text, its lines ended by a line feed; what a row lacks is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: _escape(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _escape(value: object) -> object:
    """Surrogates of an undecodable file name, which no file could hold, are escaped."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
