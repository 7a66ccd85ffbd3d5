"""A typed decoder of rows, made once a model: it knows the columns and their types, and builds no dict.

A row is decoded into a struct whose fields are the model's columns, two to three times as fast as into a dict.
"""

from collections.abc import Callable
from types import GenericAlias
from typing import Any

import msgspec

from infer_bench.model import Feature, Kind

TYPES: dict[Kind, Any] = {
    "float": float | None,
    "integer": int | float | None,
    "boolean": bool | int | float | None,
    "category": str | int | float | bool | None,
    "string": str | None,
}
_UNKNOWN = "?"

Decode = Callable[[bytes], Any]


class StructDecoder:
    """Bodies of one record or of a list → structs with a field a column.

    `default` stands in a column that a record lacks, and a key that is no column is refused; without it (Ellipsis)
    every column must be there, and other keys are passed over.
    """

    def __init__(self, features: tuple[Feature, ...], default: Any = ...) -> None:
        self._names = tuple(feature.name for feature in features)
        self._strict = default is not ...
        plain = {f"f{i}": name for i, name in enumerate(self._names)}
        try:
            row = self._define(features, default, plain)
            self.decode: Decode = msgspec.json.Decoder(_one_or_several(row)).decode
        except ValueError:  # a name with a quote or a control character, or one that stands twice
            self._row = self._define(features, default, {})
            self._places = {name: f"f{i}" for i, name in enumerate(self._names)}
            self.decode = self._decode_slowly

    def _define(self, features: tuple[Feature, ...], default: Any, names: dict[str, str]) -> Any:
        fields: list[Any] = []
        for i, feature in enumerate(features):
            kind = TYPES[feature.kind]
            if not self._strict:
                fields.append((f"f{i}", kind))
            else:
                fields.append((f"f{i}", kind | msgspec.UnsetType if default is msgspec.UNSET else kind, default))
        return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=self._strict, gc=False)

    def _decode_slowly(self, body: bytes) -> Any:
        content = msgspec.json.decode(body, type=dict[str, Any] | list[dict[str, Any]])
        records = content if isinstance(content, list) else [content]
        plain = [{self._places.get(key, _UNKNOWN + key): value for key, value in r.items()} for r in records]
        return msgspec.convert(plain if isinstance(content, list) else plain[0], _one_or_several(self._row))

    def column(self, field: str) -> str:
        """The column that an error calls `field`."""
        if not hasattr(self, "_places"):
            return field
        if field.startswith(_UNKNOWN):
            return field.removeprefix(_UNKNOWN)
        return self._names[int(field[1:])]


def _one_or_several(row: Any) -> Any:
    return row | GenericAlias(list, (row,))
