"""Stored baselines: read, and found comparable or not. What they are judged by is in `stored`."""

from dataclasses import replace
from pathlib import Path
from statistics import median

from infer_bench.errors import CannotRun, NotComparable
from infer_bench.gates.fingerprint import Difference, find_differences, fingerprint
from infer_bench.report.bench import BenchReport, BenchResult, Process
from infer_bench.report.common import Notice
from infer_bench.report.serialize import load_report

__all__ = ["PAIRED_HINT", "check_comparable", "load_baseline"]

PAIRED_HINT = "run paired, which needs no stored baseline: --against OLD_MODEL measures both now, on this machine"
_AGAIN = "run the baseline again, with --json PATH, to the end"
_LONGEST_NS = 10**15
"""Eleven days: no request takes as long, and arithmetic on more would end in an overflow."""
_PAIRED_MODES = ("sessions", "forks", "processes")

_HINTS = {
    "python": "store a new baseline after an upgrade",
    "tool": "store a new baseline after an upgrade",
    "kernel": "store a new baseline after an upgrade",
    "governor": "set the governor as it was, or run paired: --against OLD_MODEL",
    "clock": "set the clock's limit as it was, or run paired: --against OLD_MODEL",
    "load": "wait until both are alike, or run paired: --against OLD_MODEL",
    "memory": "store a baseline on each kind of machine",
}


def load_baseline(path: str | Path) -> BenchReport:
    """The report of `bench` in a file.

    Raises:
        CannotRun: it is missing, cut off, not JSON, of a newer schema, not of `bench`, from a run that did not end or
            from a paired gate (whose layouts are no processes), or it holds no sample or an impossible one.
    """
    report = load_report(path)
    if report.command != "bench":
        raise CannotRun(f"{path} is a report of {report.command}, not of bench", "infer-bench bench MODEL --json PATH")
    if not report.complete:
        raise CannotRun(f"{path} is from a run that was interrupted", _AGAIN)
    if report.gate is not None and report.gate.mode in _PAIRED_MODES:
        raise CannotRun(f"{path} is from a paired gate, whose two sides stand for each other only", _AGAIN)
    if not any(_has_samples(result) for result in report.results):
        raise CannotRun(f"{path} holds no valid sample", _AGAIN)
    if not all(_is_possible(result) for result in report.results):
        raise CannotRun(f"{path} holds times that no clock gives: it was not written by infer-bench", _AGAIN)
    return report


def check_comparable(ours: BenchReport, baseline: BenchReport, *, defaults: bool = False) -> tuple[Notice, ...]:
    """Notices on what had better be alike and is not.

    `ours` may be a plan: a report whose results hold no measurement yet, so that a mismatch costs no measuring.
    `defaults`: the candidates of the plan were not named by the user, so that some of them may yet be left out; those
    that the baseline lacks are then not held against it.

    Raises:
        NotComparable: naming every hard field that differs, with both values.
    """
    own = _drop_extra(ours, baseline) if defaults else ours
    hard, soft = find_differences(fingerprint(own), fingerprint(baseline))
    if hard:
        lines = tuple(map(str, hard))
        error = NotComparable(f"the baseline is not comparable: {'; '.join(lines)}", PAIRED_HINT)
        error.fields = lines
        raise error
    return tuple(map(_make_notice, soft))


def _has_samples(result: BenchResult) -> bool:
    floor = result.request.floor_ns if result.request else 0
    return result.failed is None and any(_exceeds_floor(floor, process) for process in result.processes)


def _exceeds_floor(floor: int, process: Process) -> bool:
    """Whether a process's requests took any time: what the loop's floor swallows whole is no measurement."""
    samples = [ns for r in process.rounds for ns in r.request_ns]
    return bool(samples) and median(samples) > floor


def _is_possible(result: BenchResult) -> bool:
    floor = result.request.floor_ns if result.request else 0
    rounds = [r for process in result.processes for r in process.rounds]
    has_calls = result.calls_per_sample >= 1 and all(r.calls_per_sample >= 1 for r in rounds)
    possible = (min(r.request_ns) >= 0 and max(r.request_ns) < _LONGEST_NS for r in rounds if r.request_ns)
    return has_calls and 0 <= floor < _LONGEST_NS and all(possible)


def _drop_extra(ours: BenchReport, baseline: BenchReport) -> BenchReport:
    candidates = {result.candidate for result in baseline.results}
    results = tuple(result for result in ours.results if result.candidate in candidates)
    return replace(ours, results=results) if results else ours


def _make_notice(difference: Difference) -> Notice:
    return Notice(f"baseline-{difference.name}", str(difference), _HINTS[difference.name])
