"""The page of a conversion: what was written, and what it was checked on."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.convert import ConvertResult
from infer_bench.reporters.bench.columns import describe
from infer_bench.reporters.convert import describe_criterion, describe_route, describe_size
from infer_bench.reporters.html.page import Cell, Page, Section, Table, describe_run, tone_of
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.paths import file_name
from infer_bench.reporters.text.rounding import describe_errors, find_worst

_HEAD = ("rows", "n", "max |Δ|", "max relative |Δ|", "other labels", "refused by the original")


def build_convert_page(report: Report[Any]) -> Page:
    """What the page of a conversion shows."""
    failures = [result.failed for result in report.results if result.failed]
    names = [file_name(result.output.path) for result in report.results if result.output is not None]
    verdict = report.verdict
    return Page(
        title="Conversion",
        subject=", ".join(file_name(result.source.path) for result in report.results),
        finding=failures[0] if failures else f"{', '.join(names)} predicts as the original does",
        tone="bad" if failures else tone_of(verdict.status) if verdict else "good",
        sections=tuple(_build_section(result) for result in report.results),
        notices=tuple((notice.message, notice.hint) for notice in report.notices),
        facts=describe_run(report),
    )


def _build_section(result: ConvertResult) -> Section:
    rows = tuple(
        (
            Cell(group.name),
            Cell(numbers.count(group.rows)),
            Cell(numbers.delta(group.max_abs_delta)),
            Cell(numbers.delta(group.max_relative_delta)),
            Cell(numbers.count(group.label_changes), "bad" if group.label_changes else "plain"),
            Cell(numbers.count(group.refused)),
        )
        for group in result.groups
    )
    output = "no file" if result.output is None else file_name(result.output.path)
    rounding = find_worst(group.rounding for group in result.groups)
    errors = "" if rounding is None else f" · error against float64 (RMS): {describe_errors(rounding, 'the original')}"
    size = "" if result.output is None else f" · {describe_size(result.source, result.output)}"
    criterion = describe_criterion(result).replace(", ", " · ", 1)
    about = f"{describe(result.source)} · {describe_route(result)}{size}{criterion}{errors}"
    table = Table("what it was checked on", _HEAD, rows)
    return Section(f"{file_name(result.source.path)} to {output}", about, (table,) if rows else ())
