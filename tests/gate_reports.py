"""Bench reports with a gate, for the tests of everything that renders one."""

from dataclasses import replace
from typing import Any

from infer_bench.report.bench import BenchResult
from infer_bench.report.common import ModelInfo, Report, Status, Verdict
from infer_bench.report.gate import Check, Gate, Side
from tests import reports
from tests.reports import MB, US, S

OLD = ModelInfo("/models/old.onnx", "onnx", "onnx", "01" * 32, 310_000, task="binary", features=419, trees=300)
NEW = replace(OLD, path="/models/new.onnx", sha256="02" * 32)
CANDIDATE = "onnxruntime:feed=ndarray"
HERE = Side(CANDIDATE, OLD.path, "3.11.9", "/usr/bin/python3", {"onnxruntime": "1.31.1", "numpy": "2.4.6"})


def result(model: ModelInfo = NEW, p50: int = 27_400, **more: Any) -> BenchResult:
    values: dict[str, Any] = {
        "request": reports.latency(p50, p50 * 109 // 100),
        "phases": reports.phases_of(p50 * 6 // 10, p50 * 3 // 10, p50 // 10),
        "rows_per_s": 1e9 / p50,
        "cold_start_ns": 400_000_000,
        "rss_bytes": 88 * MB,
        "artifact_bytes": 310_000,
        "max_abs_delta": 3.1e-07,
        "label_changes": 0,
        "delta_rows": 1024,
        "processes": reports.processes(p50=p50),
    }
    return replace(reports.result(CANDIDATE, model), **(values | more))


def check(metric: str, outcome: Any, **more: Any) -> Check:
    values: dict[str, Any] = {"kind": "regression", "limit": 0.05, "layouts": 9}
    judged_check = Check(CANDIDATE, CANDIDATE, NEW.path, 1, metric, values.pop("kind"), values.pop("limit"), outcome)
    return replace(judged_check, **(values | more))


def p50(
    outcome: Any = "regressed", ratio: float = 1.1, low: float = 1.0951, high: float = 1.1059, **more: Any
) -> Check:
    values = {"baseline": 24_900.0, "value": 24_900 * ratio, "would_see": 0.0117, "would_fail": 0.063}
    return check("p50", outcome, ratio=ratio, low=low, high=high, **({"beyond": 9, **values} | more))


def p95(
    outcome: Any = "regressed", ratio: float = 1.107, low: float = 1.091, high: float = 1.128, **more: Any
) -> Check:
    values = {"baseline": 27_000.0, "value": 27_000 * ratio, "would_see": 0.0254, "would_fail": 0.081}
    return check("p95", outcome, ratio=ratio, low=low, high=high, **({"beyond": 9, **values} | more))


def gate(*checks: Check, **more: Any) -> Gate:
    values: dict[str, Any] = {
        "mode": "processes",
        "layouts": 9,
        "rounds": 20,
        "alpha": 0.01,
        "beta": 0.05,
        "measured_ns": 79 * S // 10,
        "wall_ns": 31 * S,
        "baseline": HERE,
        "sides": (replace(HERE, model=NEW.path),),
        "checks": checks,
        "settings": {"max_regression": 0.05},
    }
    return Gate(**(values | more))


def report(the_gate: Gate, status: Status, *results: BenchResult, reasons: tuple[str, ...] = ()) -> Report[BenchResult]:
    codes = {"pass": 0, "regressed": 1, "inconclusive": 3, "different": 4, "not-comparable": 5, "failed": 6}
    rows = results or (result(OLD, 24_900, max_abs_delta=0.0), result())
    settings = {"reference": CANDIDATE}
    return reports.report(*rows, settings=settings, gate=the_gate, verdict=Verdict(status, codes[status], reasons))


def passing() -> Report[BenchResult]:
    ok = p50("pass", 1.004, 0.9987, 1.0093, beyond=0), p95("pass", 0.993, 0.981, 1.012, beyond=0)
    results = result(OLD, 24_900, max_abs_delta=0.0), result(p50=25_000)
    return report(gate(*ok, mode="sessions", layouts=6, rounds=10, measured_ns=21 * S // 10), "pass", *results)


def regressed() -> Report[BenchResult]:
    reasons = ("p50 is 1.10× the baseline's, 5 % more is allowed", "p95 is 1.11× the baseline's, 5 % more is allowed")
    return report(gate(p50(), p95()), "regressed", reasons=reasons)


def inconclusive() -> Report[BenchResult]:
    few = "the bounds hold the limit after 9 layouts"
    tail = check(
        "p99", "advisory", value=34_100.0, baseline=30_200.0, ratio=1.129, reason="a p99 is too noisy to judge"
    )
    unclear = p50("inconclusive", 1.043, 1.021, 1.064, beyond=4, reason=few, would_see=0.021)
    the_gate = gate(unclear, p95("pass", 1.01, 0.98, 1.041, beyond=0), tail)
    return report(the_gate, "inconclusive", reasons=("p50: " + few,))


def two_environments() -> Report[BenchResult]:
    """One file and candidate; the baseline's label tells its interpreter."""
    there = "/venvs/old/bin/python"
    elsewhere = f"{CANDIDATE} in {there}"
    packages = {"onnxruntime": "1.31.1", "numpy": "2.4.6"}
    base = Side(elsewhere, OLD.path, "3.11.9", there, packages)
    newer = {**packages, "onnxruntime": "1.32.0", "pandas": "3.1.1"}
    side = Side(CANDIDATE, OLD.path, "3.12.4", "/venvs/next/bin/python", newer)
    theirs, ours = result(OLD, 24_900, candidate=elsewhere, max_abs_delta=0.0), result(OLD, 27_400)
    checks = tuple(replace(one, model=OLD.path, against=elsewhere) for one in (p50(), p95()))
    return report(gate(*checks, baseline=base, sides=(side,)), "regressed", theirs, ours)


def against_stored() -> Report[BenchResult]:
    only = (result(p50=25_000),)
    drift = "the machine's own speed was not the same"
    checks: tuple[Check, ...] = (
        p50("pass", 1.004, 0.98, 1.031, beyond=0),
        p95("inconclusive", 1.04, 0.97, 1.12, beyond=3, reason=drift),
    )
    checks = tuple(replace(one, layouts=5) for one in checks)
    return report(gate(*checks, mode="stored", layouts=5), "inconclusive", *only, reasons=(f"p95: {drift}",))


def limits() -> Report[BenchResult]:
    """Absolute bounds alone, on a time, memory, the cold start and the answers."""
    rows = (
        check("p99", "pass", kind="limit", limit=5_000_000.0, value=4_100_000.0, low=4_050_000.0, high=4_190_000.0),
        check("rss", "regressed", kind="limit", limit=80.0 * MB, value=88.2 * MB, unit="bytes", beyond=9),
        check("cold_start", "pass", kind="limit", limit=2e9, value=4e8),
        check("max_abs_delta", "different", kind="delta", limit=1e-5, value=3.1e-4, unit=""),
    )
    checks = tuple(replace(row, against="") for row in rows)
    the_gate = gate(*checks, mode="absolute", layouts=3, baseline=Side(CANDIDATE, NEW.path), sides=())
    return report(the_gate, "different", result(p50=3_900 * US, max_abs_delta=3.1e-4, label_changes=12))


def several() -> Report[BenchResult]:
    """Two candidates at two batch sizes: one passes, one regresses, answers otherwise, or fails."""
    other = "lightgbm:feed=ndarray"
    rows = [result(OLD, 24_900 * batch, batch=batch, max_abs_delta=0.0) for batch in (1, 64)]
    checks: list[Check] = []
    flips = "labels that change: 12"
    for batch in (1, 64):
        rows.append(result(p50=25_000 * batch, batch=batch))
        batch_values: dict[str, Any] = {"batch": batch, "baseline": 24_900.0 * batch, "value": 25_000.0 * batch}
        checks.append(replace(p50("pass", 1.004, 0.9987, 1.0093, beyond=0), **batch_values))
    slow = result(reports.CREDIT, 42_100, candidate=other, engine="lightgbm", max_abs_delta=0.41, label_changes=12)
    killed = reports.failure(other, "the worker was killed by SIGKILL", batch=64)
    other_values: dict[str, Any] = {"candidate": other, "model": reports.CREDIT.path}
    checks.append(replace(p50(ratio=1.69, low=1.67, high=1.71), value=42_100.0, **other_values))
    checks.append(
        check("max_abs_delta", "different", kind="delta", limit=1e-5, value=0.41, unit="", reason=flips, **other_values)
    )
    for metric in ("p50", "p95"):
        checks.append(check(metric, "failed", batch=64, reason="the worker was killed by SIGKILL", **other_values))
    sides = replace(HERE, model=NEW.path), Side(other, reports.CREDIT.path)
    return report(gate(*checks, sides=sides), "different", *rows, slow, killed)


ALL = {
    "passing": passing(),
    "regressed": regressed(),
    "inconclusive": inconclusive(),
    "two_environments": two_environments(),
    "stored": against_stored(),
    "limits": limits(),
    "several": several(),
}
