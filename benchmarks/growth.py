"""How time and memory grow with a model, its rows and the candidates: the exponents, per command.

    python benchmarks/growth.py [--trees 100,300,1000,3000,10000] [--features 10,100,500,1000,2000]
                                [--rows 10000,100000,1000000] [--candidates 1,4,8,16] [--only convert:trees]

Each command runs once a size, one of the sizes changing and the others as small as they come, in a process of its own
with no cache of former conversions. CPU time is that of all its processes, memory the peak of the largest of them
(wait4(2)). Two exponents are printed: k of y = a + b n^k, a being what a start costs, by least squares of relative
errors with 0 <= a <= min(y) and b >= 0; and in brackets the plain slope of log(y) against log(n). Sizes at which y has
not grown by a tenth over the smallest are left out of the former: what they take is no more than the imports have left
free. Where fewer than two are left it is `flat`, and of two it is the slope of log(y - y0) against log(n - n0), y0 and
n0 being those of the smallest.

LightGBM itself takes more time a tree where a model no longer fits the caches: for `validate` against trees, what it
takes alone for as many rows, once for each side, is measured too and left out.

The bench makes a fixed number of rounds, whose blocks last as long as ever: what grows is the opening, the requests of
slower models and the tables. Ends with 1 where an exponent beyond the start is above 1.1.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LIMIT = 1.1
LEAST_GROWTH = 0.1
TRAINING_ROWS, LEAVES = 2_000, 31
BENCH = ("--rounds", "3", "--processes", "1", "--no-probes")


class Sizes(NamedTuple):
    """What a command is given: by default as little as makes sense."""

    trees: int = 50
    features: int = 10
    rows: int = 1_000
    candidates: int = 1


class Cost(NamedTuple):
    """CPU time of all processes, the peak memory of the largest, and what LightGBM takes by itself."""

    cpu_s: float
    memory_mb: float
    library_s: float = 0.0

    def __str__(self) -> str:
        own = f" ({self.library_s:.1f})" if self.library_s else ""
        return f"{self.cpu_s:.1f}{own} {self.memory_mb:.0f}"


def train(folder: Path, sizes: Sizes) -> Path:
    """A LightGBM model of the given size, and as many copies of it as there are candidates."""
    import lightgbm

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(TRAINING_ROWS, sizes.features))
    target = rows[:, 0] + generator.normal(size=TRAINING_ROWS) > 0
    # Two threads wait for each other at every split, which takes minutes where others share the cores; and steps of the
    # usual size have nothing left to learn after some hundred trees, whose followers would be single leaves.
    settings = {"objective": "binary", "num_leaves": LEAVES, "min_data_in_leaf": 5, "learning_rate": 0.001}
    settings |= {"num_threads": 1, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, target.astype(float)), sizes.trees)
    booster.save_model(folder / "model0.txt")
    for i in range(1, sizes.candidates + 1):
        shutil.copy(folder / "model0.txt", folder / f"model{i}.txt")
    return folder / "model0.txt"


def write_rows(folder: Path, sizes: Sizes) -> Path:
    """A parquet file of the given size, in row groups as they are usual."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    generator = np.random.default_rng(1)
    schema = pa.schema([(f"Column_{i}", pa.float64()) for i in range(sizes.features)])
    with pq.ParquetWriter(folder / "rows.parquet", schema) as writer:
        for start in range(0, sizes.rows, 65_536):
            block = generator.normal(size=(sizes.features, min(65_536, sizes.rows - start)))
            writer.write_table(pa.table(list(block), schema=schema))
    return folder / "rows.parquet"


def make(folder: Path, sizes: Sizes) -> None:
    """Model and rows."""
    train(folder, sizes)
    write_rows(folder, sizes)


def models(folder: Path, sizes: Sizes, first: int) -> list[str]:
    """Files of the candidates, from model `first` on."""
    return [str(folder / f"model{i}.txt") for i in range(first, sizes.candidates + first)]


def bench(folder: Path, sizes: Sizes) -> list[str]:
    """The candidates side by side, LightGBM fed arrays."""
    data = ["--data", str(folder / "rows.parquet")]
    return ["bench", *models(folder, sizes, 0), *data, "-e", "lightgbm:feed=ndarray", *BENCH]


def convert(folder: Path, sizes: Sizes) -> list[str]:
    """One model to ONNX, checked on the rows."""
    return [
        "convert",
        str(folder / "model0.txt"),
        "-o",
        str(folder / "out.onnx"),
        "--data",
        str(folder / "rows.parquet"),
    ]


def validate(folder: Path, sizes: Sizes) -> list[str]:
    """The candidates against the model that they are copies of."""
    return ["validate", str(folder / "model0.txt"), *models(folder, sizes, 1), "--data", str(folder / "rows.parquet")]


COMMANDS: dict[str, tuple[Callable[[Path, Sizes], list[str]], tuple[str, ...]]] = {
    "bench": (bench, ("trees", "features", "rows", "candidates")),
    "convert": (convert, ("trees", "features", "rows")),
    "validate": (validate, ("trees", "features", "rows", "candidates")),
}


def run(arguments: Sequence[str], folder: Path) -> Cost:
    """A command in a process of its own. Ends the script where it fails."""
    command = [sys.executable, "-m", "infer_bench", *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments[:1])} ended with {process.returncode}: {errors}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def predict_alone(folder: Path) -> float:
    """CPU seconds that LightGBM takes for the rows of a comparison's report."""
    import lightgbm

    groups = json.loads((folder / "report.json").read_text())["results"][0]["groups"]
    booster = lightgbm.Booster(model_file=str(folder / "model0.txt"))
    rows = np.random.default_rng(2).normal(size=(sum(group["rows"] for group in groups), booster.num_feature()))
    start = time.process_time()
    booster.predict(rows, num_threads=1)
    return time.process_time() - start


def measure(command: str, sizes: Sizes, with_library: bool = False) -> Cost:
    """Model and rows of these sizes, and what the command costs on them."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # In a process of its own: a child's peak memory counts from that of the process that starts it.
        maker = multiprocessing.get_context("spawn").Process(target=make, args=(folder, sizes))
        maker.start()
        maker.join()
        arguments = COMMANDS[command][0](folder, sizes)
        if not with_library:
            return run(arguments, folder)
        cost = run([*arguments, "--json", str(folder / "report.json")], folder)
        # Not here: see above. Both sides at the same time, as they share the caches in a comparison.
        with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
            return cost._replace(library_s=sum(pool.map(predict_alone, [folder, folder])))


def fit_plain(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """The slope of log(y) against log(n)."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def fit_exponent(sizes: Sequence[int], costs: Sequence[float]) -> float | None:
    """k of y = a + b n^k at the sizes where y has grown; None where it has not at two of them."""
    n, y = np.asarray(sizes, dtype=float), np.asarray(costs)
    has_grown = y - y[0] >= LEAST_GROWTH * y[0]
    if has_grown.sum() < 2:
        return None
    if has_grown.sum() == 2:
        return float(np.polyfit(np.log(n[has_grown] - n[0]), np.log(y[has_grown] - y[0]), 1)[0])
    exponents = np.arange(0.05, 3, 0.01)
    return float(min(exponents, key=lambda k: misfit(n[has_grown], y[has_grown], y[0], k)))


def misfit(n: Floats, y: Floats, start: float, exponent: float) -> float:
    """The sum of squared relative errors of the best y = a + b n^exponent with 0 <= a <= `start`."""
    scaled = (n / n[-1]) ** exponent
    free, *_ = np.linalg.lstsq(np.stack([1 / y, scaled / y], axis=1), np.ones(len(y)), rcond=None)
    constant = float(np.clip(free[0], 0, start))
    factor = max(0.0, float(((y - constant) * scaled / y**2).sum() / (scaled**2 / y**2).sum()))
    return float((((constant + factor * scaled) / y - 1) ** 2).sum())


def describe(exponent: float | None, plain: float) -> str:
    """`1.02 (0.31)`, or `flat (0.01)`."""
    return f"{'flat' if exponent is None else f'{exponent:.2f}'} ({plain:.2f})"


def parse_sizes(text: str) -> tuple[int, ...]:
    """`100,1000`: rising."""
    return tuple(sorted(int(part) for part in text.split(",")))


def main() -> None:
    """Measure each command along each of its axes, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=parse_sizes, default=(100, 300, 1_000, 3_000, 10_000))
    parser.add_argument("--features", type=parse_sizes, default=(10, 100, 500, 1_000, 2_000))
    parser.add_argument("--rows", type=parse_sizes, default=(10_000, 100_000, 1_000_000))
    parser.add_argument("--candidates", type=parse_sizes, default=(1, 4, 8, 16))
    parser.add_argument("--only", default="", help="COMMAND:AXIS")
    arguments = parser.parse_args()
    is_steep = False
    print(f"{'command':9} {'axis':11} {'time':>12} {'memory':>12}   CPU s (of it LightGBM itself) and MB by size")
    for command, (_, axes) in COMMANDS.items():
        for axis in axes:
            if arguments.only in ("", f"{command}:{axis}"):
                is_steep |= report(command, axis, getattr(arguments, axis))
    if is_steep:
        sys.exit(1)


def report(command: str, axis: str, sizes: Sequence[int]) -> bool:
    """Measure a command along an axis and print its line; whether something grows faster than `LIMIT`."""
    costs = [
        measure(command, Sizes()._replace(**{axis: size}), command == "validate" and axis == "trees") for size in sizes
    ]
    columns = [[cost.cpu_s - cost.library_s for cost in costs], [cost.memory_mb for cost in costs]]
    exponents = [fit_exponent(sizes, column) for column in columns]
    texts = [describe(k, fit_plain(sizes, column)) for k, column in zip(exponents, columns, strict=True)]
    by_size = ", ".join(f"{n:,}: {cost}" for n, cost in zip(sizes, costs, strict=True))
    print(f"{command:9} {axis:11} {texts[0]:>12} {texts[1]:>12}   {by_size}", flush=True)
    return any(exponent is not None and exponent > LIMIT for exponent in exponents)


if __name__ == "__main__":
    main()
