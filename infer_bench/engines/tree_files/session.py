"""A session of an engine that runs another library's file of trees."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Domain, Request
from infer_bench.engines.session import FedSession, guard
from infer_bench.engines.tree_files.read import TreeFile


class TreeFileSession(FedSession):
    """A loaded file; `predict` takes rows (rows, features) of the file's dtype, `what` begins its errors."""

    def __init__(
        self, file: TreeFile, options: Mapping[str, str], predict: Callable[[Any], Any], what: str, dtype: Any = None
    ) -> None:
        schema = feeds.make_schema(file.spec.features, options, dtype or file.dtype, file.encoded)
        feed = feeds.make_feed(schema, options["feed"])
        if options["feed"] == "dataframe":
            feed = encode_frames(feed, file.encoded, schema.dtype)
        if file.coded_places:
            feed = _cut_fractions(feed, file.coded_places)
        super().__init__(file.spec, feed, guard(predict, what))
        self._file = file

    def domain(self) -> Domain:
        """The thresholds and category codes of the trees."""
        return self._file.domain()


def encode_frames(feed: feeds.Feed, categorical: Sequence[str], dtype: Any) -> feeds.Feed:
    """The feed with its DataFrame as one array (rows, features), categories as their codes."""

    def matrix(request: Request) -> Any:
        frame = feed(request)
        for name in categorical:
            codes = frame[name].cat.codes.to_numpy(np.float64)
            frame[name] = np.where(codes < 0, np.nan, codes)
        return np.ascontiguousarray(frame.to_numpy(), dtype=dtype)

    return matrix


def _cut_fractions(feed: feeds.Feed, coded: Sequence[int]) -> feeds.Feed:
    """The feed with codes without their fractions."""

    def whole(request: Request) -> Any:
        rows = feed(request)
        rows[:, coded] = np.trunc(rows[:, coded])
        return rows

    return whole
