"""A benchmark of the forms of one model, with what each needs to be loaded."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infer_bench.engines import registry
from infer_bench.errors import InferBenchError, OutputError, UsageError
from infer_bench.measure.bench import run as bench
from infer_bench.measure.candidates.jobs import build_engine_job
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.forms.make import make_forms, name_candidates
from infer_bench.measure.forms.traits import CODE_FORMATS, find_languages, find_modules
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.progress import Progress, Silent
from infer_bench.report.bench import BenchReport, BenchResult, FormTraits
from infer_bench.report.common import Notice
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.loaded_packages import ListPackages


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    progress: Progress | None = None,
    save: bench.Save | None = None,
    notices: Sequence[Notice] = (),
    begin_ns: int | None = None,
    **_: Any,
) -> BenchReport:
    """Make the forms of the one model, in `settings.keep_forms` or a scratch folder, and bench them as one comparison.

    A budget counts from when they are made and were opened once, and the plan says before how long that takes. Raises
    `UsageError` for several models and for candidates: each form is opened by the library that reads it.
    """
    if len(models) != 1 or candidates:
        raise UsageError("--forms takes one model and chooses the candidates", "infer-bench bench model.joblib --forms")
    progress, begin_ns = progress or Silent(), begin_ns or time.perf_counter_ns()
    model = identify_model(models[0], allow_pickle=settings.allow_pickle)
    with _open_folder(settings.keep_forms) as folder:
        paths, remarks = make_forms(model, folder, data, settings, progress)
        made_ns = time.perf_counter_ns()
        settings_of_forms = _trust_forms(model, settings)
        refs = [identify_model(path, allow_pickle=settings_of_forms.allow_pickle) for path in paths]
        report = bench.run(
            paths,
            data=data,
            candidates=name_candidates(refs),
            settings=settings_of_forms,
            progress=progress,
            save=save,
            notices=[*notices, *remarks],
            begin_ns=begin_ns,
        )
        results = tuple(_describe(result, refs, settings_of_forms, made_ns) for result in report.results)
    return _complete(report, results, settings, save)


def _complete(
    report: BenchReport, results: tuple[BenchResult, ...], settings: Settings, save: bench.Save | None
) -> BenchReport:
    """The report with the described results, and with what the user has allowed, saved."""
    settings_shown = {**report.settings, "allow_pickle": settings.allow_pickle}
    report = replace(
        report, results=results, settings=settings_shown, notices=(*report.notices, *_note_left_out(results))
    )
    if save:
        save(report)
    return report


def _trust_forms(model: ModelRef, settings: Settings) -> Settings:
    """Of an exported program, whose file is no pickle, every other form was written here: their code may run."""
    return replace(settings, allow_pickle=True) if model.format == "torch-pt2" else settings


@contextlib.contextmanager
def _open_folder(keep: str | None) -> Iterator[Path]:
    """The folder to keep the forms in, made where it is missing; without one a folder that is gone at the end."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
            yield Path(folder)
        return
    try:
        Path(keep).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{keep} cannot be made: {error.strerror or error}", "name a folder to keep the forms in"
        ) from None
    yield Path(keep).absolute()


def _describe(result: BenchResult, refs: Sequence[ModelRef], settings: Settings, begin_ns: int) -> BenchResult:
    """The result with what its form is, and the packages that it needs while a budget from `begin_ns` on lasts."""
    if result.failed is not None:
        return result
    is_over = settings.budget_s is not None and time.perf_counter_ns() - begin_ns > settings.budget_s * 1e9
    ref = next(ref for ref in refs if ref.path == result.model.path)
    packages = {} if is_over else _list_packages(result, ref, settings)
    return replace(result, form=FormTraits(packages, ref.format in CODE_FORMATS, find_languages(ref.format)))


def _note_left_out(results: Sequence[BenchResult]) -> list[Notice]:
    """That the packages of forms are not known, where nobody looked."""
    if all(result.form is None or result.form.packages for result in results):
        return []
    text = "what some forms need to be loaded is not known: no time was left to look, or they could not be opened again"
    return [
        Notice("needs-unknown", text, "leave out --budget and --quick, whose measuring takes all of it", level="note")
    ]


def _list_packages(result: BenchResult, ref: ModelRef, settings: Settings) -> Mapping[str, int]:
    """Bytes by distribution; empty where the form cannot be opened once more."""
    try:
        job = build_engine_job(result.engine, ref, result.options, allow_pickle=settings.allow_pickle)
        with Worker(job, timeout_s=settings.timeout_s) as worker:
            worker.open()
            modules = find_modules(ref, result.options, registry.get(result.engine).requires)
            return worker.ask(ListPackages(modules)).bytes_by_name
    except InferBenchError:
        return {}
