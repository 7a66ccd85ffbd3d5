"""The worst rows of a comparison as a file of rows."""

import io
from importlib.util import find_spec
from typing import Any

from infer_bench.errors import MissingDependency
from infer_bench.report.validate import ValidateReport


def require_arrow() -> None:
    """Raises `MissingDependency` without pyarrow, which writes the file."""
    if find_spec("pyarrow") is None:
        raise MissingDependency("pyarrow", "data")


def encode(report: ValidateReport, path: str) -> bytes:
    """The worst rows of every candidate with their features and both predictions: csv for `*.csv`, else parquet."""
    require_arrow()
    import pyarrow
    from pyarrow import csv, parquet

    rows = [_line(result.candidate.model.path, worst) for result in report.results for worst in result.worst]
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pyarrow.table({name: pyarrow.array([row.get(name) for row in rows]) for name in names})
    file = io.BytesIO()
    if path.lower().endswith(".csv"):
        csv.write_csv(table, file)
    else:
        parquet.write_table(table, file)
    return file.getvalue()


def _line(candidate: str, worst: Any) -> dict[str, Any]:
    """Features under their own names; what the comparison adds is led by an underscore."""
    about = {"_candidate": candidate.replace("\\", "/").rsplit("/", 1)[-1]}
    about |= {f"_{name}": getattr(worst, name) for name in ("group", "row", "output", "reference")}
    return {**about, "_candidate_answer": worst.candidate, "_abs_delta": worst.abs_delta, **worst.features}
