"""Runs a bench with its progress line and its files, which are opened before anything is measured."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.cli.delivery import deliver
from infer_bench.cli.github import tell_github
from infer_bench.cli.progress import ProgressLine
from infer_bench.errors import UsageError
from infer_bench.gates.baseline import PAIRED_HINT
from infer_bench.measure import api as bench
from infer_bench.measure.gate.settings import GateSettings
from infer_bench.measure.settings import Settings
from infer_bench.output import OutputFile
from infer_bench.report.bench import BenchReport
from infer_bench.report.serialize import dump
from infer_bench.reporters.registry import find


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the report goes, and how it is rendered; `baseline` is where it is kept to be compared with."""

    json: str | None
    format: str
    output: str | None
    phases: bool
    baseline: str | None = None

    @property
    def rendered_as(self) -> str:
        """The format; JSON where stdout is to carry it. Raises `UsageError` when stdout is to carry two."""
        if self.json != "-" or self.output not in (None, "-"):
            return self.format
        if self.format not in ("table", "json"):
            raise UsageError("stdout cannot carry both --json - and another format", "name a file for one of them")
        return "json"


def measured(
    models: Sequence[str],
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    gate: GateSettings,
    to: Delivery,
) -> int:
    """Bench or judge, write and render; returns the verdict's exit code. After every round the JSON file is whole."""
    format = to.rendered_as
    find(format, "bench")
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(OutputFile(to.json)) if to.json and to.json != "-" else None
        keep = stack.enter_context(_kept(to.baseline)) if to.baseline else None
        if to.output and to.output != "-":
            stack.enter_context(OutputFile(to.output))
        progress = stack.enter_context(ProgressLine())

        def save(report: BenchReport) -> None:
            if file is not None:
                file.write_atomic(dump(report))

        how: dict[str, Any] = {"settings": settings, "progress": progress, "save": save}
        report = _made(models, gate, how | {"data": data, "candidates": candidates})
        if keep is not None:
            keep(report)
    deliver(report, format, to.output, phases=to.phases)
    tell_github(report)
    return _code(report)


@contextlib.contextmanager
def _kept(path: str) -> Iterator[Callable[[BenchReport], None]]:
    """What keeps a report as the baseline: once, when it is whole and nothing failed. Else it says so.

    The baseline that lies there may be the only one: half a run must not take its place.
    """
    kept = False
    with OutputFile(path) as file:

        def keep(report: BenchReport) -> None:
            nonlocal kept
            if report.complete and (report.verdict is None or report.verdict.status == "pass"):
                file.write_atomic(dump(report))
                kept = True

        try:
            yield keep
        finally:
            if not kept:
                print(f"note: no baseline was saved, {path} is as it was", file=sys.stderr)


def _made(models: Sequence[str], gate: GateSettings, how: Mapping[str, Any]) -> BenchReport:
    """A bench, or a gate of one kind or the other."""
    if gate.baseline is not None:
        from infer_bench.measure.gate import stored as stored_run

        return stored_run.run(models, gate=gate, **how)
    if gate.asked:
        from infer_bench.measure.gate import run as judged

        return judged.run(models, gate=gate, **how)
    return bench.run(models, **how)


def _code(report: BenchReport) -> int:
    if report.verdict is None:
        return 0
    for reason in report.verdict.reasons:
        print(f"{report.verdict.status}: {reason}", file=sys.stderr)
    if report.verdict.status == "not-comparable":
        print(f"hint: {PAIRED_HINT}", file=sys.stderr)
    return report.verdict.exit_code
