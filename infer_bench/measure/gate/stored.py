"""`bench --baseline`: a run judged against the report of an earlier one."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from infer_bench.errors import NotComparable, UsageError
from infer_bench.gates.baseline import check_comparable, load_baseline
from infer_bench.gates.rules import decide_verdict
from infer_bench.gates.stored import build_stored_gate, check_limits, judge_stored
from infer_bench.measure.bench import run as bench
from infer_bench.measure.bench.run import Save
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress
from infer_bench.report.bench import BenchReport
from infer_bench.report.common import Notice, Verdict


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    gate: GateSettings,
    settings: Settings,
    progress: Progress | None = None,
    save: Save | None = None,
    begin_ns: int | None = None,
) -> BenchReport:
    """Measure as the stored run did and judge; the candidates are those of the baseline where none are named.

    Where a fingerprint differs the verdict is `not-comparable`, and nothing is measured if that is known before. Raises
    `CannotRun` for a broken baseline, `UsageError` for limits that a stored baseline cannot carry.
    """
    begin_ns, shares = begin_ns or time.perf_counter_ns(), gate.limits.shares
    if gate.baseline is None:
        raise UsageError("there is no baseline")
    if gate.limits.bounds or gate.limits.max_delta is not None:
        raise UsageError("--limit and --max-delta do not go with --baseline", "give them in a run of their own")
    check_limits(shares)
    baseline = load_baseline(gate.baseline)
    texts = list(candidates) or list(dict.fromkeys(result.candidate for result in baseline.results))
    reports: list[BenchReport] = []

    def check_plan(plan: BenchReport) -> None:
        reports.append(plan)
        check_comparable(plan, baseline)

    common: dict[str, Any] = {"settings": settings, "progress": progress, "save": save, "ready": check_plan}
    common["begin_ns"] = begin_ns
    try:
        reports.append(bench.run(models, data=data, candidates=texts, **common))
        report = _judge(reports[-1], baseline, gate, begin_ns)
    except NotComparable as error:
        report = _refuse(reports[-1], error)
    if save:
        save(report)
    return report


def _refuse(report: BenchReport, error: NotComparable) -> BenchReport:
    """The plan, or what was measured, with what keeps it from being compared. That a candidate failed comes first."""
    verdict, results = Verdict("not-comparable", error.exit_code, error.fields), report.results
    if not report.complete:
        results = tuple(replace(result, failed="the baseline is not comparable") for result in results)
    elif report.verdict is not None and report.verdict.status == "failed":
        verdict = replace(report.verdict, reasons=(*report.verdict.reasons, *error.fields))
    notice = Notice("not-comparable", "nothing was judged: the baseline is of something else", error.hint)
    return replace(report, results=results, notices=(*report.notices, notice), verdict=verdict, complete=True)


def _judge(report: BenchReport, baseline: BenchReport, gate: GateSettings, begin_ns: int) -> BenchReport:
    notices, errors = check_comparable(report, baseline), gate.limits.errors
    checks = judge_stored(report, baseline, gate.limits.shares, errors.alpha, errors.beta)
    failures = report.verdict.reasons if report.verdict else ()
    return replace(
        report,
        notices=(*report.notices, *notices),
        gate=build_stored_gate(report, baseline, checks, errors.alpha, errors.beta, time.perf_counter_ns() - begin_ns),
        verdict=decide_verdict(checks, failures, gate.limits.inconclusive),
    )
