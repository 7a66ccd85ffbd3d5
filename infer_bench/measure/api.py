"""`bench`: what a model costs to serve, measured on candidates side by side."""

from collections.abc import Sequence
from typing import Any

from infer_bench.measure.bench.run import Save, run
from infer_bench.measure.gate.settings import build_gate_settings
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress
from infer_bench.report.bench import BenchReport

__all__ = ["Save", "bench", "run"]


def bench(
    models: str | Sequence[str],
    *,
    data: str | None = None,
    candidates: Sequence[str] = (),
    progress: Progress | None = None,
    save: Save | None = None,
    against: str | None = None,
    against_python: str | None = None,
    max_regression: str | None = None,
    limits: Sequence[str] = (),
    max_delta: float | None = None,
    alpha: float = 0.01,
    **settings: Any,
) -> BenchReport:
    """Measure what each candidate costs to answer a request, or judge it against a baseline.

    `models` are paths of model files or `package.module:function`, `data` a file of rows (else rows are drawn from the
    model), `candidates` as in `onnxruntime:feed=ndarray` (else those that make sense for the model). The other keywords
    are the fields of `measure.settings.Settings`, as in `batches=(1, 64)`. `save` is called every now and
    then with what is known so far.

    With `against` (a model, a candidate or a function), `against_python` (another environment's interpreter) or
    `limits` (as in `["p99<5ms"]`) the report holds a `gate` and a verdict that is more than "pass" or "failed":
    `max_regression` is written as in `5%` or `p50=3%,p95=10%`, `max_delta` is the largest difference of the
    predictions and `alpha` the error rate. No `pyproject.toml` is read. See docs/gate.md.

    Raises `UsageError` for settings that make no sense and `CannotRun` when nothing could be measured at all.
    """
    paths = [models] if isinstance(models, str) else list(models)
    criteria: dict[str, Any] = {"against": against, "python": against_python, "max_regression": max_regression}
    bounds = [limits] if isinstance(limits, str) else limits
    gate_settings = build_gate_settings({}, **criteria, bounds=bounds, max_delta=max_delta, alpha=alpha)
    common: dict[str, Any] = {"data": data, "candidates": candidates, "progress": progress, "save": save}
    if gate_settings.has_criteria:
        from infer_bench.measure.gate import run as gate

        return gate.run(paths, gate=gate_settings, settings=Settings(**settings), **common)
    return run(paths, settings=Settings(**settings), **common)
