"""A race of candidates, from the models' names to the report."""

from collections.abc import Callable, Sequence

from infer_bench.errors import UsageError
from infer_bench.measure.bench.report import ReportBuilder
from infer_bench.measure.candidates.candidates import Candidate, choose_candidates
from infer_bench.measure.candidates.models import model_ref
from infer_bench.measure.candidates.rows import rows_for, seen_by
from infer_bench.measure.convert.run import cached_onnx
from infer_bench.measure.schedule.fixed_rounds import Race
from infer_bench.measure.settings import Settings
from infer_bench.progress import Progress, Silent
from infer_bench.report.bench import BenchReport
from infer_bench.report.common import Notice

Save = Callable[[BenchReport], None]


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    progress: Progress | None = None,
    save: Save | None = None,
    ready: Save | None = None,
    told: Sequence[Notice] = (),
) -> BenchReport:
    """Measure what each candidate costs to answer a request, as `bench` does.

    `ready` is called before the measuring starts, with a report that has no measurement yet; what it raises ends the
    run at no cost. `told` are notices that the report is to carry.
    """
    progress = progress or Silent()
    progress.update(0, "reading the model")
    refs = [model_ref(name, allow_pickle=settings.allow_pickle) for name in dict.fromkeys(models)]
    chosen, notices = choose_candidates(
        refs, candidates, lambda model: cached_onnx(model, settings.allow_pickle, data, progress), settings.threads
    )
    _check_reference(settings.reference, chosen)
    progress.update(0, "reading the rows")
    groups = {ref.path: [e for e in chosen if e.model.path == ref.path] for ref in refs}
    rows = {path: rows_for(group, data, settings) for path, group in groups.items() if group}
    race = Race(chosen, {e.key: seen_by(e, rows[e.model.path]) for e in chosen}, settings, progress)
    desk = ReportBuilder(race, rows, settings, (*told, *notices))
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


def _check_reference(reference: str | None, chosen: Sequence[Candidate]) -> None:
    labels = [candidate.label for candidate in chosen]
    if reference is not None and reference not in labels:
        raise UsageError(f"the reference {reference!r} is no candidate", f"one of: {', '.join(labels)}")
