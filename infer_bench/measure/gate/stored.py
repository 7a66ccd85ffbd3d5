"""`bench --baseline`: a run judged against the report of an earlier one."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from infer_bench.errors import NotComparable, UsageError
from infer_bench.gates.baseline import check_comparable, load_baseline
from infer_bench.gates.rules import verdict
from infer_bench.gates.stored import check_limits, judge_stored, stored_gate
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
) -> BenchReport:
    """Measure as the stored run did and judge; the candidates are the stored ones where none are named.

    Where a fingerprint differs the verdict is `not-comparable`, and nothing is measured if that is known before. Raises
    `CannotRun` for a broken baseline, `UsageError` for limits that a stored baseline cannot carry.
    """
    begun, shares = time.perf_counter_ns(), gate.allowed.shares
    if gate.baseline is None:
        raise UsageError("there is no baseline")
    if gate.allowed.bounds or gate.allowed.max_delta is not None:
        raise UsageError("--limit and --max-delta do not go with --baseline", "give them in a run of their own")
    check_limits(shares)
    stored = load_baseline(gate.baseline)
    named = list(candidates) or list(dict.fromkeys(result.candidate for result in stored.results))

    known: list[BenchReport] = []

    def ready(plan: BenchReport) -> None:
        known.append(plan)
        check_comparable(plan, stored)

    how: dict[str, Any] = {"data": data, "settings": settings, "progress": progress, "save": save, "ready": ready}
    try:
        known.append(bench.run(models, candidates=named, **how))
        report = _judged(known[-1], stored, gate, begun)
    except NotComparable as error:
        report = _refused(known[-1], error)
    if save:
        save(report)
    return report


def _refused(report: BenchReport, error: NotComparable) -> BenchReport:
    """The plan, or what was measured, with what keeps it from being compared. That a candidate failed comes first."""
    verdict, results = Verdict("not-comparable", error.exit_code, error.fields), report.results
    if not report.complete:
        results = tuple(replace(result, failed="the baseline is not comparable") for result in results)
    elif report.verdict is not None and report.verdict.status == "failed":
        verdict = replace(report.verdict, reasons=(*report.verdict.reasons, *error.fields))
    told = Notice("not-comparable", "nothing was judged: the baseline is of something else", error.hint)
    return replace(report, results=results, notices=(*report.notices, told), verdict=verdict, complete=True)


def _judged(report: BenchReport, stored: BenchReport, gate: GateSettings, begun: int) -> BenchReport:
    told, errors = check_comparable(report, stored), gate.allowed.errors
    checks = judge_stored(report, stored, gate.allowed.shares, errors.alpha, errors.beta)
    failures = report.verdict.reasons if report.verdict else ()
    return replace(
        report,
        notices=(*report.notices, *told),
        gate=stored_gate(report, stored, checks, errors.alpha, errors.beta, time.perf_counter_ns() - begun),
        verdict=verdict(checks, failures, gate.allowed.inconclusive),
    )
