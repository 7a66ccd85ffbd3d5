"""What a comparison costs beside scoring the same file: a ratio within one run, and memory that does not grow.

    python benchmarks/validate_throughput.py [--rows 5000000] [--features 50] [--trees 100]

A LightGBM model and its ONNX conversion are run over a parquet file: each engine alone in a process of its own, then
`infer-bench validate` on both. Printed are the rows per second of each, the ratio of the comparison's time to the
slower engine's, and the peak of the resident memory of all processes together, on the file and on a tenth of it. Exits
with 1 when the ratio exceeds 1.15 or memory grows by more than 1.2 times.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

MOST_RATIO, MOST_GROWTH = 1.15, 1.2
BATCH = 65_536
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


def main() -> int:
    """Make the files, take the times, print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--trees", type=int, default=100)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made(place, given.rows, given.features, given.trees)
        return compared(place, given.rows)


def made(place: Path, rows: int, features: int, trees: int) -> None:
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


def compared(place: Path, rows: int) -> int:
    """Both engines alone, then the comparison on the whole and on a tenth."""
    alone = {}
    for kind, model in (("lightgbm", "model.txt"), ("onnxruntime", "model.onnx")):
        command = [sys.executable, "-c", ENGINE, kind, str(place / model), str(place / "rows.parquet")]
        alone[kind], _ = timed(command)
        print(f"{kind:<12} alone   {alone[kind]:7.1f} s   {rows / alone[kind]:>10,.0f} rows/s")
    spent, peak = timed(validation(place, "rows.parquet"))
    _, small = timed(validation(place, "tenth.parquet"))
    ratio, growth = spent / max(alone.values()), peak / small
    print(f"validate             {spent:7.1f} s   {rows / spent:>10,.0f} rows/s")
    print(f"ratio to the slower engine {ratio:.2f} (at most {MOST_RATIO})")
    print(f"peak memory {peak / 1e6:,.0f} MB, on a tenth {small / 1e6:,.0f} MB: {growth:.2f} (at most {MOST_GROWTH})")
    return 0 if ratio <= MOST_RATIO and growth <= MOST_GROWTH else 1


def validation(place: Path, rows: str) -> list[str]:
    """The command that compares both on a file."""
    models = [str(place / "model.txt"), str(place / "model.onnx")]
    command = [sys.executable, "-m", "infer_bench", "validate", *models]
    return [*command, "--data", str(place / rows), "--probes", "off", "--format", "csv"]


def timed(command: list[str]) -> tuple[float, int]:
    """Seconds, and the largest sum of the resident memory of the process and its descendants, in bytes."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = [0]
    ended = threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, peak, ended))
    watcher.start()
    code = process.wait()
    spent = time.monotonic() - start
    ended.set()
    watcher.join()
    if code:
        raise SystemExit(f"{' '.join(command)} exited with {code}")
    return spent, peak[0]


def watch(pid: int, peak: list[int], ended: threading.Event) -> None:
    """Look at the memory of a process tree ten times a second."""
    while not ended.wait(0.1):
        peak[0] = max(peak[0], sum(map(resident, tree(pid))))


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [inner for child in task.read_text().split() for inner in tree(int(child))]
        except OSError:
            continue
    return found


def resident(pid: int) -> int:
    """Resident bytes; 0 when the process is gone."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    sys.exit(main())
