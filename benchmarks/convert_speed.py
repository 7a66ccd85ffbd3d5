"""Conversion against onnxmltools on the same models, as ratios within one run.

    python benchmarks/convert_speed.py [--trees 3000] [--sizes 20,100,500,3000] [--small 20,50,100,150] [--loads 6]

Time to convert the trees (reading the model file and writing ONNX on both sides); for each of the sizes, with 31 leaves
a tree, the file sizes and the time to predict one row and 10,000 rows: blocks of the two files alternate in one
process, each side loaded several times because a load is one sample of memory placement, rows cycled; the ratio is the
median over the pairs, of the thread's CPU time, which tells 2 % on a busy machine too. For the small sizes the time to
predict one row with a regressor and with three classes as well, and the operators. Last the command `convert` of
100 trees, which also compares the file with the original, beside a script that does nothing but convert them with
onnxmltools, by turns.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

COLUMNS = 20
BLOCK_S = 0.03
COMMAND_TREES = 100
OBJECTIVES = {
    "binary": ("binary", "binary:logistic"),
    "regression": ("l2", "reg:squarederror"),
    "three classes": ("multiclass", "multi:softprob"),
}
"""LightGBM's and XGBoost's, by kind."""
SCRIPT = """
import lightgbm, onnxmltools, sys
from onnxmltools.convert.common.data_types import FloatTensorType
types = [("input", FloatTensorType([None, int(sys.argv[3])]))]
model = onnxmltools.convert_lightgbm(lightgbm.Booster(model_file=sys.argv[1]), initial_types=types, zipmap=False)
open(sys.argv[2], "wb").write(model.SerializeToString())
"""


def train(folder: Path, kind: str, trees: int, sizes: set[int]) -> dict[tuple[str, int], Path]:
    """Models of so many trees (a class), and the first few of them, of each library."""
    import lightgbm
    import xgboost

    random = np.random.default_rng(0)
    rows = random.normal(size=(4000, COLUMNS))
    score = rows[:, 0] + rows[:, 1] * rows[:, 2] + random.normal(size=4000)
    target = {"binary": (score > 0).astype(int), "regression": 3 * score + 10}.get(
        kind, np.digitize(score, [-0.7, 0.7])
    )
    classes = {"num_class": 3} if kind == "three classes" else {}
    objective, other = OBJECTIVES[kind]
    settings = {"objective": objective, "num_leaves": 31, "min_data_in_leaf": 2, "verbose": -1, "num_threads": 1}
    light = lightgbm.train({**settings, **classes, "learning_rate": 0.02}, lightgbm.Dataset(rows, target), trees)
    shape = {"max_leaves": 31, "grow_policy": "lossguide", "max_depth": 0, "min_child_weight": 0, "eta": 0.02}
    extreme = xgboost.train(
        {"objective": other, "nthread": 1, **classes, **shape}, xgboost.DMatrix(rows, target), trees
    )
    paths = {}
    for count in sorted({trees, *sizes}):
        paths["lightgbm", count] = folder / f"light{count}.txt"
        light.save_model(str(paths["lightgbm", count]), num_iteration=count)
        paths["xgboost", count] = folder / f"extreme{count}.json"
        extreme[:count].save_model(str(paths["xgboost", count]))
    return paths


def ours(family: str, path: Path, precision: Any = "exact") -> bytes:
    """What `convert` writes."""
    from infer_bench.converters.onnx.writer import write_onnx
    from infer_bench.trees.readers.lightgbm import read_lightgbm
    from infer_bench.trees.readers.xgboost import read_xgboost

    trees = read_lightgbm(path.read_text()) if family == "lightgbm" else read_xgboost(path.read_bytes())
    return write_onnx(trees, precision=precision, input_dtype="float32")


def theirs(family: str, path: Path) -> bytes:
    """What onnxmltools writes."""
    import lightgbm
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    types = [("input", FloatTensorType([None, COLUMNS]))]
    if family == "lightgbm":
        model = onnxmltools.convert_lightgbm(lightgbm.Booster(model_file=str(path)), initial_types=types, zipmap=False)
    else:
        model = onnxmltools.convert_xgboost(xgboost.Booster(model_file=str(path)), initial_types=types)
    data: bytes = model.SerializeToString()
    return data


def seconds(call: Callable[[], Any]) -> float:
    """How much CPU time one call takes."""
    start = time.process_time()
    call()
    return time.process_time() - start


def session(data: bytes) -> Callable[[Any], Any]:
    """Predicts probabilities with one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    inner = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name, output = inner.get_inputs()[0].name, inner.get_outputs()[-1].name
    return lambda rows: inner.run([output], {name: rows})


def pace(predict: Callable[[Any], Any], batches: list[Any]) -> float:
    """Seconds of this thread's CPU a call over one block, of `BLOCK_S` at least. The sessions have no other threads."""
    calls, start = 0, time.thread_time()
    while (spent_s := time.thread_time() - start) < BLOCK_S or not calls:
        predict(batches[calls % len(batches)])
        calls += 1
    return spent_s / calls


def compare_pace(one: bytes, other: bytes, batch: int, loads: int, blocks: int) -> tuple[float, float, float]:
    """How many times faster `one` predicts than `other`: the median, least and greatest ratio of pairs of loads."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(max(512, batch), COLUMNS)).astype(np.float32)
    batches = [rows] if batch > 512 else [rows[i : i + batch] for i in range(0, len(rows) - batch + 1, batch)]
    ratios = []
    for _ in range(loads):
        pair = (session(one), session(other))
        for predict in pair:
            pace(predict, batches)
        of_blocks = []
        for block in range(blocks):
            order = pair if block % 2 == 0 else pair[::-1]
            seconds_of = {id(predict): pace(predict, batches) for predict in order}
            of_blocks.append(seconds_of[id(pair[1])] / seconds_of[id(pair[0])])
        ratios.append(statistics.median(of_blocks))
    return statistics.median(ratios), min(ratios), max(ratios)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trees", type=int, default=3000)
    parser.add_argument("--sizes", default="20,100,500,3000", help="numbers of trees to predict with")
    parser.add_argument("--small", default="20,50,100,150", help="numbers of trees of every kind, for one row")
    parser.add_argument("--loads", type=int, default=6, help="of each file, as samples of memory placement")
    parser.add_argument("--blocks", type=int, default=9, help="of each load")
    parser.add_argument("--commands", type=int, default=5, help="runs of the command and of the script")
    arguments = parser.parse_args()
    import onnxmltools  # noqa: F401 - imports are not timed

    sizes, small = (
        sorted({int(size) for size in text.split(",") if size}) for text in (arguments.sizes, arguments.small)
    )
    with tempfile.TemporaryDirectory() as folder:
        few = min(COMMAND_TREES, arguments.trees)
        models = train(Path(folder), "binary", arguments.trees, {few, *sizes})
        for family in ("lightgbm", "xgboost"):
            compare_conversion(family, models[family, arguments.trees], arguments.trees)
            for size in sizes:
                compare_prediction(family, models[family, size], size, arguments.loads, arguments.blocks)
        if arguments.commands:
            compare_command(models["lightgbm", few], few, Path(folder), arguments.commands)
        for kind in OBJECTIVES if small else ():
            compare_small(kind, train(Path(folder), kind, small[-1], set(small)), small, arguments)


def compare_conversion(family: str, path: Path, trees: int) -> None:
    """Print how many times faster one library's trees are converted, by CPU time."""
    ours(family, path)
    mine = statistics.median(seconds(lambda: ours(family, path)) for _ in range(5))
    other = statistics.median(seconds(lambda: theirs(family, path)) for _ in range(2))
    print(f"{family}: {trees:,} trees convert in {mine:.2f} s of CPU, onnxmltools {other:.2f} s: {other / mine:.0f}×")


def compare_prediction(family: str, path: Path, trees: int, loads: int, blocks: int) -> None:
    """Print the sizes of one library's files, and how many times faster the own one predicts."""
    reference = theirs(family, path)
    for precision in ("exact", "float32"):
        data = ours(family, path, precision)
        name, original = f"{family}: {trees:,} × 31 {precision}", path.stat().st_size
        print(
            f"{name}: {len(data) / 1e3:,.0f} kB, onnxmltools {len(reference) / 1e3:,.0f} kB:"
            f" {len(reference) / len(data):.1f}×, original {original / 1e3:,.0f} kB"
        )
        for batch in (1, 10_000):
            middle, low, high = compare_pace(data, reference, batch, loads, blocks)
            print(f"{name}, batch {batch:,}: {middle:.2f}× as fast ({low:.2f}–{high:.2f})", flush=True)


def compare_small(
    kind: str, models: dict[tuple[str, int], Path], sizes: list[int], arguments: argparse.Namespace
) -> None:
    """Print how many times faster the own files of one kind predict one row, and both files' operators."""
    for family, precision in (("xgboost", "exact"), ("lightgbm", "float32"), ("lightgbm", "exact")):
        for size in sizes:
            path = models[family, size]
            data, reference = ours(family, path, precision), theirs(family, path)
            middle, low, high = compare_pace(data, reference, 1, arguments.loads, arguments.blocks)
            operators = " against ".join(list_operators(file) for file in (data, reference))
            print(
                f"{family}, {kind}: {size} trees {precision}: {middle:.2f}× ({low:.2f}–{high:.2f}); {operators}",
                flush=True,
            )


def list_operators(data: bytes) -> str:
    """The operators of a file in their order, without those that ONNX Runtime drops."""
    import onnx

    return " ".join(node.op_type for node in onnx.load_from_string(data).graph.node if node.op_type != "Identity")


def compare_command(path: Path, trees: int, folder: Path, repeats: int) -> None:
    """Print what the whole command takes, in wall and CPU time, beside the script."""
    convert = [sys.executable, "-m", "infer_bench", "convert", str(path), "-o", str(folder / "own.onnx")]
    script = [sys.executable, "-c", SCRIPT, str(path), str(folder / "other.onnx"), str(COLUMNS)]
    times = [(run(convert), run(script)) for _ in range(repeats)]
    wall, cpu, other_wall, other_cpu = (
        statistics.median(pair[side][kind] for pair in times) for side in (0, 1) for kind in (0, 1)
    )
    print(
        f"convert of {trees} trees as a command: {wall:.2f} s, {cpu:.2f} s of CPU; onnxmltools, which compares "
        f"nothing: {other_wall:.2f} s, {other_cpu:.2f} s of CPU; {wall / other_wall:.2f}× its time"
    )


def run(command: list[str]) -> tuple[float, float]:
    """Seconds and CPU seconds of a command and all that it started."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    spent_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
