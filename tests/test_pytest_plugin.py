"""The plug-in: a verdict becomes what a test can end as, with its reasons, and never a traceback."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.pytest_plugin import judge
from infer_bench.report.common import Verdict
from infer_bench.report.serialize import load_report

pytest_plugins = ["pytester"]
SAVED: Any = load_report(Path(__file__).parent / "saved" / "gate.json")


def with_status(status: Any) -> Any:
    return replace(SAVED, verdict=Verdict(status, 1, ("p50: 1.20 times the baseline's",)))


@pytest.mark.parametrize("status", ["regressed", "different", "failed", "not-comparable"])
def test_what_is_no_pass_fails_with_its_reasons(status: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=rf"{status}: p50: 1\.20 times"):
        judge(with_status(status))


def test_inconclusive_is_what_was_chosen() -> None:
    report = with_status("inconclusive")
    with pytest.raises(pytest.skip.Exception, match="inconclusive"):
        judge(report)
    with pytest.raises(pytest.fail.Exception):
        judge(report, "fail")
    judge(report, "pass")
    judge(with_status("pass"))
    judge(replace(SAVED, verdict=None))


def test_a_suite_gates_its_models(pytester: pytest.Pytester) -> None:
    """With limits that lie far from any model: one holds, one is broken, and one model is not there."""
    model = Path(__file__).parents[1] / "sample_models/tumour_zipmap.onnx"
    pytester.makepyfile(
        f"""
        MODEL = {str(model)!r}
        QUICK = dict(candidates=["onnxruntime:feed=ndarray"], budget_s=60.0)

        def test_it_is_small(infer_bench_gate):
            report = infer_bench_gate(MODEL, limits="size<1MB", **QUICK)
            assert report.verdict.status == "pass"

        def test_it_is_tiny(infer_bench_gate):
            infer_bench_gate(MODEL, limits="size<1kB", **QUICK)

        def test_it_is_there(infer_bench_gate):
            infer_bench_gate("nowhere.onnx", limits="size<1kB", **QUICK)

        def test_it_is_judged(infer_bench_gate):
            infer_bench_gate(MODEL, agianst=MODEL)
        """
    )
    outcome = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=1, failed=3)
    outcome.stdout.fnmatch_lines(["*regressed: size*", "*nowhere.onnx*", "*nothing to judge by*agianst*"])
    outcome.stdout.no_fnmatch_line("*During handling*")
    outcome.stdout.no_fnmatch_line("*Traceback*")
