"""Gates on two equal pandas functions, and on one that does more: how often each verdict comes, and how soon.

    python benchmarks/function_gates.py [TRIALS] [BUDGET_S] [LIMIT] [PER_CENT,...]

Each trial is a whole gate on p50 and p95, from reading the rows to the verdict. What is planted is an empty loop in
every request of the candidate, calibrated by a gate; what was measured of it is printed beside it.
"""

import os
import platform
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from infer_bench.measure.gate.run import run
from infer_bench.measure.gate.settings import build_gate_settings
from infer_bench.measure.schedule.layouts import InjectedDelay
from infer_bench.measure.settings import Settings
from infer_bench.report.bench import BenchReport

FUNCTIONS = """
import numpy as np
import pandas as pd

COLUMNS = [f"f{i}" for i in range(20)]
WEIGHTS = np.linspace(0, 1, 20)


def score(record):
    frame = pd.DataFrame([record]).reindex(columns=COLUMNS).fillna(0.0)
    return float((frame.to_numpy(dtype=float) * WEIGHTS).sum())


def score_again(record):
    frame = pd.DataFrame([record]).reindex(columns=COLUMNS).fillna(0.0)
    return float((frame.to_numpy(dtype=float) * WEIGHTS).sum())
"""
NEW, OLD = "scoring:score", "scoring:score_again"
_CALIBRATION_SEED = 1_000_000
"""Above those of the trials."""


def race(turns: int, seed: int, budget_s: float, limit: str) -> BenchReport:
    """One gate."""
    gate = build_gate_settings({}, against=OLD, max_regression=limit)
    delays = {(NEW, "callable"): InjectedDelay(turns)} if turns else {}
    settings = Settings(budget_s=budget_s, seed=seed)
    return run([NEW], data="rows.csv", candidates=(), gate=gate, settings=settings, delays=delays)


def calibrate(budget_s: float) -> float:
    """The turns of the planted loop that make a request twice as long."""
    turns = 10_000
    gate = race(turns, _CALIBRATION_SEED, budget_s, "900%").gate
    assert gate is not None
    ratio = gate.checks[0].ratio
    assert ratio is not None
    return turns / (ratio - 1)


def describe(share: float, reports: list[BenchReport]) -> str:
    """A line of the table: verdicts, by metric, what was measured, and the time it took."""
    gates = [report.gate for report in reports if report.gate]
    verdicts = Counter(report.verdict.status for report in reports if report.verdict)
    parts = [f"+{share:.0%} planted, {len(reports)} gates: {dict(verdicts)}"]
    for place, metric in enumerate(("p50", "p95")):
        checks = [gate.checks[place] for gate in gates]
        ratios = [check.ratio - 1 for check in checks if check.ratio is not None]
        spread = "nothing"
        if ratios:
            spread = f"{statistics.median(ratios):+.1%} ({min(ratios):+.1%} to {max(ratios):+.1%})"
        parts.append(f"  {metric} {dict(Counter(check.outcome for check in checks))}, measured {spread}")
    walls = sorted(gate.wall_ns / 1e9 for gate in gates)
    layouts = statistics.median(gate.layouts for gate in gates)
    parts.append(f"  {layouts:g} layouts, wall {statistics.median(walls):.1f} s (longest {walls[-1]:.1f} s)")
    return "\n".join(parts)


def main(trials: int = 20, budget_s: float = 30.0, limit: str = "5%", shares: str = "0,3,10") -> None:
    """The kinds take turns, so that a run that is broken off has some of each."""
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f}, limit {limit}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("scoring.py").write_text(FUNCTIONS, encoding="utf-8")
        rows = np.random.default_rng(0).normal(size=(512, 20))
        header = ",".join(f"f{i}" for i in range(20))
        np.savetxt("rows.csv", rows, fmt="%.6f", delimiter=",", header=header, comments="")
        reports: dict[float, list[BenchReport]] = {float(share) / 100: [] for share in shares.split(",")}
        doubling = calibrate(budget_s) if any(reports) else 0.0
        for trial in range(trials):
            for share, gates in reports.items():
                gates.append(race(round(share * doubling), trial, budget_s, limit))
            print(f"after {trial + 1}, load average {os.getloadavg()[0]:.1f}", flush=True)
            print("\n".join(describe(share, gates) for share, gates in reports.items()), flush=True)


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, float, str, str), sys.argv[1:], strict=False)))
