"""`bench --baseline`: a run judged against the report of an earlier one."""

import time
from collections.abc import Sequence
from dataclasses import replace

from infer_bench.baselines import check_comparable, load_baseline
from infer_bench.errors import UsageError
from infer_bench.gates import verdict
from infer_bench.measure import bench
from infer_bench.measure.bench import Save
from infer_bench.measure.gate_settings import GateSettings
from infer_bench.measure.progress import Progress
from infer_bench.measure.settings import Settings
from infer_bench.results import BenchReport
from infer_bench.stored import check_limits, judge_stored, stored_gate


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

    Raises `NotComparable` before anything is measured where a fingerprint differs, `CannotRun` for a broken baseline,
    `UsageError` for limits that a stored baseline cannot carry.
    """
    allowed, begun = gate.allowed, time.perf_counter_ns()
    if gate.baseline is None:
        raise UsageError("there is no baseline")
    if allowed.bounds or allowed.max_delta is not None:
        raise UsageError("--limit and --max-delta do not go with --baseline", "give them in a run of their own")
    check_limits(allowed.shares)
    stored = load_baseline(gate.baseline)
    named = list(candidates) or list(dict.fromkeys(result.candidate for result in stored.results))

    def ready(plan: BenchReport) -> None:
        check_comparable(plan, stored)

    report = bench.run(
        models, data=data, candidates=named, settings=settings, progress=progress, save=save, ready=ready
    )
    told = check_comparable(report, stored)
    checks = judge_stored(report, stored, allowed.shares, allowed.errors.alpha, allowed.errors.beta)
    wall = time.perf_counter_ns() - begun
    judged = replace(
        report,
        notices=(*report.notices, *told),
        gate=stored_gate(report, stored, checks, allowed.errors.alpha, allowed.errors.beta, wall),
        verdict=verdict(checks, report.verdict.reasons if report.verdict else (), allowed.inconclusive),
    )
    if save:
        save(judged)
    return judged
