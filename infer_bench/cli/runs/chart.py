"""Drawing a chart of a report to a file."""

from pathlib import Path
from typing import Any

from infer_bench.output import OutputFile
from infer_bench.report.common import Report
from infer_bench.reporters.charts.catalogue import render_chart


def write_chart(report: Report[Any], path: str, kind: str | None) -> int:
    """Draw `kind`, or the first that the report has, to a file whose ending is `.svg` or `.png`; returns 0.

    Raises `UsageError` for another ending or a kind that the report has not, before the file is touched.
    """
    picture = render_chart(report, Path(path).suffix.lower(), kind)
    with OutputFile(path) as file:
        file.write_atomic(picture)
    return 0
