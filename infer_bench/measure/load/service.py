"""A service that is ready to be loaded: where it is, how it is spoken to, and the requests, made beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench import data as rows_of
from infer_bench.data import Table
from infer_bench.engines.http.messages import name_token
from infer_bench.engines.http.protocols.base import Codec, Record
from infer_bench.engines.http.target import Target
from infer_bench.errors import DataError, UsageError
from infer_bench.measure.load.expected_outputs import ExpectedOutputs
from infer_bench.measure.load.payloads import Payloads, build_payloads
from infer_bench.measure.load.reference import ExpectedPredictions
from infer_bench.measure.load.tensors import holds_requests, require_finite_tensors
from infer_bench.measure.settings import DEFAULT_ROWS
from infer_bench.model import TensorInput
from infer_bench.typing import ABSENT, TensorRequest


@dataclass(frozen=True, slots=True)
class Service:
    """A target at one of its addresses; `expected` is what its answers are compared with."""

    target: Target
    address: str
    codec: Codec
    payloads: Payloads
    expected: ExpectedPredictions | ExpectedOutputs | None = None


@dataclass(frozen=True, slots=True)
class RowSource:
    """Rows that take turns in the requests: `source` says where they are from, `columns` are their names.

    Of a network, `requests` of tensors for these `inputs`; those of the file at `path` are read once the service has
    said what it takes.
    """

    table: Table
    source: str
    path: Path | None = None
    requests: tuple[TensorRequest, ...] = ()
    inputs: tuple[TensorInput, ...] = ()

    @property
    def has_tensors(self) -> bool:
        """Whether they are a network's."""
        return self.path is not None or bool(self.requests)

    @property
    def columns(self) -> tuple[str, ...]:
        """Their names; none where there are no rows."""
        return self.table.names

    @property
    def records(self) -> Sequence[Record]:
        """Each as a record, without what it lacks; one empty record where there are no rows."""
        if self.requests:
            return self.requests
        records = self.table.records()
        if any(column.dtype == object for column in self.table.columns.values()):  # of JSON records
            records = [{name: value for name, value in one.items() if value is not ABSENT} for one in records]
        return records or [{}]


def read_rows(data: str | None, batch: int) -> RowSource:
    """The first rows of a file; none without a file. Raises `DataError`."""
    if data is None:
        return RowSource(Table({}), "none")
    if holds_requests(Path(data)):
        return RowSource(Table({}), Path(data).name, path=Path(data))
    return RowSource(rows_of.Dataset.open(data).head(max(DEFAULT_ROWS, batch)), Path(data).name)


def require_rows(rows: RowSource) -> None:
    """Raises `UsageError` without any."""
    if not rows.columns:
        raise UsageError("there are no rows to send", "give --data ROWS")


def make_payloads(target: Target, codec: Codec, rows: RowSource, batch: int, token: str) -> Payloads:
    """The requests with these rows; a `token` goes into the header that asks for one.

    Raises `DataError` for an infinity where the protocol has no way to write it.
    """
    if not codec.carries_infinity:
        _require_finite(rows.table)
        require_finite_tensors(rows.requests)
    return build_payloads(target, codec, rows.records, batch, name_token(token))


def _require_finite(table: Table) -> None:
    for name, column in table.columns.items():
        is_infinite = np.isinf(column) if column.dtype.kind == "f" else np.zeros(0, dtype=np.bool_)
        if is_infinite.any():
            message = f"column {name!r} is infinite in row {int(is_infinite.argmax()):,}, which JSON cannot carry"
            raise DataError(message, "leave such rows out, or see --protocol oip-binary")
