"""A page and a chart of a report, written beside what is rendered."""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infer_bench.errors import UsageError
from infer_bench.output import OutputFile
from infer_bench.report.common import Report
from infer_bench.reporters.registry import find, render


@dataclass(frozen=True, slots=True)
class Illustrations:
    """The files of `--html` and `--chart`, None for none."""

    html: str | None = None
    chart: str | None = None

    def check(self, command: str) -> None:
        """See that they can be made of `command`'s reports. Raises `UsageError` or `MissingDependency`."""
        for option, name in (("--html", self.html), ("--chart", self.chart)):
            if name == "-":
                raise UsageError(f"{option} takes a file", "--format html writes the page to stdout")
        if self.html is not None:
            find("html", command)
        if self.chart is not None:
            from infer_bench.reporters.charts.catalogue import check_chart

            check_chart(command, Path(self.chart).suffix.lower())

    def open(self, stack: contextlib.ExitStack) -> None:
        """See that they can be written, before anything is measured. Raises `OutputError`."""
        for name in filter(None, (self.html, self.chart)):
            stack.enter_context(OutputFile(name))

    def write(self, report: Report[Any]) -> None:
        """Make both; of a partial report the page alone, which says so. Where nothing can be drawn, that is said."""
        if self.html is not None:
            _write(self.html, render(report, "html").encode())
        if self.chart is None or not report.complete:
            return
        from infer_bench.reporters.charts.catalogue import render_chart

        try:
            picture = render_chart(report, Path(self.chart).suffix.lower())
        except UsageError as error:
            print(f"note: {self.chart} is not written: {error.message}", file=sys.stderr)
        else:
            _write(self.chart, picture)


def _write(name: str, content: bytes) -> None:
    with OutputFile(name) as file:
        file.write_atomic(content)
