"""`bench`: what a model costs to serve, measured on candidates side by side."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, get_type_hints

from infer_bench.measure.bench.run import Save, run
from infer_bench.measure.gate.settings import build_gate_settings
from infer_bench.measure.keywords import check_keywords, read_path
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress
from infer_bench.report.bench import BenchReport

__all__ = ["Save", "bench", "run"]

Path = str | PathLike[str]
_OWN: dict[str, Any] = {
    "models": Sequence[str],
    "data": str | None,
    "candidates": Sequence[str],
    "against": str | None,
    "against_python": str | None,
    "max_regression": str | None,
    "limits": Sequence[str],
    "max_delta": float | None,
    "alpha": float,
}
"""Keywords of `bench` that are no settings, with their types once paths are texts."""
_LISTS = ("models", "candidates", "limits")


def bench(
    models: Path | Sequence[Path],
    *,
    data: Path | None = None,
    candidates: str | Sequence[str] = (),
    progress: Progress | None = None,
    save: Save | None = None,
    against: Path | None = None,
    against_python: Path | None = None,
    max_regression: str | None = None,
    limits: str | Sequence[str] = (),
    max_delta: float | None = None,
    alpha: float = 0.01,
    **settings: Any,
) -> BenchReport:
    """Measure what each candidate costs to answer a request, or judge it against a baseline.

    `models` are paths of model files or `package.module:function`, `data` a file of rows (else rows are drawn from the
    model), `candidates` as in `onnxruntime:feed=ndarray` (else those that make sense for the model). The other keywords
    are the fields of `measure.settings.Settings`, as in `batches=(1, 64)`. `save` gets what is known now and again.

    With `against` (a model, a candidate or a function), `against_python` (another environment's interpreter) or
    `limits` (as in `["p99<5ms"]`) the report holds a `gate` and a verdict that is more than "pass" or "failed":
    `max_regression` is written as in `5%` or `p50=3%,p95=10%`, `max_delta` is the largest difference of the
    predictions and `alpha` the error rate. No `pyproject.toml` is read. See docs/gate.md.

    Raises `UsageError` for settings that make no sense, are misspelt or of another type, and `CannotRun` when nothing
    could be measured at all.
    """
    own: dict[str, Any] = {"models": models, "data": data, "candidates": candidates, "limits": limits, "alpha": alpha}
    own |= {"against": against, "against_python": against_python}
    own = _read_own({**own, "max_regression": max_regression, "max_delta": max_delta})
    how: dict[str, Any] = {"settings": _read_settings(settings), "progress": progress, "save": save}
    how |= {name: own.pop(name) for name in ("models", "data", "candidates")}
    gate_settings = build_gate_settings({}, python=own.pop("against_python"), bounds=own.pop("limits"), **own)
    if not gate_settings.has_criteria:
        return run(**how)
    from infer_bench.measure.gate import run as gate

    return gate.run(gate=gate_settings, **how)


def _read_own(values: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords of `bench` itself: paths as text, and lists where one may stand alone."""
    texts = {name: read_path(value) for name, value in values.items()}
    texts |= {name: [texts[name]] for name in _LISTS if isinstance(texts[name], str)}
    if isinstance(texts["models"], list | tuple):
        texts["models"] = list(map(read_path, texts["models"]))
    check_keywords(texts, _OWN)
    return texts


def _read_settings(values: Mapping[str, Any]) -> Settings:
    texts = {name: read_path(value) for name, value in values.items()}
    check_keywords(texts, get_type_hints(Settings), _OWN)
    return Settings(**texts)
