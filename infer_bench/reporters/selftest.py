"""What the gate said in its self-test, as a table: false alarms and power with their bounds."""

from collections.abc import Iterable, Mapping
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.selftest import TrialsResult
from infer_bench.reporters.text import numbers, ratios
from infer_bench.reporters.text.grid import Grid, Row, draw_record, fit
from infer_bench.reporters.text.layout import clean, measure_width, style, wrap

TITLES = {
    "metric": "judged at",
    "trials": "trials",
    "regressed": "regressed",
    "share": "share (95 %)",
    "passed": "pass",
    "unclear": "inconclusive",
    "measured": "seen as",
    "time": "measuring",
    "wall": "wall",
}


def draw_selftest(report: Report[Any], width: int | None, color: bool) -> list[str]:
    """The whole text; a section for each number of CPU hogs."""
    groups = group_trials(report)
    rows = {hogs: [fill_row(result) for result in of_load] for hogs, of_load in groups.items()}
    every = [row for of_load in rows.values() for row in of_load]
    if not every:
        return ["No trial was made."]
    grid = fit(TITLES, every, [name_load(hogs) for hogs in rows], width)
    text = wrap(clean(describe_run(report)), width)
    for hogs, of_load in rows.items():
        text += ["", *(style(line, "bold", color) for line in _draw_heading(grid, hogs, width))]
        text += [line for row in of_load for line in _draw_row(grid, row, width)]
    return [*text, "", *(line for sentence in list_sentences(report) for line in wrap(clean(sentence), width))]


def group_trials(report: Report[Any]) -> Mapping[int, list[TrialsResult]]:
    """What was tried, by the number of CPU hogs beside it."""
    groups: dict[int, list[TrialsResult]] = {}
    for result in report.results:
        if result.trials or result.failed:
            groups.setdefault(result.hogs, []).append(result)
    return groups


def name_load(hogs: int) -> str:
    """What else ran: `quiet`, or `2 CPU hogs`."""
    return "quiet" if not hogs else f"{numbers.plural(hogs, 'CPU hog')}"


def _draw_heading(grid: Grid | None, hogs: int, width: int | None) -> list[str]:
    return grid.head(name_load(hogs)) if grid else wrap(name_load(hogs), width)


def _draw_row(grid: Grid | None, row: Row, width: int | None) -> list[str]:
    text = grid.body(row) if grid else draw_record(TITLES, row, width)
    too_wide = width is not None and max(map(measure_width, text)) > width
    return draw_record(TITLES, row, width) if too_wide else text


def describe_run(report: Report[Any]) -> str:
    """The model, what a request takes, and how many trials ran at once."""
    settings: Mapping[str, Any] = report.settings
    requests = [result.request_ns for result in report.results if result.request_ns]
    speed = f", {numbers.duration(min(requests))} a request" if requests else ""
    jobs = settings.get("jobs")
    together = f", {jobs} trials at once" if isinstance(jobs, int) and jobs > 1 else ""
    return f"self-test of the gate on {settings.get('model')}{speed}: fresh workers in every trial{together}"


def fill_row(result: TrialsResult) -> Row:
    """What was planted, and the cells of `TITLES`."""
    delay = f"+{ratios.allowance(result.planted)} planted" if result.planted else "nothing planted"
    if result.planted and result.every > 1:
        delay += f" in 1 of {result.every}"
    cells = {
        "metric": f"{result.metric}, {ratios.allowance(result.limit)}",
        "trials": numbers.count(result.trials) + (f" (+{result.failed} failed)" if result.failed else ""),
        "regressed": numbers.count(result.regressed),
        "share": ratios.often(result.share, result.low, result.high),
        "passed": numbers.count(result.passed),
        "unclear": numbers.count(result.inconclusive),
        "measured": numbers.MISSING if result.measured is None else ratios.change(result.measured),
        "time": numbers.coarse(result.measured_ns),
        "wall": numbers.coarse(result.wall_ns),
    }
    return Row(delay, (), cells)


def list_sentences(report: Report[Any]) -> Iterable[str]:
    """What the gate promises, and what the verdict rests on."""
    alpha = report.settings.get("alpha")
    if isinstance(alpha, float):
        yield f"A gate promises at most {ratios.allowance(alpha)} of false alarms."
    if not report.complete:
        yield "The run was not finished: these are the trials up to its end."
    yield from report.verdict.reasons if report.verdict else ()
