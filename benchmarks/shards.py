"""What comparing in parts costs beside one run, and what merging many parts takes.

    python benchmarks/shards.py [--rows 6000000] [--features 30] [--trees 400] [--merged 1000]
        [--parts 2,4]

A LightGBM model and its ONNX conversion are compared by `infer-bench validate` in one run, and in 2 and 4 parts one
after the other, which are merged. Printed are seconds of CPU of all processes together (also as a ratio to the one
run), and whether the merged report says the same. Then so many parts are merged, a tenth of them first, with the peak
of the memory.
A part starts three processes more, so that the ratio says nothing on few rows. Exits with 1 when parts say something
else, cost more than 1.05 times the one run, or memory grows with their number by more than 1.2 times.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from validate_throughput import Run, run_timed

from infer_bench.measure.validate.summary.codec import pack, unpack
from infer_bench.report.part import RowGroups
from infer_bench.report.serialize import dump, load_report

MOST_RATIO, MOST_GROWTH = 1.05, 1.2
GROUP = 65_536


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, number in (("rows", 6_000_000), ("features", 30), ("trees", 400), ("merged", 1_000)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--parts", default="2,4", help="how many parts, of which 2 is one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), options.rows, options.features, options.trees)
        ratios, row_growth, is_same = compare_costs(Path(folder), [int(number) for number in options.parts.split(",")])
        part_growth = measure_merging(Path(folder), options.merged)
    holds = is_same and max(ratios) <= MOST_RATIO and max(row_growth, part_growth) <= MOST_GROWTH
    print(f"parts cost up to {max(ratios):.3f} of one run (at most {MOST_RATIO})")
    print(f"memory grows {row_growth:.2f}-fold with 100 times the rows, {part_growth:.2f}-fold with 10 times the parts")
    return 0 if holds else 1


def write_files(folder: Path, rows: int, features: int, trees: int) -> None:
    """A model, its conversion, and rows in a parquet file of many row groups."""
    import lightgbm
    import pyarrow
    from pyarrow import parquet

    random = np.random.default_rng(0)
    names = [f"c{i}" for i in range(features)]
    x = random.normal(size=(5_000, features))
    settings = {"objective": "binary", "num_leaves": 31, "verbose": -1, "num_threads": 1, "seed": 0}
    data = lightgbm.Dataset(x, (x[:, 0] + x[:, 1] > 0).astype(int), feature_name=names)
    lightgbm.train(settings, data, trees).save_model(folder / "model.txt")
    call(folder, "convert", "model.txt", "-o", "model.onnx")
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in names])
    with parquet.ParquetWriter(folder / "rows.parquet", schema) as writer:
        for start in range(0, rows, GROUP):
            block = random.normal(size=(min(GROUP, rows - start), features)).astype(np.float32)
            writer.write_table(
                pyarrow.table(dict(zip(names, block.T.astype(np.float64), strict=True)), schema=schema),
                row_group_size=GROUP,
            )


def call(folder: Path, *arguments: str) -> Run:
    """Run a command of infer-bench there: CPU and memory are those of all its processes."""
    return run_timed([sys.executable, "-m", "infer_bench", *arguments], folder)


def compare_costs(folder: Path, numbers: list[int]) -> tuple[list[float], float, bool]:
    """Ratios of CPU to the one run, the one of memory to a hundredth of the rows, and whether reports are the same."""
    base = ["validate", "model.txt", "model.onnx", "--data", "rows.parquet", "--threads", "1"]
    whole = call(folder, *base, "--json", "whole.json")
    least = call(folder, *base, "--shard", "50/100", "--json", "hundredth.json")
    print(f"one run: {whole.cpu_s:.1f} s of CPU, {whole.peak_bytes / 1e6:.0f} MB")
    print(f"a hundredth: {least.cpu_s:.1f} s of CPU, {least.peak_bytes / 1e6:.0f} MB")
    ratios, is_same = [], True
    for of in numbers:
        files = [f"part-{i}-of-{of}.json" for i in range(1, of + 1)]
        parts = [call(folder, *base, "--shard", f"{i}/{of}", "--json", file) for i, file in enumerate(files, 1)]
        merge = call(folder, "merge", *files, "-o", "merged.json")
        same = without_times(folder / "merged.json") == without_times(folder / "whole.json")
        parts_s = sum(part.cpu_s for part in parts)
        ratios.append((parts_s + merge.cpu_s) / whole.cpu_s)
        is_same &= same
        outcome = "the same report" if same else "ANOTHER REPORT"
        peak = max(part.peak_bytes for part in parts) / 1e6
        print(f"{of} parts: {parts_s:.1f} s + {merge.cpu_s:.1f} s to merge, {ratios[-1]:.3f} of one run, {peak:.0f} MB")
        print(f"  {outcome}")
    return ratios, whole.peak_bytes / least.peak_bytes, is_same


def without_times(path: Path) -> Any:
    """A report, but for what tells the time."""
    report = load_report(path)
    results = tuple(replace(result, rows_per_s=None) for result in report.results)
    environment = replace(report.environment, load_average_1m=None)
    return dump(replace(report, created_at="", results=results, environment=environment))


def measure_merging(folder: Path, count: int) -> float:
    """How many times as much memory merging `count` parts takes as merging a tenth of them."""
    peaks = []
    for of in (max(1, count // 10), count):
        files = write_parts(folder / f"of-{of}", load_report(folder / "part-2-of-2.json"), of)
        start_s = time.monotonic()
        script = (
            "import sys, resource; from infer_bench import merge; merge(*sys.argv[1:]); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        process = subprocess.run([sys.executable, "-c", script, *files], stdout=subprocess.PIPE, check=True)
        peaks.append(int(process.stdout))
        seconds = time.monotonic() - start_s
        size = os.path.getsize(files[-1])
        print(f"merging {of:,} parts of {size / 1e3:.0f} kB: {seconds:.1f} s, {peaks[-1] / 1e3:.0f} MB")
    return peaks[1] / peaks[0]


def write_parts(folder: Path, report: Any, of: int) -> list[str]:
    """As many parts of a file of as many row groups, each with what one part came to."""
    folder.mkdir()
    (file,), summary = report.part.files, unpack(report.part.state)
    files = []
    for index in range(1, of + 1):
        own = replace(file, row_groups=(GROUP,) * of, sha256="0" * 64 if index == 1 else None)
        groups = (RowGroups(0, index - 1, index - 1, GROUP),)
        first = (index - 1) * GROUP
        state = pack(replace(summary, settings=replace(summary.settings, shard=f"{index}/{of}")))
        part = replace(
            report.part, index=index, of=of, first_row=first, rows=GROUP, row_groups=groups, files=(own,), state=state
        )
        path = folder / f"part-{index}.json"
        path.write_bytes(dump(replace(report, part=part)))
        files.append(str(path))
    return files


if __name__ == "__main__":
    sys.exit(main())
