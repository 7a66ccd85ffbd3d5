"""The feed of a model that reads raw text: one column becomes the sequence of strings that its vectorizer takes."""

from typing import Any

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.engines.feeds.dataframe import FrameFeed
from infer_bench.engines.feeds.schema import Schema, is_table, refuse_strangers, require_known
from infer_bench.errors import EngineError


class TextFeed:
    """Record → [text], table → a list of texts (rows,)."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        (self._name,) = schema.names

    def __call__(self, request: Request) -> list[Any]:
        """The request's texts; NaN, which vectorizers refuse, where one is missing."""
        refuse_strangers(self._schema, request)
        if not is_table(request):
            text = request.get(self._name)
            return [np.nan if text is None else text]
        require_known(self._schema, request)
        return [np.nan if text is None else text for text in request[self._name].tolist()]


class TextColumnFeed:
    """Record → the text column of `DataFrame([record])`, table → that of `DataFrame(table)`, as a Series (rows,)."""

    def __init__(self, schema: Schema) -> None:
        self._frame = FrameFeed(schema)
        (self._name,) = schema.names

    def __call__(self, request: Request) -> Any:
        """The request's texts, by way of a DataFrame."""
        return self._frame(request)[self._name]


def make_text_feed(schema: Schema, kind: str) -> "TextFeed | TextColumnFeed":
    """The feed called `kind` for a model of one column of text. Raises `EngineError` for `packed`."""
    if kind == "packed":
        raise EngineError(
            f"packed takes numbers only, and the model reads text in column {schema.names[0]!r}", "use feed=ndarray"
        )
    return TextColumnFeed(schema) if kind == "dataframe" else TextFeed(schema)
