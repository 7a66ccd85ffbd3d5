"""Which feed a candidate has."""

from collections.abc import Callable, Mapping
from typing import Any

from infer_bench.engines.base import Option, Request
from infer_bench.engines.feeds.dataframe import FrameFeed
from infer_bench.engines.feeds.ndarray import NDArrayFeed, PackedFeed
from infer_bench.engines.feeds.schema import Schema

Feed = Callable[[Request], Any]
"""A record gives one row, a table (rows, n) as many, both with the model's columns in the model's order."""

OPTIONS: Mapping[str, Option] = {
    "feed": Option("how a record becomes the library's input", "ndarray", ("dataframe", "ndarray", "packed")),
    "fill": Option("what stands in a column that a record lacks", "nan", ("nan", "zero")),
    "unknown": Option("what happens to a key that the model does not know", "ignore", ("ignore", "refuse")),
}
"""The options of an engine that has feeds."""


def make_feed(schema: Schema, kind: str) -> Feed:
    """The feed called `kind`. Raises `EngineError` when the model's columns cannot be fed that way."""
    if kind == "dataframe":
        return FrameFeed(schema)
    return PackedFeed(schema) if kind == "packed" else NDArrayFeed(schema)
