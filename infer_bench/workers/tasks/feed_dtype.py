"""In which dtype a library is fed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.typing import Columns
from infer_bench.workers.protocol import SessionRequest


@dataclass(frozen=True, slots=True)
class FeedDtype:
    """The dtype, in words: `float32`, `DataFrame of float64 and text`."""

    words: str


@dataclass(frozen=True, slots=True, eq=False)
class DescribeFeed(SessionRequest[FeedDtype]):
    """What the session's feed makes of the first row of a table."""

    title = "fed"
    columns: Columns


def describe_feed(session: Session, request: DescribeFeed) -> FeedDtype:
    """See `DescribeFeed`."""
    first = {name: column[:1] for name, column in request.columns.items()}
    return FeedDtype(_describe(session.preprocess(first)))


def _describe(inputs: Any) -> str:
    if isinstance(inputs, dict):
        return " and ".join(dict.fromkeys(_word(np.asarray(v).dtype) for v in inputs.values()))
    if isinstance(inputs, list):
        return _word(np.asarray(inputs).dtype)
    if hasattr(inputs, "columns"):
        return "DataFrame of " + " and ".join(dict.fromkeys(_word(dtype) for dtype in inputs.dtypes))
    return _word(inputs.dtype) if hasattr(inputs, "dtype") else type(inputs).__name__


def _word(dtype: Any) -> str:
    if isinstance(dtype, str):
        return dtype
    return "text" if getattr(dtype, "kind", "") in "OU" and str(dtype) != "category" else str(dtype)
