"""A pytest plug-in: a fixture that gates a model inside a test suite, with the rules of `infer-bench bench --against`.

def test_the_model_is_no_slower(infer_bench_gate):
    infer_bench_gate("models/new.onnx", against="models/old.onnx", data="rows.parquet", max_regression="5%")
"""

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from infer_bench.report.bench import BenchReport

Gate = Callable[..., "BenchReport"]
INCONCLUSIVE = ("skip", "fail", "pass")
JUDGED_BY = ("against", "against_python", "limits")
OPTION = "--infer-bench-inconclusive"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says what an inconclusive gate does to its test."""
    parser.getgroup("infer-bench").addoption(
        OPTION,
        choices=INCONCLUSIVE,
        default="skip",
        help="what becomes of a test whose gate is inconclusive (default: skip, with the reason)",
    )


@pytest.fixture
def infer_bench_gate(pytestconfig: pytest.Config) -> Gate:
    """Gate a model: takes what `infer_bench.bench` takes, and returns its report where the verdict is *pass*.

    The test fails for a regression, a broken limit, predictions that differ and what cannot run, each with its reasons.
    What is inconclusive skips the test, unless `--infer-bench-inconclusive` says otherwise.
    """
    choice: str = pytestconfig.getoption(OPTION)

    def gate(model: str | PathLike[str], **criteria: Any) -> "BenchReport":
        report = _measure(model, criteria)
        if isinstance(report, str):
            pytest.fail(report, pytrace=False)
        judge(report, choice)
        return report

    return gate


def _measure(model: str | PathLike[str], criteria: dict[str, Any]) -> "BenchReport | str":
    """The report, or why there is none."""
    from infer_bench import bench
    from infer_bench.errors import InferBenchError

    if not any(criteria.get(name) for name in JUDGED_BY):
        names = ", ".join(criteria) or "nothing"
        return f"nothing to judge by was given: one of {', '.join(JUDGED_BY)} (there is {names})"
    try:
        report: BenchReport = bench(model, **criteria)
    except InferBenchError as error:
        return str(error)
    return report


def judge(report: "BenchReport", inconclusive: str = "skip") -> None:
    """Fail or skip the running test where the report's verdict is not *pass*."""
    if report.verdict is None or report.verdict.status == "pass":
        return
    status, reasons = report.verdict.status, "; ".join(report.verdict.reasons)
    text = f"{status}: {reasons or 'see the report'}"
    if status != "inconclusive" or inconclusive == "fail":
        pytest.fail(text, pytrace=False)
    if inconclusive == "skip":
        pytest.skip(text)
