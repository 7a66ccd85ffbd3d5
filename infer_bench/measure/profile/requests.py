"""Which requests a profile makes: rows of a file, records of a JSON file, or rows drawn from the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.data.conform import as_one_kind
from infer_bench.data.json_rows import as_columns, read_records
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.request_file import RequestFile, open_data
from infer_bench.measure.candidates.rows import load_rows
from infer_bench.measure.profile.settings import ProfileSettings, RequestSource
from infer_bench.report.common import DrawnInput, Notice
from infer_bench.typing import Columns

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Source:
    """The file of `rows`, or else the `records` of the file `input`; neither where rows are drawn from the model."""

    rows: RequestFile | None
    records: Records
    input: str


def read_source(source: RequestSource) -> Source:
    """The records, or the file of rows opened. Raises `DataError` for one that cannot be used."""
    return Source(open_data(source.data), read_records(source.input) if source.input else (), source.input or "")


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """The rows as columns, or the records as they are; what the report's settings say of them; and notices."""

    columns: Columns
    records: Records
    settings: Mapping[str, Any]
    notices: tuple[Notice, ...] = ()
    inputs: tuple[DrawnInput, ...] = ()


def load_requests(candidates: Sequence[Candidate], source: Source, settings: ProfileSettings) -> Requests:
    """The requests for these candidates. Raises `DataError` for rows that do not fit."""
    records = source.records
    if not records:
        rows = load_rows(candidates, source.rows, settings.as_bench_settings())
        count = len(next(iter(rows.columns.values()), ()))
        return Requests(rows.columns, (), {"rows_cycled": count, "rows_source": rows.source}, rows.notices, rows.inputs)
    origin = {"rows_cycled": len(records), "rows_source": source.input}
    if settings.batch > 1:
        columns = as_columns(records)
        if not all(candidate.engine.name == "callable" for candidate in candidates):
            columns = {name: as_one_kind(column, name) for name, column in columns.items()}
        return Requests(columns, (), origin)
    return Requests({}, records, origin)
