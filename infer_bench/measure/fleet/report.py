"""The report on a fleet: every result, and the worst of their verdicts. Pure but for the clock."""

import datetime
from collections.abc import Sequence

from infer_bench.measure.fleet.plan import TIMED, FleetPlan
from infer_bench.report.common import Environment, Notice, Report, Verdict
from infer_bench.report.fleet import FleetReport, FleetResult
from infer_bench.version import __version__

WORST_FIRST = (70, 4, 1, 6, 2, 5, 3, 0)
"""Exit codes by how bad they are: a bug, then what was shown, what could not be run, what could not be decided."""
MOST_REASONS = 20


def report_on(
    plan: FleetPlan, results: Sequence[FleetResult], environment: Environment, planned: int, *, complete: bool
) -> FleetReport:
    """The report. One that is not `complete` has no verdict."""
    jobs = [{"name": job.name, "command": job.command, "models": list(job.models)} for job in plan.jobs]
    return Report(
        command="fleet",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={"folder": plan.folder, "results": plan.results, "jobs": jobs, "tasks": planned},
        environment=environment,
        results=tuple(results),
        notices=tuple(_note_machines(results)),
        verdict=judge(results) if complete else None,
        complete=complete,
    )


def judge(results: Sequence[FleetResult]) -> Verdict:
    """The worst verdict of all, with its exit code; the reasons are those of all that did not pass, worst first."""
    order = sorted(results, key=lambda result: (_badness(result.verdict), result.model, result.job))
    bad = [result for result in order if result.verdict.exit_code]
    if not bad:
        return Verdict("pass", 0)
    more = len(bad) - MOST_REASONS
    reasons = [_reason(result) for result in bad[:MOST_REASONS]]
    worst = bad[0].verdict
    return Verdict(worst.status, worst.exit_code, (*reasons, *([f"and {more:,} more"] if more > 0 else [])))


def _badness(verdict: Verdict) -> int:
    return WORST_FIRST.index(verdict.exit_code) if verdict.exit_code in WORST_FIRST else 0


def _reason(result: FleetResult) -> str:
    verdict = result.verdict
    return f"{result.model}, {result.job}: {verdict.status}{': ' + verdict.reasons[0] if verdict.reasons else ''}"


def _note_machines(results: Sequence[FleetResult]) -> list[Notice]:
    """Jobs whose times are of several classes of machine."""
    notices = []
    for job in dict.fromkeys(result.job for result in results if result.command in TIMED):
        classes = sorted({result.machine for result in results if result.job == job})
        if len(classes) > 1:
            text = f"the times of {job} are of {len(classes)} classes of machine: {'; '.join(classes)}"
            notices.append(Notice("machine-classes", text, "compare those of one class alone"))
    return notices
