"""What every view of a fleet shows of a result, as text."""

from collections.abc import Sequence
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.fleet import FleetResult
from infer_bench.reporters.text import numbers

TITLES = {
    "job": "job",
    "rows": "rows",
    "max_abs_delta": "max |Δ|",
    "label_changes": "labels",
    "p50_ns": "p50",
    "p99_ns": "p99",
    "verdict": "verdict",
}
_ALWAYS = frozenset({"job", "verdict"})


def select_columns(results: Sequence[FleetResult]) -> dict[str, str]:
    """The titles by key, of the figures that some result has."""
    present = {key for result in results for key, value in result.figures.items() if value is not None}
    return {key: title for key, title in TITLES.items() if key in _ALWAYS or key in present}


def fill_columns(result: FleetResult) -> dict[str, str]:
    """The texts by key."""
    texts = {key: _format(key, value) for key, value in result.figures.items() if value is not None}
    status = result.verdict.status + (" (as before)" if result.reused else "")
    return {**texts, "job": result.job, "verdict": status if result.verdict.exit_code == 0 else status.upper()}


def _format(key: str, value: float) -> str:
    if key.endswith("_ns"):
        return numbers.duration(value)
    return numbers.delta(value) if key == "max_abs_delta" else numbers.count(int(value))


def explain(result: FleetResult) -> str:
    """Why a result did not pass; empty where it did."""
    return "; ".join(result.verdict.reasons) if result.verdict.exit_code else ""


def list_machines(report: Report[Any]) -> tuple[str, ...]:
    """The classes of machine that the results are from."""
    return tuple(sorted({result.machine for result in report.results}))


def summarise(report: Report[Any]) -> str:
    """How many results of how many models passed, in words."""
    results: Sequence[FleetResult] = report.results
    models = len({result.model for result in results})
    passing = sum(result.verdict.exit_code == 0 for result in results)
    reused = sum(result.reused for result in results)
    text = f"{numbers.count(passing)} of {numbers.plural(len(results), 'result')} on {numbers.plural(models, 'model')}"
    before = f", {numbers.count(reused)} of the results as before" if reused else ""
    task_count = int(report.settings.get("tasks", len(results)))
    rest = "" if report.complete else f"; not finished: {numbers.count(task_count - len(results))} are still to come"
    return f"{text} pass{before}{rest}"
