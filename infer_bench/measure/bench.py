"""`bench`: what a model costs to serve, measured by a race of its candidates."""

from collections.abc import Callable, Sequence
from typing import Any

from infer_bench.errors import UsageError
from infer_bench.measure import gate
from infer_bench.measure.convert import cached_onnx
from infer_bench.measure.desk import Desk
from infer_bench.measure.entrants import Entrant, entrants
from infer_bench.measure.gate_settings import gate_settings
from infer_bench.measure.models import model_ref
from infer_bench.measure.progress import Progress, Silent
from infer_bench.measure.race import Race
from infer_bench.measure.rows import rows_for, seen_by
from infer_bench.measure.settings import Settings
from infer_bench.results import BenchReport

Save = Callable[[BenchReport], None]


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
    are the fields of `measure.settings.Settings`, as in `batches=(1, 64)`. `save` is called after every round with what
    is known so far.

    With `against` (a model, a candidate or a function), `against_python` (another environment's interpreter) or
    `limits` (as in `["p99<5ms"]`) the report holds a `gate` and a verdict that is more than "pass" or "failed":
    `max_regression` is written as in `5%` or `p50=3%,p95=10%`, `max_delta` is the largest difference of the answers
    and `alpha` the error rate. No `pyproject.toml` is read. See docs/gate.md.

    Raises `UsageError` for settings that make no sense and `CannotRun` when nothing could be measured at all.
    """
    paths = [models] if isinstance(models, str) else list(models)
    asked = gate_settings(
        {},
        against=against,
        python=against_python,
        max_regression=max_regression,
        bounds=[limits] if isinstance(limits, str) else limits,
        max_delta=max_delta,
        alpha=alpha,
    )
    if asked.asked:
        told = asked.with_budget(Settings(**settings))
        return gate.run(
            paths, data=data, candidates=candidates, gate=asked, settings=told, progress=progress, save=save
        )
    return run(paths, data=data, candidates=candidates, settings=Settings(**settings), progress=progress, save=save)


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    progress: Progress | None = None,
    save: Save | None = None,
    ready: Save | None = None,
) -> BenchReport:
    """As `bench`, with the settings made.

    `ready` is called before the measuring starts, with a report that has no measurement yet; what it raises ends the
    run at no cost.
    """
    progress = progress or Silent()
    progress.update(0, "reading the model")
    refs = [model_ref(name, allow_pickle=settings.allow_pickle) for name in dict.fromkeys(models)]
    chosen, notices = entrants(
        refs, candidates, lambda model: cached_onnx(model, settings.allow_pickle, data, progress), settings.threads
    )
    _check_reference(settings.reference, chosen)
    progress.update(0, "reading the rows")
    groups = {ref.path: [e for e in chosen if e.model.path == ref.path] for ref in refs}
    rows = {path: rows_for(group, data, settings) for path, group in groups.items() if group}
    race = Race(chosen, {e.key: seen_by(e, rows[e.model.path]) for e in chosen}, settings, progress)
    desk = Desk(race, rows, settings, tuple(notices))
    if ready:
        ready(desk.report(complete=False))
    complete = False
    try:
        race.run(lambda: save(desk.report(complete=False)) if save else None)
        complete = True
    finally:
        report = desk.report(complete=complete)
        if save:
            save(report)
    return report


def _check_reference(reference: str | None, chosen: Sequence[Entrant]) -> None:
    labels = [entrant.label for entrant in chosen]
    if reference is not None and reference not in labels:
        raise UsageError(f"the reference {reference!r} is no candidate", f"one of: {', '.join(labels)}")
