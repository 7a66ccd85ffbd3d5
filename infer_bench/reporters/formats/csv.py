"""Rows of numbers for a spreadsheet or a script."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench import csv as bench_csv
from infer_bench.reporters.fleet import csv as fleet_csv
from infer_bench.reporters.gate import csv as gate_csv
from infer_bench.reporters.load import csv as load_csv
from infer_bench.reporters.validate import csv as validate_csv


class Csv:
    """RFC 4180 text with a header; an unknown value is an empty field. The phases are always there.

    Of a gate, one row a check. Of a comparison, one row a candidate, group of rows and output (`all` for a group as a
    whole). Of a load, one row a rate and kind of time, and of a fleet one a model and job.
    """

    name = "csv"
    commands = frozenset({"bench", "fleet", "load", "validate"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole text, its lines ended by a line feed."""
        if report.command == "fleet":
            return fleet_csv.render(report)
        if report.command == "load":
            return load_csv.render(report)
        if report.command == "validate":
            return validate_csv.render(report)
        return bench_csv.render(report) if report.gate is None else gate_csv.render(report)
