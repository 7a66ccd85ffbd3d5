"""The page of a load: whether it is valid, the percentiles, and what was wrong."""

from collections.abc import Iterable
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult
from infer_bench.reporters.bench.columns import collect_notices
from infer_bench.reporters.html.page import Cell, Page, Section, Table, Tone, describe_run, tone_of
from infer_bench.reporters.load import columns


def build_load_page(report: Report[Any]) -> Page:
    """What the page of a load shows."""
    verdict = report.verdict
    is_valid = all(result.valid for result in report.results)
    return Page(
        title="Load of an endpoint",
        subject=", ".join(dict.fromkeys(columns.name_target(report, result) for result in report.results)),
        finding=columns.conclude(report) or ("the load was valid" if is_valid else "the load was not valid"),
        tone=tone_of(verdict.status) if verdict else "unsure",
        sections=_build_search(report) if columns.is_search(report) else _build_sections(report),
        notices=tuple(collect_notices(report)),
        facts=describe_run(report),
    )


def _build_search(report: Report[Any]) -> tuple[Section, ...]:
    """One table with a row a trial."""
    first, titles = report.results[0], columns.select_columns(report)
    rows = [(columns.name_rate(result), columns.fill_columns(result)) for result in report.results]
    cells = tuple((Cell(name), *(Cell(line.get(key, "")) for key in titles)) for name, line in rows)
    table = Table("trials", (columns.name_first(first), *titles.values()), cells)
    sentences: list[tuple[str, Tone]] = [(text, "plain") for text in columns.describe_report(report)]
    return (
        Section(
            columns.name_target(report, first), columns.describe_conditions(report, first), (table,), tuple(sentences)
        ),
    )


def _build_sections(report: Report[Any]) -> tuple[Section, ...]:
    return tuple(_build_section(report, result) for result in report.results)


def _build_section(report: Report[Any], result: LoadResult) -> Section:
    cells, tone = columns.fill_columns(result), "plain" if result.valid else "bad"
    rows = [(Cell(columns.name_rate(result)), *(Cell(cells.get(key, "")) for key in columns.TITLES))]
    for name, part in columns.fill_parts(result):
        rows.append((Cell(f"↳ {name}"), *(Cell(part.get(key, "")) for key in columns.TITLES)))
    table = Table("latency", (columns.name_first(result), *columns.TITLES.values()), tuple(rows))
    about = columns.describe_conditions(report, result)
    return Section(
        columns.name_target(report, result),
        about,
        (table,),
        tuple(_write_sentences(result, "bad" if tone == "bad" else "plain")),
    )


def _write_sentences(result: LoadResult, tone: Tone) -> Iterable[tuple[str, Tone]]:
    for text, hint in columns.describe_invalid(result):
        yield f"{text} ({hint})", tone
    for text in columns.list_sentences(result):
        yield text, "plain"
