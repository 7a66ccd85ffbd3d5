"""Are the speed-up's intervals honest? The same bench again and again, under CPU hogs.

    python benchmarks/intervals.py [--repeats 20] [--hogs 2] [--rounds 60]

Counts how many of the 95 % intervals hold the median of all the repeats' ratios.
"""

import argparse
import statistics
from pathlib import Path

from infer_bench import bench
from infer_bench.measure.gate.cpu_load import keep_busy
from infer_bench.report.bench import Speedup

SAMPLES = Path(__file__).parent.parent / "sample_models"


def main() -> None:
    """Print every repeat and the count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--hogs", type=int, default=2)
    parser.add_argument("--candidates", nargs=2, default=["lightgbm:feed=ndarray", "onnxruntime:feed=ndarray"])
    parser.add_argument("--rounds", type=int, help="of each bench; without it, the default")
    arguments = parser.parse_args()
    speedups: list[Speedup] = []
    with keep_busy(arguments.hogs):
        for seed in range(arguments.repeats):
            report = bench(
                str(SAMPLES / "credit.txt"),
                data=str(SAMPLES / "credit.parquet"),
                candidates=arguments.candidates,
                seed=seed,
                rounds=arguments.rounds,
            )
            speedup = report.results[1].speedup
            if speedup is None or speedup.low is None:
                raise SystemExit(f"repeat {seed}: no interval: {report.results[1].failed}")
            speedups.append(speedup)
            print(f"repeat {seed:>2}: {speedup.ratio:.3f}× ({speedup.low:.3f}–{speedup.high:.3f})", flush=True)
    middle = statistics.median(speedup.ratio for speedup in speedups)
    holding = sum(speedup.low <= middle <= speedup.high for speedup in speedups if speedup.low and speedup.high)
    widths = [speedup.high / speedup.low for speedup in speedups if speedup.low and speedup.high]
    print(f"median of all: {middle:.3f}×; held by {holding} of {len(speedups)} intervals (aim: 18 of 20)")
    print(f"median width, high / low: {statistics.median(widths):.3f}")


if __name__ == "__main__":
    main()
