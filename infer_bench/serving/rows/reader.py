"""From the JSON of a body to rows, and from what is wrong with it to a sentence."""

import re
import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from infer_bench.model import Feature, ModelSpec
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.rows.decoder import StructDecoder
from infer_bench.serving.rows.rows import Record, Rows
from infer_bench.typing import Columns, Floats

NUMBERS = ("float", "integer", "boolean")
"""The kinds of columns that a matrix holds."""
LARGEST_WHOLE = 2**53
"""Beyond it a double does not hold every whole number."""
_WORDS = {
    "float": "a number",
    "float | int": "a whole number",
    "bool | float | int": "a boolean",
    "str": "text",
    "bool | float | int | str": "a number or text",
    "object": "an object",
    "array | object": "an object or a list of objects",
    "bool": "a boolean",
    "int": "a number",
    "array": "a list",
}
_ERROR = re.compile(r"(?P<what>.*?)(?: - at `\$(?:\[(?P<record>\d+)\])?(?:\.(?P<column>.*?))?`)?", re.DOTALL)
_TYPE_ERROR = re.compile(r"Expected `(?P<expected>.*)`, got `(?P<type>.*)`", re.DOTALL)
_FIELD_ERROR = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)


class RowReader:
    """Reads the bodies for one model.

    Every column must be there, with null for a missing value, and other keys are left out. With `sparse`, a column that
    is not there is a missing value (`fill`), as in `bench`, and a key that is no column is refused. A model that does
    not say its columns (a function) is handed every key. With `matrix`, numbers are packed into an array.
    """

    def __init__(
        self, spec: ModelSpec, *, sparse: bool = False, matrix: bool = True, fill: float = float("nan")
    ) -> None:
        self.names = spec.feature_names
        self.is_matrix = matrix and bool(self.names) and all(feature.kind in NUMBERS for feature in spec.features)
        self._sparse, self._fill, self._named = sparse, fill, spec.named
        self._checks = [(i, feature) for i, feature in enumerate(spec.features) if feature.kind in NUMBERS[1:]]
        self._pack = struct.Struct(f"{len(self.names)}d").pack_into
        default = ... if not sparse else fill if self.is_matrix else msgspec.UNSET
        self._decoder = StructDecoder(spec.features, default)
        free = msgspec.json.Decoder(dict[str, Any] | list[dict[str, Any]]).decode
        self._decode = self._decoder.decode if self.names else free

    def read(self, body: bytes) -> Rows:
        """The rows of a body. Raises `RequestFault` for one that is no JSON, of other columns or of other types."""
        try:
            content = self._decode(body)
        except msgspec.ValidationError as error:
            raise self._fault(str(error)) from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise RequestFault(400, "malformed", _describe_json(error)) from None
        records = content if isinstance(content, list) else [content]
        if not records:
            raise RequestFault(422, "columns", "the list of records is empty")
        if not self.names:
            return Rows((), None, records)
        return self.read_matrix(self._matrix(records)) if self.is_matrix else self._records(records)

    def read_matrix(self, matrix: Floats) -> Rows:
        """Rows of numbers (rows, columns) in the model's order; NaN is a missing value. Raises as `read`."""
        for place, feature in self._checks:
            self._check(matrix[:, place], feature)
        return Rows(self.names, matrix, named=self._named)

    def read_columns(self, columns: Columns) -> Rows:
        """Rows by column, arrays (rows,) of numbers, truth values or text. Raises as `read`."""
        missing = [name for name in self.names if name not in columns]
        if missing and not self._sparse:
            raise self._column_fault(f"the column {missing[0]!r} is missing")
        rows = len(next(iter(columns.values())))
        if self.is_matrix:
            absent = np.full(rows, self._fill)
            return self.read_matrix(np.stack([columns.get(name, absent) for name in self.names], axis=1, dtype=float))
        lists = {name: column.tolist() for name, column in columns.items()}
        records = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
        self._check_records(records)
        return Rows(self.names, None, records, self._named)

    def _matrix(self, records: list[Any]) -> Floats:
        rows = np.empty((len(records), len(self.names)))
        for i, record in enumerate(records):
            values = msgspec.structs.astuple(record)
            if values[0] is self._fill and all(value is self._fill for value in values):
                raise self._column_fault("the record holds none of the columns", i, len(records))
            try:
                self._pack(rows[i].data, 0, *values)
            except (struct.error, OverflowError):
                rows[i] = self._numbers(values, i, len(records))
        return rows

    def _numbers(self, values: tuple[Any, ...], record: int, count: int) -> Floats:
        try:
            return np.array(values, dtype=np.float64)  # None is NaN
        except OverflowError:
            raise self._column_fault("a number is too large for a double", record, count) from None

    def _check(self, values: Floats, feature: Feature) -> None:
        values = values[~np.isnan(values)]
        if feature.kind == "boolean" and not np.isin(values, (0.0, 1.0)).all():
            raise self._column_fault(f"column {feature.name!r} takes true and false")
        if feature.kind != "integer":
            return
        least, most = whole_range(feature)
        if (values != np.floor(values)).any() or (values < least).any() or (values > most).any():
            span = f" from {least} to {most}" if feature.dtype else ""
            raise self._column_fault(f"column {feature.name!r} takes whole numbers{span}")

    def _records(self, structs: list[Any]) -> Rows:
        records = []
        for i, row in enumerate(structs):
            values = zip(self.names, msgspec.structs.astuple(row), strict=True)
            record = {name: value for name, value in values if value is not msgspec.UNSET}
            if not record:
                raise self._column_fault("the record holds none of the columns", i, len(structs))
            records.append(record)
        self._check_records(records)
        return Rows(self.names, None, records, self._named)

    def _check_records(self, records: Sequence[Record]) -> None:
        for place, feature in self._checks:
            column = [record.get(self.names[place]) for record in records]
            self._check(self._numbers(tuple(column), 0, 1), feature)

    def _fault(self, message: str) -> RequestFault:
        """What msgspec says, in the words of who sent it."""
        parts = _ERROR.fullmatch(message)
        what, record, field = (parts["what"], parts["record"], parts["column"]) if parts else (message, None, None)
        where = "" if record is None else f" of record {int(record) + 1}"
        if (names := _FIELD_ERROR.fullmatch(what)) is not None:
            column = self._decoder.column(names["name"])
            lacks = names["what"].startswith("missing")
            return self._column_fault(f"the column {column!r}{where} is missing" if lacks else _unknown(column, where))
        if field is None or not self.names:
            return RequestFault(400, "malformed", f"the body{where}: {_describe_type(what)}", columns=self.names)
        return self._column_fault(f"column {self._decoder.column(field)!r}{where}: {_describe_type(what)}")

    def _column_fault(self, message: str, record: int = 0, count: int = 1) -> RequestFault:
        where = f" (record {record + 1})" if count > 1 else ""
        return RequestFault(422, "columns", message + where, columns=self.names)


def whole_range(feature: Feature) -> tuple[int, int]:
    """The whole numbers that a column takes: those of the model's own dtype that a double holds."""
    dtype = np.dtype(feature.dtype or "int64")
    limits = np.iinfo(dtype if dtype.kind in "iu" else "int64")
    return max(int(limits.min), -LARGEST_WHOLE), min(int(limits.max), LARGEST_WHOLE)


def _unknown(column: str, where: str) -> str:
    return f"the model has no column {column!r}{where}"


def _describe_type(message: str) -> str:
    """`Expected X, got Y` in words."""
    types = _TYPE_ERROR.fullmatch(message)
    if types is None:
        return message[:1].lower() + message[1:]
    alternatives = types["expected"].removesuffix(" | null").split(" | ")
    kind = " | ".join(sorted(alternatives))  # whose order is that of msgspec's version
    or_null = " or null" if types["expected"].endswith(" | null") else ""
    return f"expected {_WORDS.get(kind, kind)}{or_null}, got {_WORDS.get(types['type'], types['type'])}"


def _describe_json(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the body is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "the body is no JSON: it is not UTF-8"
    text = str(error).removeprefix("JSON is malformed: ")
    return f"the body is no JSON: {text[:1].lower()}{text[1:]}"
