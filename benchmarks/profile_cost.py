"""What a profile says of itself, held against a measurement from outside.

    python benchmarks/profile_cost.py [--runs 5] [--rounds 30]

Phases: requests of 5 µs, 100 µs and 5 ms, the work divided 60 / 30 / 10. Printed is the sum of the phases over the
request's p50 without probes (to be within 3 % of 1). Slow-down: the same function is
profiled by infer-bench, and by hand in a process of its own that knows nothing of infer-bench; printed is the ratio of
the two slow-downs (to be within 20 % of 1), for work in many small calls and in few.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # `tests` is of the clone, and not installed

from infer_bench.measure.profile.phases import PhaseRound, divide
from infer_bench.measure.profile.run import profile
from infer_bench.workers.profiling.requests import MeasureProbes, TimePhases
from infer_bench.workers.profiling.runs import Profiling
from infer_bench.workers.timing.loop import Stages
from tests.fakes import FakeSession

CLOCK = time.perf_counter_ns
TARGETS_US = (5, 100, 5_000)
MODULE = """
def small(value):
    return value + 1

def many(record):
    total = 0
    for _ in range(200):
        total = small(total)
    return float(total)

def few(record):
    total = 0
    for _ in range(5000):
        total += 1
    return float(total)
"""
OUTSIDE = """
import cProfile, json, statistics, sys, time
import requests_of_a_profile as module
call, ratios = getattr(module, sys.argv[1]), []

def timed(profile=None):
    start = time.perf_counter_ns()
    if profile: profile.enable()
    for _ in range(200):
        call({"x": 1.0})
    if profile: profile.disable()
    return time.perf_counter_ns() - start

for _ in range(20):
    timed()
for _ in range(int(sys.argv[2])):
    ratios.append(timed(cProfile.Profile()) / timed())
print(json.dumps(statistics.median(ratios)))
"""


def spinning(loops: tuple[int, int, int]) -> Stages:
    """A request whose phases loop as often as told."""

    def work(count: int) -> Callable[[object], object]:
        def phase(value: object) -> object:
            for _ in range(count):
                pass
            return value

        return phase

    before, call, after = (work(count) for count in loops)
    return Stages(before, call, after)


def calibrate(target_us: int) -> Stages:
    """About `target_us` a request on this machine, divided 60 / 30 / 10."""
    probe = spinning((6_000, 3_000, 1_000))
    start = CLOCK()
    for _ in range(20):
        probe(None)
    loops = target_us * 1000 / ((CLOCK() - start) / 20 / 10_000)
    return spinning((max(1, round(loops * 0.6)), max(1, round(loops * 0.3)), max(1, round(loops * 0.1))))


def sum_phases(target_us: int, count: int) -> float:
    """The sum of the phases over the request."""
    stages, session = calibrate(target_us), FakeSession()
    session.preprocess, session.predict, session.postprocess = stages.preprocess, stages.predict, stages.postprocess  # type: ignore[method-assign,assignment]
    profiling = Profiling(session, [{"x": 1.0}], function=False, clock=CLOCK)
    samples, rounds = max(10, 10_000 // target_us), []
    for index in range(count):
        times = profiling.time_phases(TimePhases(samples, probed_first=bool(index % 2)))
        rounds.append(PhaseRound(times.request, times.preprocess, times.predict, times.postprocess))
    cost = profiling.measure_probes(MeasureProbes())
    typical = divide(rounds, cost.request_ns, cost.phases_ns).typical
    return (typical.preprocess_ns + typical.predict_ns + typical.postprocess_ns) / typical.request_ns


def slowdowns(name: str, folder: str, requests: int | None, pairs: int) -> tuple[float, float]:
    """(as infer-bench prints it, as measured outside)."""
    Path(folder, "record.json").write_text('{"x": 1.0}')
    Path(folder, "requests_of_a_profile.py").write_text(MODULE)
    os.chdir(folder)
    report = profile(f"requests_of_a_profile:{name}", input="record.json", requests=requests)
    command = [sys.executable, "-c", OUTSIDE, name, str(pairs)]
    outside = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout)
    return report.results[0].slowdown or 0.0, outside


def main() -> None:
    """Print every figure with what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=30, help="of the phases in a run")
    parser.add_argument("--requests", type=int, help="that a profile answers; without it, the default")
    parser.add_argument("--pairs", type=int, default=40, help="of 200 calls, with and without a profiler, outside")
    arguments = parser.parse_args()
    runs = arguments.runs
    for target in TARGETS_US:
        sums = [sum_phases(target, arguments.rounds) for _ in range(runs)]
        print(f"{target:>5} µs: phases / request {statistics.median(sums):.3f} [{min(sums):.3f}–{max(sums):.3f}]")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("many", "few"):
            pairs = [slowdowns(name, folder, arguments.requests, arguments.pairs) for _ in range(runs)]
            ratios = [ours / outside for ours, outside in pairs]
            ours, outside = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(f"{name:>5} calls: slowed {ours:.2f}× as printed, {outside:.2f}× outside, "
                  f"ratio {statistics.median(ratios):.2f} [{min(ratios):.2f}–{max(ratios):.2f}]")  # fmt: skip
        os.chdir("/")


if __name__ == "__main__":
    main()
