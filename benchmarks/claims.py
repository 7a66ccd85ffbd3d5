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


def measured(models: str, **settings: Any) -> BenchReport:
    """A bench with its progress shown."""
    with ProgressLine() as progress:
        return bench(models, progress=progress, **settings)


def dataframe() -> BenchReport:
    """dict → DataFrame → LGBMClassifier against dict → array → ONNX Runtime."""
    with tempfile.TemporaryDirectory() as folder:
        asked = ["lightgbm:api=sklearn,feed=dataframe", "onnxruntime:feed=ndarray", "onnxruntime:feed=packed"]
        return measured(wrapper(folder), data=ROWS, candidates=asked)


def pandas() -> BenchReport:
    """The wrapper with and without a DataFrame, and the booster without either."""
    with tempfile.TemporaryDirectory() as folder:
        apis = [("sklearn", "dataframe"), ("sklearn", "ndarray"), ("booster", "dataframe"), ("booster", "ndarray")]
        asked = [f"lightgbm:api={api},feed={feed}" for api, feed in apis]
        return measured(wrapper(folder), data=ROWS, candidates=asked)


def batch() -> BenchReport:
    """Native XGBoost against its ONNX conversion: one row, and the batch that was reported to be slower."""
    model, asked = str(SAMPLES / "credit_xgboost.json"), ["xgboost:feed=ndarray", "onnxruntime:feed=ndarray"]
    return measured(model, data=None, candidates=asked, batches=(1, 48_744), rounds=12)


def threads() -> BenchReport:
    """One thread and more than there are free cores, with a hog on one core."""
    asked = ["lightgbm:feed=ndarray,threads=1", "lightgbm:feed=ndarray,threads=2"]
    asked += [f"onnxruntime:feed=ndarray,threads={count}" for count in (1, 2, 4, 8)]
    with keep_busy(1):
        return measured(CREDIT, data=ROWS, candidates=asked)


CLAIMS: dict[str, Callable[[], BenchReport]] = {
    "dataframe": dataframe,
    "pandas": pandas,
    "batch": batch,
    "threads": threads,
}


def main() -> None:
    """Run one claim and print its table and conditions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claim", choices=list(CLAIMS))
    report = CLAIMS[parser.parse_args().claim]()
    print(render(report, "table", phases=True))
    versions = "  ".join(f"{name} {version}" for name, version in report.environment.packages.items())
    print(f"{report.environment.cpu_model}, {report.environment.cpus_effective:g} CPUs, Python ", end="")
    print(f"{report.environment.python}\n{versions}")


if __name__ == "__main__":
    main()
