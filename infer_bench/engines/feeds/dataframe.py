"""The `dataframe` feed: a pandas DataFrame a request, built as most services build it."""

from typing import TYPE_CHECKING, Any

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.engines.feeds.schema import Schema, is_table, number, refuse_strangers, require_known
from infer_bench.errors import MissingDependency

if TYPE_CHECKING:
    import pandas as pd


class FrameFeed:
    """Record → `DataFrame([record])`, table → `DataFrame(table)`; then reindexed to the model's columns.

    Columns that hold Python objects become numbers where the model wants numbers, and categories get the model's own
    `CategoricalDtype`, so that codes agree with those of the training. A column of text without a single one is of the
    dtype that pandas gives to texts: missing ones are what they are in a frame that holds others. Where the model knows
    one of None and NaN, missing ones are that: which of them a frame holds depends on pandas and its source.
    """

    def __init__(self, schema: Schema) -> None:
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas", "data") from None
        self._schema = schema
        self._pandas = pd
        self._columns = list(schema.names)
        self._texts = schema.texts | schema.codes.keys() | {f.name for f in schema.features if f.unread}
        self._text_dtype = pd.Series([""]).dtype
        self._missing_texts = {n: v for n, v in schema.missing_texts.items() if n in schema.texts - schema.codes.keys()}
        self._types = {
            feature.name: pd.CategoricalDtype(list(feature.categories))
            for feature in schema.features
            if feature.name in schema.encoded
        }

    def __call__(self, request: Request) -> "pd.DataFrame":
        """The request as a DataFrame (rows, n) with the model's columns in the model's order."""
        table = is_table(request)
        refuse_strangers(self._schema, request)
        if table:
            require_known(self._schema, request)
        frame = self._pandas.DataFrame(dict(request)) if table else self._pandas.DataFrame([request])
        frame = frame.reindex(columns=self._columns, fill_value=self._schema.fill)
        if self._schema.texts:
            frame = self._fill_texts(frame)
        if any(dtype.kind not in "fiub" for dtype in set(frame.dtypes)):
            frame = self._numeric(frame)
        missing = [name for name in self._missing_texts if _lacks_text(request, name)]
        if missing:
            frame = self._mark_missing(frame, missing)
        return frame.astype(self._types) if self._types else frame

    def _fill_texts(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        dtypes = {name: dtype for name, dtype in frame.dtypes.items() if name in self._schema.texts}
        suspects = [str(name) for name, dtype in dtypes.items() if dtype != self._text_dtype]
        columns = {name: [None] * len(frame) for name in suspects if frame[name].isna().all()}
        return frame.assign(**self._pandas.DataFrame(columns, dtype=self._text_dtype)) if columns else frame

    def _mark_missing(self, frame: "pd.DataFrame", names: list[str]) -> "pd.DataFrame":
        columns: dict[str, Any] = {}
        for name in names:
            values = frame[name].to_numpy(dtype=object, copy=True)
            values[frame[name].isna().to_numpy()] = self._missing_texts[name]
            columns[name] = self._pandas.Series(values, index=frame.index, dtype=object)
        return frame.assign(**columns)

    def _numeric(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """Object columns as numbers, except those that the model reads as text."""
        columns: dict[str, Any] = {}
        for name, dtype in frame.dtypes.items():
            if dtype.kind not in "fiub" and name not in self._texts:
                values = [number(str(name), value) for value in frame[name].tolist()]
                columns[str(name)] = np.array(values, dtype=np.float64)
        return frame.assign(**columns)


def _lacks_text(request: Request, name: str) -> bool:
    """Whether a text of the column is missing."""
    values = request.get(name)
    return any(map(_is_missing, values.tolist() if isinstance(values, np.ndarray) else [values]))


def _is_missing(text: Any) -> bool:
    is_na = text is None or type(text).__name__ in ("NAType", "NaTType")
    return is_na or (not isinstance(text, str) and text != text)
