"""JUnit XML, as CI systems show it: a test case a check of the gate, or a result where there is none."""

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import Report
from infer_bench.report.gate import Check
from infer_bench.reporters.bench import columns as bench_columns
from infer_bench.reporters.bench.groups import name_percentiles, read_percentile
from infer_bench.reporters.bench.names import name_results, number_repeats
from infer_bench.reporters.fleet import junit as fleet_junit
from infer_bench.reporters.gate import columns as gate_columns
from infer_bench.reporters.gate import sentences as gate_sentences
from infer_bench.reporters.gate.groups import CheckGroup, group_checks
from infer_bench.reporters.load import junit as load_junit
from infer_bench.reporters.text import numbers
from infer_bench.reporters.text.layout import clean
from infer_bench.reporters.text.test_case import TestCase

_ELEMENTS = {
    "regressed": "failure",
    "different": "failure",
    "failed": "error",
    "not-comparable": "error",
    "inconclusive": "skipped",
    "advisory": "skipped",
}
_PLURALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


class JUnit:
    """A suite a candidate and batch size, of a load one a rate, of a fleet one a job. What was not judged is skipped.

    What could not run is an error.
    """

    name = "junit"
    commands = frozenset({"bench", "fleet", "load"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole document."""
        suites = _list_suites(report)
        suites += _make_verdict_suite(report, [case for _, cases in suites for case in cases])
        root = ElementTree.Element(
            "testsuites", {"name": "infer-bench", **_count_elements(c for _, cs in suites for c in cs)}
        )
        for name, cases in suites:
            _write_suite(root, report, name, cases)
        ElementTree.indent(root)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _list_suites(report: Report[Any]) -> list[tuple[str, list[TestCase]]]:
    if report.command == "fleet":
        return fleet_junit.list_suites(report)
    if report.command == "load":
        return load_junit.list_suites(report)
    return _make_suites(report) if report.gate is None else [_make_suite(group) for group in group_checks(report)]


def _make_suites(report: Report[BenchResult]) -> list[tuple[str, list[TestCase]]]:
    quantiles = name_percentiles(report.settings)
    pairs = zip(name_results(report), report.results, strict=True)
    return [(name, [_make_case(result, quantiles)]) for name, result in pairs]


def _make_case(result: BenchResult, quantiles: tuple[str, ...]) -> TestCase:
    if not bench_columns.has_numbers(result):
        return TestCase("measured", bench_columns.explain_failure(result), "error", "failed")
    return TestCase("measured", "\n".join(_list_numbers(result, quantiles)))


def _list_numbers(result: BenchResult, quantiles: tuple[str, ...]) -> Iterable[str]:
    for quantile in quantiles if result.request else ():
        if result.request and (value := read_percentile(result.request, quantile)) is not None:
            yield f"{quantile} {numbers.duration(value)}"
    yield f"rows/s {numbers.rate(result.rows_per_s)}"
    yield f"max |Δ| {numbers.delta(result.max_abs_delta)}"
    if result.label_changes:
        yield f"DIFFERENT: another label in {numbers.plural(result.label_changes, 'row')}"


def _make_suite(group: CheckGroup) -> tuple[str, list[TestCase]]:
    cases = [_make_check_case(check) for check in group.checks]
    if (
        group.result is not None
        and not bench_columns.has_numbers(group.result)
        and not any(case.element for case in cases)
    ):
        cases.append(TestCase("measured", bench_columns.explain_failure(group.result), "error", "failed"))
    pairs = zip(number_repeats(case.name for case in cases), cases, strict=True)
    return group.name, [TestCase(name, case.text, case.element, case.kind) for name, case in pairs]


def _make_check_case(check: Check) -> TestCase:
    lines = [gate_columns.describe_check(check), *gate_sentences.describe_sensitivity([check])]
    return TestCase(f"{check.metric} {check.kind}", "\n".join(lines), _ELEMENTS.get(check.outcome, ""), check.outcome)


def _make_verdict_suite(report: Report[BenchResult], cases: list[TestCase]) -> list[tuple[str, list[TestCase]]]:
    """The verdict as a case of its own where no other case shows that the run did not pass."""
    verdict = report.verdict
    element = _ELEMENTS.get(verdict.status, "") if verdict else "" if report.complete else "error"
    if not element or (verdict and any(case.kind == verdict.status for case in cases)):
        return []
    text = "\n".join(verdict.reasons) or verdict.status if verdict else "the run was not finished"
    return [("verdict", [TestCase("verdict", text, element, verdict.status if verdict else "failed")])]


def _count_elements(cases: Iterable[TestCase]) -> dict[str, str]:
    elements = [case.element for case in cases]
    return {"tests": str(len(elements))} | {plural: str(elements.count(name)) for name, plural in _PLURALS.items()}


def _write_suite(root: ElementTree.Element, report: Report[BenchResult], name: str, cases: list[TestCase]) -> None:
    when = {"timestamp": _escape_text(report.created_at)} if report.created_at else {}
    suite = ElementTree.SubElement(root, "testsuite", {"name": _escape_text(name), **_count_elements(cases), **when})
    for case in cases:
        about = {"classname": _escape_text(name), "name": _escape_text(case.name)}
        element = ElementTree.SubElement(suite, "testcase", about)
        lines = [_escape_text(line) for line in case.text.split("\n")]
        if case.element:
            attributes = {"message": lines[0], "type": _escape_text(case.kind)}
            ElementTree.SubElement(element, case.element, attributes).text = "\n".join(lines)
        else:
            ElementTree.SubElement(element, "system-out").text = "\n".join(lines)


def _escape_text(text: str) -> str:
    """One line of characters that XML 1.0 allows; the others as their escapes."""
    return "".join(char if char not in "\ufffe\uffff" else ascii(char)[1:-1] for char in clean(text))
