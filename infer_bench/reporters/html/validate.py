"""The page of a comparison: the verdict, a table of the groups of rows, causes, and the worst rows."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.validate import ValidateResult
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.html.page import Cell, Page, Section, Table, Tone, describe_run, tone_of
from infer_bench.reporters.text import numbers
from infer_bench.reporters.validate import columns


def build_validate_page(report: Report[Any]) -> Page:
    """What the page of a comparison shows."""
    verdict = report.verdict
    return Page(
        title="Comparison of predictions",
        subject=", ".join(columns.write_heading(result) for result in report.results),
        finding=columns.write_verdict(verdict, report.results) if verdict else "The comparison was not finished.",
        tone=tone_of(verdict.status) if verdict else "unsure",
        sections=tuple(_build_section(report, result) for result in report.results),
        notices=tuple(collect_notices(report)),
        facts=describe_run(report),
    )


def _build_section(report: Report[Any], result: ValidateResult) -> Section:
    tables = [_build_groups(report, result)] if result.groups else []
    if result.causes:
        tables.append(_build_causes(result))
    if result.worst:
        tables.append(_build_worst(result))
    about = columns.describe_conditions(report, result) if result.groups else ""
    return Section(columns.write_heading(result), about, tuple(tables), tuple(_write_sentences(result)))


def _write_sentences(result: ValidateResult) -> Iterable[tuple[str, Tone]]:
    if result.failed:
        yield f"Cannot be compared: {result.failed}", "bad"
    for text in columns.explain_difference(result):
        yield text, "bad"
    if place := columns.locate_first(result):
        yield f"First: {place}", "plain"
    if fix := columns.find_fix(result):
        yield f"Fix: {fix}", "plain"
    if errors := columns.describe_rounding(result):
        yield errors, "plain"
    if passing := columns.describe_passing(result):
        yield passing, "plain"


def _build_groups(report: Report[Any], result: ValidateResult) -> Table:
    titles = columns.select_columns(report, [result])
    rows = []
    for group in result.groups:
        cells = columns.fill_columns(group)
        tone: Tone = "bad" if group.failing else "plain"
        rows.append((Cell(group.name), *(Cell(cells.get(k, ""), tone if k == "verdict" else "plain") for k in titles)))
        for name, part in columns.fill_output_lines(group):
            rows.append((Cell(f"↳ {name}"), *(Cell(part.get(key, "")) for key in titles)))
    what = columns.name_rows(result)
    return Table(f"groups of {what}", (what, *(title or "verdict" for title in titles.values())), tuple(rows))


def _build_causes(result: ValidateResult) -> Table:
    rows = tuple(
        (Cell(cause.name), Cell(cause.detail), Cell(cause.fix), Cell(numbers.count(cause.rows_explained)))
        for cause in result.causes
    )
    return Table("causes", ("cause", "what", "fix", "rows explained"), rows, text_columns=3)


def _build_worst(result: ValidateResult) -> Table:
    rows = tuple(
        (
            Cell(f"{line.group} {numbers.count(line.row)}"),
            Cell(columns.name_place(line)),
            Cell(_number(line.reference)),
            Cell(_number(line.candidate)),
            Cell(numbers.delta(line.abs_delta)),
        )
        for line in result.worst
    )
    what = columns.name_rows(result)
    return Table(
        f"{what} that differ most",
        (what.removesuffix("s"), "output", "reference", "candidate", "|Δ|"),
        rows,
        text_columns=2,
    )


def _number(value: float | None) -> str:
    return numbers.MISSING if value is None else f"{value:.9g}"
