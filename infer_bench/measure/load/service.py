"""A service that is ready to be loaded: where it is, how it is spoken to, and the requests, made beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infer_bench import data as rows_of
from infer_bench.errors import UsageError
from infer_bench.measure.load.payloads import Payloads, build_payloads, name_token
from infer_bench.measure.load.protocols.base import Codec, Record
from infer_bench.measure.load.target import Target
from infer_bench.measure.settings import DEFAULT_ROWS


@dataclass(frozen=True, slots=True)
class Service:
    """A target at one of its addresses."""

    target: Target
    address: str
    codec: Codec
    payloads: Payloads


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows that take turns in the requests: `source` says where they are from, `columns` are their names."""

    records: Sequence[Record]
    columns: tuple[str, ...]
    source: str


def read_rows(data: str | None, batch: int) -> RowSource:
    """The first rows of a file; one empty record without a file. Raises `DataError`."""
    if data is None:
        return RowSource([{}], (), "none")
    table = rows_of.Dataset.open(data).head(max(DEFAULT_ROWS, batch))
    return RowSource(table.records(), table.names, Path(data).name)


def require_rows(rows: RowSource) -> None:
    """Raises `UsageError` without any."""
    if not rows.columns:
        raise UsageError("there are no rows to send", "give --data ROWS")


def make_payloads(target: Target, codec: Codec, rows: RowSource, batch: int, token: str) -> Payloads:
    """The requests with these rows; a `token` goes into the header that asks for one."""
    return build_payloads(target, codec, rows.records, batch, name_token(token))
