"""A load as test cases: whether it is valid, and each limit."""

from collections.abc import Iterator
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.load import LoadResult
from infer_bench.reporters.load import columns
from infer_bench.reporters.text.test_case import TestCase

_ELEMENTS = {"holds": "", "broken": "failure", "undecided": "skipped"}
_KINDS = {"holds": "", "broken": "regressed", "undecided": "inconclusive"}


def list_suites(report: Report[Any]) -> list[tuple[str, list[TestCase]]]:
    """A suite a rate."""
    if columns.is_search(report):
        return [(report.results[0].target, [_make_search_case(report)])]
    return [(f"{result.target} at {columns.name_rate(result)}", list(_list_cases(result))) for result in report.results]


def _make_search_case(report: Report[Any]) -> TestCase:
    lines = columns.describe_report(report)
    verdict = report.verdict
    if verdict is None or verdict.status == "pass":
        return TestCase("rate", "\n".join(lines))
    element = {"regressed": "failure", "inconclusive": "skipped"}.get(verdict.status, "error")
    return TestCase("rate", "\n".join([*verdict.reasons, *lines]), element, verdict.status)


def _list_cases(result: LoadResult) -> Iterator[TestCase]:
    cells = columns.fill_columns(result)
    lines = [f"{title} {cells[key]}" for key, title in columns.TITLES.items()]
    invalid = [f"{text} ({hint})" for text, hint in columns.describe_invalid(result)]
    if invalid:
        yield TestCase("valid", "\n".join(invalid), "skipped", "inconclusive")
    else:
        yield TestCase("valid", "\n".join([*lines, *columns.list_sentences(result)]))
    if result.comparison is not None:
        kind = "different" if result.comparison.different else ""
        yield TestCase("answers", columns.describe_comparison(result), "failure" if kind else "", kind)
    for limit in result.limits:
        yield TestCase(limit.text, columns.describe_limit(limit), _ELEMENTS[limit.status], _KINDS[limit.status])
