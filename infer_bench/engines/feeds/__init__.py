"""Feeds: how a request becomes what a library takes.

- `dataframe`: a pandas DataFrame, reindexed to the model's columns, as most services do it;
- `ndarray`: a preallocated float row, filled by index;
- `packed`: the same row, filled by one `struct.pack_into`; for records that hold every column as a number.
"""

from infer_bench.engines.feeds.choose import OPTIONS, Feed, make_feed
from infer_bench.engines.feeds.mixed import make_mixed_feed
from infer_bench.engines.feeds.schema import Schema, make_schema
from infer_bench.engines.feeds.text import make_text_feed

__all__ = ["OPTIONS", "Feed", "Schema", "make_feed", "make_mixed_feed", "make_schema", "make_text_feed"]
