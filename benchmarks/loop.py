"""What the timing loops cost and how true they read, as ratios within one run.

    python benchmarks/loop.py [--rounds 2000]

The truth is a batched loop: many requests between two stamps, divided by their number. Blocks of the loops under test
and of the truth alternate in random order; a ratio is taken in each round, and the median over rounds is printed.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable

import numpy as np

from infer_bench.workers.timing.loop import Stages, measure_floor, measure_stamp_cost, time_calls, time_phases

CLOCK = time.perf_counter_ns
TARGETS_US = (5, 30, 100)


def spinning(loops: int) -> Stages:
    """A request of steady length: a third of the work in each phase."""

    def work(value: object) -> object:
        for _ in range(loops):
            pass
        return value

    return Stages(work, work, work)


def calibrated(target_us: float) -> Stages:
    """Work of about `target_us` a request on this machine."""
    per_loop = statistics.median(batched(spinning(1000), 50) for _ in range(20)) / 3000
    return spinning(max(1, round(target_us * 1000 / per_loop / 3)))


def batched(stages: Stages, count: int) -> float:
    """ns a request without any stamp in between."""
    before, call, after = stages.preprocess, stages.predict, stages.postprocess
    requests = [None] * count
    start = CLOCK()
    for request in requests:
        after(call(before(request)))
    return (CLOCK() - start) / count


def ratios(target_us: float, rounds: int) -> dict[str, float]:
    """Medians over rounds of each loop's reading against the batched loop's."""
    stages, count, cost = calibrated(target_us), max(5, int(300 / target_us)), measure_floor(CLOCK)
    stamp = measure_stamp_cost(CLOCK)
    readings: dict[str, Callable[[], float]] = {
        "batched": lambda: batched(stages, count),
        "raw": lambda: float(np.median(time_calls(stages, [None] * count, CLOCK))),
        "corrected": lambda: float(np.median(time_calls(stages, [None] * count, CLOCK))) - cost,
        "phased": lambda: float(np.median(time_phases(stages, [None] * count, CLOCK).request)),
        "phased, corrected": lambda: float(np.median(time_phases(stages, [None] * count, CLOCK).request)) - 3 * stamp,
    }
    ratios_of: dict[str, list[float]] = {name: [] for name in readings}
    for _ in range(rounds):
        readings_ns = {name: read() for name, read in random.sample(list(readings.items()), len(readings))}
        for name, value in readings_ns.items():
            ratios_of[name].append(value / readings_ns["batched"])
    return {name: statistics.median(values) for name, values in ratios_of.items()}


def overhead(rounds: int, count: int = 2000) -> float:
    """ns that a sample of the plain loop costs beyond the calls themselves: both loops around calls that do nothing.

    The list becomes an array after the loop, when nothing is measured any more; that is taken off.
    """
    nothing = Stages(*[lambda value: value] * 3)
    pairs = []
    for _ in range(rounds):
        start = CLOCK()
        samples_ns = time_calls(nothing, [None] * count, CLOCK).tolist()
        looped = CLOCK()
        np.array(samples_ns, dtype=np.int64).tolist()
        conversion_ns = CLOCK() - looped
        pairs.append((looped - start - conversion_ns) / count - batched(nothing, count))
    return statistics.median(pairs)


def main() -> None:
    """Print one line a request length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    print(f"overhead of the plain loop: {overhead(rounds // 10):.0f} ns a sample (aim: below 100)")
    print(f"floor of the plain loop: {measure_floor(CLOCK)} ns; two stamps: {measure_stamp_cost(CLOCK)} ns")
    for target in TARGETS_US:
        line = "   ".join(f"{name} {ratio:.3f}" for name, ratio in ratios(target, rounds).items() if name != "batched")
        print(f"{target:>4} µs request, against a batched loop:   {line}")


if __name__ == "__main__":
    main()
