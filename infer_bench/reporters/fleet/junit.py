"""A fleet as test cases: a suite a job, a case a model."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.fleet import FleetResult
from infer_bench.reporters.fleet import columns
from infer_bench.reporters.text.test_case import TestCase

_ELEMENTS = {"pass": "", "regressed": "failure", "different": "failure", "inconclusive": "skipped"}


def list_suites(report: Report[Any]) -> list[tuple[str, list[TestCase]]]:
    """A suite a job."""
    jobs = dict.fromkeys(result.job for result in report.results)
    return [(job, [_make_case(result) for result in report.results if result.job == job]) for job in jobs]


def _make_case(result: FleetResult) -> TestCase:
    status = result.verdict.status
    element = _ELEMENTS.get(status, "error")
    if element:
        return TestCase(result.model, columns.explain(result) or status, element, status)
    cells = columns.fill_columns(result)
    return TestCase(
        result.model, "\n".join(f"{columns.TITLES[key]} {text}" for key, text in cells.items() if key != "job")
    )
