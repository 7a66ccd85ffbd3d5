"""Reports as a bench would return them, for the tests of everything that saves, loads or renders one."""

from dataclasses import replace
from typing import Any

from infer_bench.report.bench import BenchResult, Process, Round, Speedup
from infer_bench.report.common import Environment, Latency, ModelInfo, Notice, Phases, Report, Verdict

US = 1_000
MS = 1_000_000
S = 1_000_000_000
MB = 1_000_000

ENVIRONMENT = Environment(
    os="Linux 6.1",
    machine="x86_64",
    cpu_model="Some CPU @ 2.40GHz",
    cpus_logical=4,
    cpus_affinity=2,
    cpus_quota=1.5,
    cpus_effective=1.5,
    memory_bytes=16_000 * MB,
    python="3.11.9",
    executable="/usr/bin/python3",
    packages={"lightgbm": "4.7.0", "onnxruntime": "1.31.1"},
    load_average_1m=0.4,
)

SETTINGS: dict[str, Any] = {
    "threads": 1,
    "rows_cycled": 1024,
    "rows_mode": "rotate",
    "rows_source": "clients.parquet",
    "rounds": 60,
    "processes": 3,
    "percentiles": [50.0, 95.0, 99.0],
    "scenario": "single_stream",
    "reference": "lightgbm:feed=dataframe",
    "seed": 0,
    "budget_s": 5.0,
}

CREDIT = ModelInfo(
    "/models/credit.txt", "lightgbm", "lightgbm-text", "ab" * 32, 1_118_000, task="binary", features=419, trees=300
)
HOUSES = ModelInfo(
    "/models/häuser_価格.pkl", "sklearn", "pickle", "cd" * 32, 31_200, task="regression", features=5, trees=100
)
ONNX = ModelInfo("/models/labels.onnx", "onnx", "onnx", "ef" * 32, 812)


def latency(p50: int, p95: int | None = None, p99: int | None = None, **more: Any) -> Latency:
    """Times in ns around a median; the tails follow from it where they are not given."""
    p95, p99 = p95 or p50 * 107 // 100, p99 or p50 * 138 // 100
    values: dict[str, Any] = {
        "mean_ns": p50 * 102 // 100,
        "min_ns": p50 * 98 // 100,
        "max_ns": p99 * 3,
        "samples": 60_000,
        "intervals": {"p50": (p50 * 99 // 100, p50 * 101 // 100)},
    }
    return Latency(p50, p95, p99, **(values | more))


def too_few(p50: int, samples: int = 60) -> Latency:
    """A sample that carries a median and nothing beyond."""
    return replace(latency(p50), p95_ns=None, p99_ns=None, samples=samples, needs={"p95": 93, "p99": 473})


def phases_of(preprocess: int, predict: int, postprocess: int) -> Phases:
    return Phases(latency(preprocess), latency(predict), latency(postprocess))


def processes(count: int = 3, rounds: int = 20, p50: int = 50 * US) -> tuple[Process, ...]:
    """Workers with a few raw samples."""
    samples = tuple(p50 + 10 * n for n in range(4))
    blocks = tuple(Round(n, n % 3, 1, 4, 4 * p50, 0, samples, samples, samples, samples) for n in range(rounds))
    start = Process(0, 2 * S, S, S // 2, S // 4, S // 8, S // 9, True, 142 * MB, 150 * MB, 36, 40, rounds=blocks)
    return tuple(replace(start, index=index) for index in range(count))


def result(candidate: str, model: ModelInfo = CREDIT, batch: int = 1, **more: Any) -> BenchResult:
    engine, _, options = candidate.partition(":")
    pairs = dict(part.partition("=")[::2] for part in options.split(",")) if "=" in options else {}
    return BenchResult(candidate, engine if pairs or not options else "callable", pairs, model, batch, **more)


def failure(candidate: str, reason: str, model: ModelInfo = CREDIT, batch: int = 1) -> BenchResult:
    return result(candidate, model, batch, failed=reason)


def _credit_frame(batch: int) -> BenchResult:
    return result(
        "lightgbm:feed=dataframe",
        batch=batch,
        request=latency(3_760 * US * batch, 4_100 * US * batch, 4_610 * US * batch),
        phases=phases_of(3_309 * US * batch, 414 * US * batch, 37 * US * batch),
        rows_per_s=262.1,
        cold_start_ns=1_900 * MS,
        rss_bytes=142 * MB,
        peak_rss_bytes=150 * MB,
        artifact_bytes=1_118_000,
        max_abs_delta=0.0,
        label_changes=0,
        delta_rows=1024,
        processes=processes(),
    )


def credit(batch: int = 1) -> tuple[BenchResult, ...]:
    """Three candidates of one model, as clear as can be."""
    frame = _credit_frame(batch)
    against = frame.candidate
    array = replace(
        frame,
        candidate="lightgbm:feed=ndarray",
        options={"feed": "ndarray"},
        request=latency(42_100 * batch, 45_000 * batch, 58_300 * batch),
        phases=phases_of(20_400 * batch, 20_900 * batch, 800 * batch),
        rows_per_s=23_512.0,
        speedup=Speedup(against, 89.2, 88.3, 89.9),
        cold_start_ns=600 * MS,
        rss_bytes=104 * MB,
    )
    onnx = replace(
        array,
        candidate="onnxruntime:feed=ndarray",
        engine="onnxruntime",
        request=latency(28_900 * batch, 31_000 * batch, 40_200 * batch),
        phases=phases_of(20_400 * batch, 8_100 * batch, 400 * batch),
        rows_per_s=34_100.0,
        speedup=Speedup(against, 130.2, 128.1, 131.6),
        cold_start_ns=400 * MS,
        rss_bytes=88 * MB,
        artifact_bytes=310_000,
        max_abs_delta=7.3e-08,
    )
    return frame, array, onnx


def report(*results: BenchResult, settings: dict[str, Any] | None = None, **more: Any) -> Report[BenchResult]:
    """A finished bench report; without results, the three candidates of the credit model."""
    return Report(
        "bench",
        "0.1.0",
        "2026-11-21T06:00:00+00:00",
        SETTINGS | (settings or {}),
        ENVIRONMENT,
        results or credit(),
        **more,
    )


def troubled() -> Report[BenchResult]:
    """Everything that can go wrong in one bench: failures, other labels, too few samples, batch means, notices."""
    frame, array, onnx = credit()
    other = replace(onnx, candidate="onnxruntime:feed=ndarray,threads=2", max_abs_delta=0.41, label_changes=12)
    tiny = replace(array, candidate="lightgbm:feed=packed", request=too_few(42_100), speedup=None, processes=())
    means = replace(latency(812), p95_ns=None, p99_ns=None, unit="batch-mean")
    fast = replace(
        onnx,
        candidate="serving.predictors:predict_one",
        engine="callable",
        request=means,
        calls_per_sample=16,
        rows_per_s=12_300_000.0,
        speedup=Speedup(frame.candidate, 4630.4, None, None),
        max_abs_delta=None,
        label_changes=None,
        delta_note="its answers have 3 columns",
        non_finite_mismatches=2,
        artifact_bytes=None,
    )
    killed = failure("xgboost:feed=dataframe,api=sklearn", "the worker was killed by SIGKILL while it was warming up")
    notices = (
        Notice("high-variance", "p50 differs by 14 % between processes", "close other programs", frame.candidate),
        Notice("high-variance", "p50 differs by 14 % between processes", "close other programs", onnx.candidate),
        Notice("threads", "4 threads on 1.5 effective cores", "--threads 1"),
    )
    verdict = Verdict("failed", 6, ("1 of 6 candidates failed",))
    return report(frame, array, onnx, other, tiny, fast, killed, notices=notices, verdict=verdict, complete=False)


def wide() -> Report[BenchResult]:
    """Three models at three batch sizes, one of them with a name of wide characters."""
    return report(
        *(row for batch in (1, 64, 1000) for row in credit(batch)),
        *(row for batch in (1, 64, 1000) for row in _houses(batch)),
        *(failure("onnxruntime:feed=ndarray", "the graph is invalid", ONNX, batch) for batch in (1, 64, 1000)),
        settings={"rows_source": "drawn from the model"},
    )


def _houses(batch: int) -> tuple[BenchResult, ...]:
    against = "sklearn:feed=dataframe"
    slow = result(
        against,
        HOUSES,
        batch,
        request=latency(5_200 * US + 900 * batch),
        phases=phases_of(300 * US, 4_900 * US + 900 * batch, 2 * US),
        rows_per_s=190.0 * batch,
        cold_start_ns=2_600 * MS,
        rss_bytes=120 * MB,
        artifact_bytes=31_200,
    )
    same = Speedup(against, 1.02, 0.97, 1.07)
    near = replace(
        slow,
        candidate="onnxruntime:feed=ndarray",
        engine="onnxruntime",
        options={"feed": "ndarray"},
        speedup=same,
        max_abs_delta=0.0,
    )
    return slow, near
