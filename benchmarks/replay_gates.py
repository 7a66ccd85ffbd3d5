"""Gates on two equal pandas functions, replayed from recorded rounds: layouts and rounds in, verdicts out.

    python benchmarks/replay_gates.py [GATES] [SECONDS]
    python benchmarks/replay_gates.py --record REPORT.json...

`results/function_rounds.json` holds, layout by layout, the log ratios of the p50 and the p95 of each round, from saved
reports of `bench --against`. A replayed layout is a run of neighbouring rounds of a recorded one, its sides swapped or
not. A gate of so many layouts has as many rounds of each as fit into SECONDS after its start: a layout takes
`OPENING_S` and a round `ROUND_S` (two blocks of 200 requests of 0.3 ms). It asks for 5 % without naming a metric;
passes at a wider limit are counted apart.
"""

import json
import math
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from infer_bench.gates.limits import GateLimits, find_unnamed
from infer_bench.gates.rules import CandidateMetrics, Series, make_checks
from infer_bench.report.bench import BenchReport
from infer_bench.report.gate import Check
from infer_bench.report.serialize import load_report
from infer_bench.stats.percentiles import percentile
from infer_bench.typing import Floats

ROUNDS = Path(__file__).parent / "results" / "function_rounds.json"
OPENING_S, ROUND_S = 0.6, 0.125
LEAST_ROUNDS, MOST_ROUNDS = 3, 16
LAYOUTS = (12, 13, 14, 15, 16, 17, 18, 19, 20, 22)
SLOWDOWNS = (0.0, 0.03, 0.10)
LIMITS = GateLimits({"p50": 0.05, "p95": 0.05}, find_unnamed("5%"))


def read_rounds(report: BenchReport) -> list[list[tuple[float, float]]]:
    """Layout by layout, round by round: the logs of candidate over baseline at p50 and p95."""
    layouts = []
    for ours, theirs in zip(*(result.processes for result in report.results[:2]), strict=False):
        blocks = [[np.asarray(r.request_ns) - process.floor_ns for r in process.rounds] for process in (ours, theirs)]
        layouts.append(
            [
                (
                    round(math.log(float(np.median(b)) / float(np.median(a))), 5),
                    round(math.log(percentile(b, 0.95) / percentile(a, 0.95)), 5),
                )
                for a, b in zip(*blocks, strict=False)
            ]
        )
    return layouts


def draw_layout(layouts: list[Floats], rounds: int, rng: np.random.Generator) -> Floats:
    """The logs (2,) of a layout: medians over rounds that were neighbours."""
    layout = layouts[rng.integers(len(layouts))]
    start = rng.integers(len(layout) - rounds + 1) if len(layout) > rounds else 0
    logs: Floats = np.median(layout[start : start + rounds], axis=0) * rng.choice((-1, 1))
    return logs


def replay(layouts: list[Floats], count: int, rounds: int, log: float, rng: np.random.Generator) -> tuple[Check, ...]:
    """The checks of one gate on a candidate that is slower by `log`."""
    logs = np.array([draw_layout(layouts, rounds, rng) for _ in range(count)]) + log
    series = {
        metric: Series(np.exp(column).tolist(), [1.0] * count, column.tolist(), samples=200)
        for metric, column in zip(("p50", "p95"), logs.T, strict=True)
    }
    return make_checks([CandidateMetrics("new", "callable", "old", "new", 1, series)], LIMITS)


def describe(gates: list[tuple[Check, ...]]) -> str:
    """Outcomes of the p50 and of the p95, and how many gates passed or failed."""
    parts = []
    for place in range(2):
        kinds = Counter("wider" if gate[place].limit_asked is not None else gate[place].outcome for gate in gates)
        parts.append("".join(f"{kinds[kind] / len(gates):>11.1%}" for kind in ("regressed", "pass", "wider")))
    passed = sum(all(check.outcome == "pass" for check in gate) for gate in gates)
    failed = sum(any(check.outcome == "regressed" for check in gate) for gate in gates)
    return f"{' |'.join(parts)} |{passed / len(gates):>9.1%}{failed / len(gates):>9.1%}"


def main(gates: int = 500, seconds: float = 25.0) -> None:
    """A line a number of layouts and slow-down."""
    rng = np.random.default_rng(0)
    layouts = [np.array(layout) for layout in json.loads(ROUNDS.read_text())]
    layouts = [layout for layout in layouts if len(layout) >= MOST_ROUNDS * 3 // 4]
    print(f"{gates} gates each, {len(layouts)} recorded layouts, {seconds:g} s of measuring")
    print("                 | p50: regressed     pass   wider | p95: regressed   pass     wider |   passed   failed")
    for slowdown in SLOWDOWNS:
        for count in LAYOUTS:
            rounds = max(LEAST_ROUNDS, min(MOST_ROUNDS, int((seconds / count - OPENING_S) / ROUND_S)))
            outcomes = [replay(layouts, count, rounds, math.log1p(slowdown), rng) for _ in range(gates)]
            print(f"{slowdown:+4.0%} {count:>3} × {rounds:>2} {describe(outcomes)}", flush=True)


def record(paths: list[str]) -> None:
    """Keep the rounds of saved reports."""
    reports = [load_report(path) for path in paths]
    layouts = [layout for report in reports for layout in read_rounds(report)]
    ROUNDS.write_text(json.dumps(layouts, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(sys.argv[2:])
    else:
        main(*(kind(text) for kind, text in zip((int, float), sys.argv[1:], strict=False)))
