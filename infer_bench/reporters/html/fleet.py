"""The page of a fleet: every model with its verdicts."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.fleet import FleetResult
from infer_bench.reporters.fleet import columns
from infer_bench.reporters.html.page import Cell, Page, Section, Table, describe_run, tone_of


def build_fleet_page(report: Report[Any]) -> Page:
    """What the page of a fleet shows: a section a job."""
    verdict = report.verdict
    jobs = dict.fromkeys(result.job for result in report.results)
    machines = columns.list_machines(report)
    return Page(
        title="Fleet",
        finding=columns.summarise(report),
        tone=tone_of(verdict.status) if verdict else "unsure",
        sections=tuple(_build_section(job, [r for r in report.results if r.job == job]) for job in jobs),
        notices=tuple((notice.message, notice.hint) for notice in report.notices),
        facts=(*describe_run(report), ("machines of the results", "; ".join(machines))),
    )


def _build_section(job: str, results: list[FleetResult]) -> Section:
    titles = {key: title for key, title in columns.select_columns(results).items() if key != "job"}
    head = ("model", *titles.values(), "why")
    rows = tuple(_build_row(result, list(titles)) for result in results)
    passing = sum(result.verdict.exit_code == 0 for result in results)
    table = Table(f"{job}, a row a model", head, rows, last_text=True)
    return Section(job, f"{results[0].command} · {passing} of {len(results)} pass", (table,))


def _build_row(result: FleetResult, keys: list[str]) -> tuple[Cell, ...]:
    cells, tone = columns.fill_columns(result), tone_of(result.verdict.status)
    middle = (Cell(cells.get(key, ""), tone if key == "verdict" else "plain") for key in keys)
    return (Cell(result.model), *middle, Cell(columns.explain(result)))
