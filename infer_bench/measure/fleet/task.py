"""One task in a process of its own: whatever becomes of it, the others go on."""

import contextlib
import os
import subprocess
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from infer_bench.errors import CannotRun
from infer_bench.formats.model_files import find_weights, hash_model
from infer_bench.machine.exit_codes import name_signal
from infer_bench.measure.command_process import run_command
from infer_bench.measure.fleet.figures import find_figures
from infer_bench.measure.fleet.keys import machine_class
from infer_bench.measure.fleet.plan import FleetJob, Task
from infer_bench.report.common import Environment, Report, Verdict
from infer_bench.report.fleet import FleetResult
from infer_bench.report.serialize import load_report

BUG = 70
_CODES = frozenset({1, 2, 3, 4, 5, 6, BUG})
_STATUS = {1: "regressed", 3: "inconclusive", 4: "different", 5: "not-comparable"}
_REASON_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where tasks run and keep their reports: both folders absolute, and what the machine is."""

    folder: str
    results: str
    environment: Environment

    def report_file(self, key: str) -> str:
        """The file of the report under a key."""
        return os.path.join(self.results, f"{key}.json")


def find_result(task: Task, key: str, place: Place) -> FleetResult | None:
    """The result that is there already; None where there is none, or where the file that it made is not there."""
    path = place.report_file(key)
    if not os.path.exists(path):
        return None
    try:
        report = load_report(path)
    except CannotRun:
        return None
    if not report.complete or not _is_output_there(task, report, place):
        return None
    return _make_result(task, key, place, report, reused=True)


def _is_output_there(task: Task, report: Report[Any], place: Place) -> bool:
    outputs = [output for result in report.results if (output := getattr(result, "output", None)) is not None]
    if task.output is None or not outputs:
        return True
    file = Path(place.folder, task.output)
    try:
        return all(hash_model(file, find_weights(file, output.format)) == output.sha256 for output in outputs)
    except OSError:
        return False


def run_task(task: Task, key: str, place: Place) -> FleetResult:
    """Run the task's command line and read its report. Never raises but for an interruption."""
    path, start = place.report_file(key), time.monotonic_ns()
    partial = f"{path}.{uuid.uuid4().hex}.part"
    try:
        os.makedirs(place.results, exist_ok=True)
        if task.output is not None:
            os.makedirs(os.path.dirname(os.path.join(place.folder, task.output)) or ".", exist_ok=True)
        process = run_command([task.command, f"--json={partial}", *task.arguments], place.folder)
        return _read_result(task, key, place, process, partial, time.monotonic_ns() - start)
    except OSError as error:
        text = f"it could not be run: {error.strerror}"
        return _failed(task, key, place, 6, text, time.monotonic_ns() - start)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)


def _read_result(
    task: Task, key: str, place: Place, process: "subprocess.CompletedProcess[bytes]", partial: str, elapsed_ns: int
) -> FleetResult:
    report = None
    if os.path.exists(partial):
        try:
            report = load_report(partial)
        except CannotRun:
            report = None
    code = process.returncode
    is_consistent = (
        report is not None and report.complete and (report.verdict.exit_code if report.verdict else 0) == code
    )
    if report is None or not is_consistent:
        return _failed(task, key, place, code, _last_error(process.stderr), elapsed_ns)
    os.replace(partial, place.report_file(key))
    return _make_result(task, key, place, report, elapsed_ns=elapsed_ns)


def _make_result(
    task: Task, key: str, place: Place, report: Report[Any], *, reused: bool = False, elapsed_ns: int = 0
) -> FleetResult:
    return FleetResult(
        model=task.model,
        job=task.job,
        command=task.command,
        verdict=report.verdict or Verdict("pass", 0),
        report=os.path.relpath(place.report_file(key), place.folder),
        key=key,
        machine=machine_class(report.environment),
        reused=reused,
        figures=find_figures(report),
        elapsed_ns=elapsed_ns,
    )


def fail_job(job: FleetJob, reason: str, environment: Environment) -> FleetResult:
    """The result of a job that found no model."""
    verdict = Verdict("failed", CannotRun.exit_code, (reason,))
    model = ", ".join(job.models)
    return FleetResult(model, job.name, job.command, verdict, None, "", machine_class(environment))


def refuse_changed(result: FleetResult, place: Place) -> FleetResult:
    """In place of the result of a task whose files changed meanwhile: nobody knows which of them it is of."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.report_file(result.key))
    verdict = Verdict("failed", CannotRun.exit_code, ("a file that it reads changed while it ran",))
    return replace(result, verdict=verdict, report=None, figures={})


def give_up(task: Task, key: str, place: Place, reason: str) -> FleetResult:
    """The result of a task that could not be run at all."""
    return _failed(task, key, place, CannotRun.exit_code, reason, 0)


def _failed(task: Task, key: str, place: Place, code: int, text: str, elapsed_ns: int) -> FleetResult:
    if code < 0:
        text = f"the process was ended by {name_signal(-code)}"
    exit_code = code if code in _CODES else 6
    status = _STATUS.get(exit_code, "failed")
    verdict = Verdict(status, exit_code, (text or f"it ended with exit code {code}",))  # type: ignore[arg-type]
    machine = machine_class(place.environment)
    return FleetResult(task.model, task.job, task.command, verdict, None, key, machine, elapsed_ns=elapsed_ns)


def _last_error(stderr: bytes) -> str:
    """The error that a command told, without what stands before and behind it."""
    lines = [
        line.strip() for line in stderr.decode("utf-8", "replace").replace("\r", "\n").splitlines() if line.strip()
    ]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1][:_REASON_LENGTH]
