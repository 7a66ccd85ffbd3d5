"""What others published about single-row latency, big batches and threads, made again; one command each.

    python benchmarks/claims.py dataframe   # a DataFrame per request against ONNX Runtime
    python benchmarks/claims.py pandas      # what dropping pandas alone brings, wrapper and booster
    python benchmarks/claims.py batch       # XGBoost against ONNX Runtime on a batch of 48,744 rows
    python benchmarks/claims.py threads     # more threads than free cores

Every ratio comes from one interleaved run and is printed with its conditions: versions, model, keys a record.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infer_bench import bench
from infer_bench.cli.progress import ProgressLine
from infer_bench.measure.gate.cpu_load import keep_busy
from infer_bench.report.bench import BenchReport
from infer_bench.reporters.registry import render

SAMPLES = Path(__file__).parent.parent / "sample_models"
CREDIT, ROWS = str(SAMPLES / "credit.txt"), str(SAMPLES / "credit.parquet")
TARGET = "target"


def wrapper(folder: str) -> str:
    """A pickled LGBMClassifier of 200 trees trained on the credit rows, as a service would hold it."""
    import joblib
    import lightgbm
    import pandas

    rows = pandas.read_parquet(ROWS)
    model = lightgbm.LGBMClassifier(n_estimators=200, num_leaves=31, n_jobs=1, verbose=-1)
    model.fit(rows.drop(columns=TARGET), rows[TARGET])
    path = str(Path(folder) / "wrapper.joblib")
    joblib.dump(model, path)
    return path


def bench_with_progress(models: str, quick: dict[str, int], *, candidates: list[str], **settings: Any) -> BenchReport:
    """A bench that shows its progress; a quick one has the first two candidates."""
    with ProgressLine() as progress:
        return bench(models, progress=progress, candidates=candidates[: 2 if quick else None], **(settings | quick))


def dataframe(quick: dict[str, int]) -> BenchReport:
    """dict → DataFrame → LGBMClassifier against dict → array → ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        candidates = ["lightgbm:api=sklearn,feed=dataframe", "onnxruntime:feed=ndarray", "onnxruntime:feed=packed"]
        return bench_with_progress(wrapper(folder), quick, data=ROWS, candidates=candidates)


def pandas(quick: dict[str, int]) -> BenchReport:
    """The wrapper with and without a DataFrame, and the booster without either."""
    with tempfile.TemporaryDirectory() as folder:
        apis = [("sklearn", "dataframe"), ("sklearn", "ndarray"), ("booster", "dataframe"), ("booster", "ndarray")]
        candidates = [f"lightgbm:api={api},feed={feed}" for api, feed in apis]
        return bench_with_progress(wrapper(folder), quick, data=ROWS, candidates=candidates)


def batch(quick: dict[str, int]) -> BenchReport:
    """Native XGBoost against its ONNX conversion: one row, and the batch that was reported to be slower."""
    model, candidates = str(SAMPLES / "credit_xgboost.json"), ["xgboost:feed=ndarray", "onnxruntime:feed=ndarray"]
    return bench_with_progress(model, quick, data=None, candidates=candidates, batches=(1, 48_744), rounds=12)


def threads(quick: dict[str, int]) -> BenchReport:
    """One thread and more than there are free cores, with a hog on one core."""
    candidates = ["lightgbm:feed=ndarray,threads=1", "lightgbm:feed=ndarray,threads=2"]
    candidates += [f"onnxruntime:feed=ndarray,threads={count}" for count in (1, 2, 4, 8)]
    with keep_busy(1):
        return bench_with_progress(CREDIT, quick, data=ROWS, candidates=candidates)


CLAIMS: dict[str, Callable[[dict[str, int]], BenchReport]] = {
    "dataframe": dataframe,
    "pandas": pandas,
    "batch": batch,
    "threads": threads,
}


def main() -> None:
    """Run one claim and print its table and conditions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claim", choices=list(CLAIMS))
    parser.add_argument("--rounds", type=int, default=0, help="of two candidates, to see that it runs")
    arguments = parser.parse_args()
    report = CLAIMS[arguments.claim]({"rounds": arguments.rounds, "processes": 1} if arguments.rounds else {})
    print(render(report, "table", phases=True))
    versions = "  ".join(f"{name} {version}" for name, version in report.environment.packages.items())
    print(f"{report.environment.cpu_model}, {report.environment.cpus_effective:g} CPUs, Python ", end="")
    print(f"{report.environment.python}\n{versions}")


if __name__ == "__main__":
    main()
