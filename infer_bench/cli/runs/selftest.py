"""Runs the self-test of the gate with its progress line and its report, which is whole after every trial."""

import contextlib
import os
import sys
import time
from collections.abc import Sequence

from infer_bench.cli.delivery import deliver
from infer_bench.cli.options import numbers
from infer_bench.cli.progress import ProgressLine
from infer_bench.cli.runs.bench import Delivery
from infer_bench.gates.limits import regressions
from infer_bench.measure.gate.selftest import run
from infer_bench.measure.gate.trials import SHARES
from infer_bench.measure.settings import Settings
from infer_bench.output import OutputFile
from infer_bench.report.selftest import SelfTestReport
from infer_bench.report.serialize import dump
from infer_bench.reporters.registry import find

SAVE_S = 5.0


def selftested(
    models: Sequence[str],
    data: str | None,
    candidates: Sequence[str],
    trials: int,
    hogs: str | None,
    jobs: int,
    max_regression: str | None,
    settings: Settings,
    to: Delivery,
) -> int:
    """Make the trials, write and render; returns the verdict's exit code."""
    format = to.rendered_as
    find(format, "self-test")
    loads = numbers(hogs, int, "hogs") if hogs else (0, os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        saved = stack.enter_context(OutputFile(to.json)) if to.json and to.json != "-" else None
        if to.output and to.output != "-":
            stack.enter_context(OutputFile(to.output))
        progress = stack.enter_context(ProgressLine())
        last = [0.0]

        def save(report: SelfTestReport) -> None:
            if saved is not None and (report.complete or time.monotonic() - last[0] > SAVE_S):
                saved.write_atomic(dump(report))
                last[0] = time.monotonic()

        report = run(
            models,
            data=data,
            candidates=candidates,
            trials=trials,
            hogs=loads,
            jobs=jobs,
            settings=settings,
            progress=progress,
            save=save,
            shares=regressions(max_regression) if max_regression else SHARES,
        )
    deliver(report, format, to.output)
    for reason in report.verdict.reasons if report.verdict else ():
        print(f"{report.verdict.status if report.verdict else ''}: {reason}", file=sys.stderr)
    return report.verdict.exit_code if report.verdict else 0
