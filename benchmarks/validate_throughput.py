"""What a comparison costs beside scoring the same file: a ratio within one run, and memory that does not grow.

    python benchmarks/validate_throughput.py [--rows 5000000] [--features 50] [--trees 100] [--pairs 7]

A LightGBM model and its ONNX conversion are run over parquet files: each engine alone in a process of its own, and
`infer-bench validate` on both. On a tenth of the rows that is repeated in random order, and the median of the ratios
within a repeat is printed: another program's load hits one repeat, or all three runs of it. Then once on all rows,
where the slower engine runs before and after the comparison. Printed are seconds, seconds of CPU (of all processes
together: where these exceed the two engines' sum, the comparison itself is what costs), and the peak of the memory of
all processes together, what they share counted once (proportional set size). Exits with 1 when the ratio on all rows
exceeds 1.15, memory grows by more than 1.2 times or is above 400 MB.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infer_bench.machine.environment import describe

MOST_RATIO, MOST_GROWTH, MOST_BYTES = 1.15, 1.2, 400_000_000
BATCH = 65_536
ENGINES = {"lightgbm": "model.txt", "onnxruntime": "model.onnx"}
ENGINE = """
import sys, numpy as np
from pyarrow import parquet
kind, model, rows = sys.argv[1:]
if kind == "lightgbm":
    import lightgbm
    booster = lightgbm.Booster(model_file=model)
    predict = lambda x: booster.predict(x, num_threads=1)
else:
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    name = session.get_inputs()[0].name
    predict = lambda x: session.run(None, {name: x.astype(np.float32)})
for batch in parquet.ParquetFile(rows, pre_buffer=False).iter_batches(65_536, use_threads=False):
    predict(np.stack([column.to_numpy() for column in batch.columns], axis=1))
"""


@dataclass(frozen=True)
class Run:
    """One process and its descendants: wall and CPU seconds, and the peak of their memory in bytes."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def main() -> int:
    """Make the files, take the times, print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=7, help="of runs on a tenth of the rows; 0 leaves them out")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"{describe(()).cpu_model or 'unknown CPU'}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        make_files(place, arguments.rows, arguments.features, arguments.trees)
        small_bytes = repeat(place, max(1, arguments.rows // 10), arguments.pairs) if arguments.pairs else None
        return run_whole(place, arguments.rows, small_bytes)


def make_files(place: Path, rows: int, features: int, trees: int) -> None:
    """The model, its conversion, the rows and a tenth of them."""
    import lightgbm

    random = np.random.default_rng(0)
    x = random.normal(size=(20_000, features))
    y = (x[:, 0] + x[:, 1] * x[:, 2] + random.normal(size=len(x)) > 0).astype(int)
    settings = {"objective": "binary", "num_leaves": 31, "num_threads": 1, "verbose": -1}
    lightgbm.train(settings, lightgbm.Dataset(x, y), trees).save_model(place / "model.txt")
    command = [
        sys.executable,
        "-m",
        "infer_bench",
        "convert",
        str(place / "model.txt"),
        "-o",
        str(place / "model.onnx"),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    write(place / "rows.parquet", rows, features, random)
    write(place / "tenth.parquet", max(1, rows // 10), features, random)


def write(path: Path, rows: int, features: int, random: np.random.Generator) -> None:
    """Normal numbers that float32 can hold, in row groups."""
    import pyarrow
    from pyarrow import parquet

    names = [f"Column_{i}" for i in range(features)]
    schema = pyarrow.schema([(name, pyarrow.float64()) for name in names])
    with parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, 4 * BATCH):
            count = min(4 * BATCH, rows - start)
            block = random.normal(size=(features, count)).astype(np.float32).astype(np.float64)
            writer.write_table(pyarrow.table(list(block), names))


def repeat(place: Path, rows: int, pairs: int) -> int:
    """A tenth of the rows again and again, in random order; returns the comparison's largest peak of memory."""
    order, random = [*ENGINES, "validate"], np.random.default_rng(1)
    for kind in order:
        run_timed(command(place, kind, "tenth.parquet"))  # the files come into the page cache
    ratios, wall, cpu, peak = [], [], [], 0
    for _ in range(pairs):
        runs = {kind: run_timed(command(place, kind, "tenth.parquet")) for kind in random.permutation(order).tolist()}
        slower = max((runs[kind] for kind in ENGINES), key=lambda run: run.wall_s)
        ratios.append(runs["validate"].wall_s / slower.wall_s)
        wall.append({kind: run.wall_s for kind, run in runs.items()})
        cpu.append({kind: run.cpu_s for kind, run in runs.items()})
        peak = max(peak, runs["validate"].peak_bytes)
    print(f"{rows:,} rows, median of {pairs}")
    for kind in order:
        seconds = statistics.median(seconds[kind] for seconds in wall)
        print(format_line(kind, rows, seconds, statistics.median(seconds[kind] for seconds in cpu)))
    listing = ", ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
    print(f"ratio to the slower engine {statistics.median(ratios):.2f} (of {listing})")
    return peak


def run_whole(place: Path, rows: int, small_bytes: int | None) -> int:
    """All rows once, the engines before the comparison and the slower one after it too."""
    print(f"{rows:,} rows")
    before = {kind: run_timed(command(place, kind, "rows.parquet")) for kind in ENGINES}
    slower = max(before, key=lambda kind: before[kind].wall_s)
    own = run_timed(command(place, "validate", "rows.parquet"))
    again = run_timed(command(place, slower, "rows.parquet"))
    for kind, run in [*before.items(), ("validate", own), (slower, again)]:
        print(format_line(kind, rows, run.wall_s, run.cpu_s))
    ratio = own.wall_s / ((before[slower].wall_s + again.wall_s) / 2)
    print(f"ratio to the slower engine {ratio:.2f} (at most {MOST_RATIO})")
    growth = own.peak_bytes / small_bytes if small_bytes else 1.0
    tenth = f", on a tenth {small_bytes / 1e6:,.0f} MB: {growth:.2f} (at most {MOST_GROWTH})" if small_bytes else ""
    print(f"peak memory {own.peak_bytes / 1e6:,.0f} MB (at most {MOST_BYTES / 1e6:,.0f}){tenth}")
    return 0 if ratio <= MOST_RATIO and growth <= MOST_GROWTH and own.peak_bytes <= MOST_BYTES else 1


def format_line(kind: str, rows: int, wall_s: float, cpu_s: float) -> str:
    """A line of the table."""
    return f"  {kind:<12} {wall_s:7.1f} s   {cpu_s:7.1f} s of CPU   {rows / wall_s:>10,.0f} rows/s"


def command(place: Path, kind: str, rows: str) -> list[str]:
    """The command that runs an engine alone over a file, or compares both on it."""
    if kind != "validate":
        return [sys.executable, "-c", ENGINE, kind, str(place / ENGINES[kind]), str(place / rows)]
    models = [str(place / name) for name in ENGINES.values()]
    tool = [sys.executable, "-m", "infer_bench", "validate", *models]
    return [*tool, "--data", str(place / rows), "--probes", "off", "--format", "csv"]


def run_timed(command: list[str], folder: Path | None = None) -> Run:
    """Run a command to its end, in a folder or in this one."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    peak = [0]
    end = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, peak, end))
    watcher.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        end.set()  # or this process would wait for the thread that watches
        watcher.join()
        if process.returncode is None:
            process.kill()
            process.wait()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exited with {process.returncode}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, peak[0])


def watch(pid: int, peak: list[int], end: threading.Event) -> None:
    """Look at the memory of a process tree ten times a second."""
    while not end.wait(0.1):
        peak[0] = max(peak[0], sum(map(resident, tree(pid))))


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            pids += [inner for child in task.read_text().split() for inner in tree(int(child))]
        except OSError:
            continue
    return pids


def resident(pid: int) -> int:
    """Resident bytes, those shared with other processes by their share; 0 when the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    sys.exit(main())
