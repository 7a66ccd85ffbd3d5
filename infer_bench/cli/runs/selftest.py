"""Runs the self-test of the gate."""

import os
import time
from collections.abc import Sequence

from infer_bench.cli.delivery import Delivery, Save, tell_verdict
from infer_bench.cli.options.reading import read_numbers
from infer_bench.cli.progress import ProgressLine
from infer_bench.gates.limits import parse_regressions
from infer_bench.measure.settings import Settings
from infer_bench.report.selftest import SelfTestReport

TRIALS = 40
SAVE_S = 5.0


def run_selftest(
    models: Sequence[str],
    data: str | None,
    candidates: Sequence[str],
    trials: int | None,
    hogs: str | None,
    jobs: int | None,
    max_regression: str | None,
    settings: Settings,
    to: Delivery,
) -> int:
    """Make the trials, write and render; returns the verdict's exit code. The JSON file is renewed between trials."""
    from infer_bench.measure.gate.selftest import run  # what gates are made of, which a bench does without
    from infer_bench.measure.gate.trials import SHARES

    loads = read_numbers(hogs, int, "hogs") if hogs else (0, os.cpu_count() or 1)
    with to.open_files("self-test") as save, ProgressLine() as progress:
        report = run(
            models,
            data=data,
            candidates=candidates,
            trials=TRIALS if trials is None else trials,
            cpu_loads=loads,
            jobs=1 if jobs is None else jobs,
            settings=settings,
            progress=progress,
            save=save_seldom(save),
            shares=parse_regressions(max_regression) if max_regression else SHARES,
        )
    to.deliver(report)
    return tell_verdict(report)


def save_seldom(save: Save) -> Save:
    """`save`, but no more than once in `SAVE_S` seconds until the report is complete."""
    last_s = 0.0

    def save_when_due(report: SelfTestReport) -> None:
        nonlocal last_s
        if report.complete or time.monotonic() - last_s > SAVE_S:
            save(report)
            last_s = time.monotonic()

    return save_when_due
