"""`profile`: where the time of a request goes, from its phases down to functions and operators."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from infer_bench.engines.onnxruntime.providers import read_provider
from infer_bench.errors import InferBenchError, MissingDependency, UsageError
from infer_bench.measure.candidates.candidates import Candidate, choose_candidates, default_candidates, plan_candidates
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.measure.convert.cache import cached_onnx
from infer_bench.measure.profile.diff import ResultAndTable, compare
from infer_bench.measure.profile.notices import note_profiler
from infer_bench.measure.profile.prof_file import ENDINGS, is_profile, unpack
from infer_bench.measure.profile.report import ProfileOutcome, report_on
from infer_bench.measure.profile.requests import load_requests, read_source
from infer_bench.measure.profile.results import build_result, tabulate_functions
from infer_bench.measure.profile.settings import ProfileSettings, RequestSource
from infer_bench.measure.profile.stages import CandidateRun
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import Notice
from infer_bench.report.profile import ProfileReport, ProfileResult

Save = Callable[[ProfileOutcome], None]
NOTHING_BESIDE, OTHER = "there is nothing to compare with", "name another .prof or candidate after --diff"


def profile(
    target: str,
    *,
    data: str | None = None,
    input: str | None = None,
    candidates: Sequence[str] = (),
    diff: str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> ProfileReport:
    """Measure where the time of a request goes.

    `target` is a model file, `package.module:function`, or a saved `.prof`. `data` is a file of rows, `input` a JSON
    file of records; without either, rows are drawn from the model. `candidates` are as in `lightgbm:feed=dataframe`
    (else the model's own engine). `diff` is a saved `.prof` or a candidate to compare with. The other keywords are the
    fields of `measure.profile.settings.ProfileSettings`, as in `requests=500`.

    Raises `UsageError` for settings that make no sense and `CannotRun` when something cannot be measured.
    """
    rows, own = RequestSource(data, input), ProfileSettings(**settings)
    return measure_profile(target, rows=rows, candidates=candidates, diff=diff, settings=own, progress=progress).report


def measure_profile(
    target: str,
    *,
    rows: RequestSource,
    candidates: Sequence[str],
    diff: str | None,
    settings: ProfileSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> ProfileOutcome:
    """As `profile`, with the settings made. `save` gets what is known at the end, also when it comes by Ctrl-C."""
    progress = progress or Silent()
    is_file = diff is not None and (is_profile(diff) or diff.endswith(ENDINGS))
    before = load_profile(diff, settings) if diff is not None and is_file else None
    if is_profile(target):
        after = load_profile(target, settings)
    else:
        against = diff if before is None else None
        after = _measure(target, rows, candidates, against, settings, progress, save)
    after = _add_diff(after, before, settings, required=diff is not None)
    if save:
        save(after)
    return after


def load_profile(path: str, settings: ProfileSettings) -> ProfileOutcome:
    """A saved profile with the functions that the settings ask for. Raises `CannotRun` for a file that is none."""
    table, report = unpack(path)
    functions = table.functions(settings.sort, settings.top)
    if report is None or not report.results:
        count, own_ns = len(table.entries), table.own_ns
        row = ProfileResult(path, "", {}, None, 1, functions=functions, function_count=count, profiled_ns=own_ns)
        return ProfileOutcome(report_on((row,), settings, {"rows_source": ""}), (table,))
    row = replace(report.results[0], functions=functions, profiled_ns=table.own_ns, diff=None)
    order = {"sort": settings.sort, "top": settings.top}
    return ProfileOutcome(replace(report, results=(row,), settings={**report.settings, **order}), (table,))


def _add_diff(
    after: ProfileOutcome, before: ProfileOutcome | None, settings: ProfileSettings, *, required: bool
) -> ProfileOutcome:
    """With the difference between the saved profile and the last result, or between two results."""
    rows = after.report.results
    if before is not None:
        old: ResultAndTable = before.report.results[0], before.tables[0]
    elif len(rows) == 2 or (required and len(rows) > 1):
        old = rows[0], after.tables[0]
    elif required:
        raise UsageError(NOTHING_BESIDE, OTHER)
    else:
        return after
    if old[0].failed or rows[-1].failed:
        return after
    last = replace(rows[-1], diff=compare(old, (rows[-1], after.tables[-1]), settings.top))
    return replace(after, report=replace(after.report, results=(*rows[:-1], last)))


def _measure(
    target: str,
    source: RequestSource,
    candidates: Sequence[str],
    against: str | None,
    settings: ProfileSettings,
    progress: Progress,
    save: Save | None,
) -> ProfileOutcome:
    """Profile each candidate in turn, that of `against` first."""
    if settings.require_provider is not None:
        read_provider(settings.require_provider)
    progress.update(0, "reading the model")
    if settings.profiler == "pyinstrument" and find_spec("pyinstrument") is None:
        raise MissingDependency("pyinstrument", "profile")
    rows = read_source(source)  # before a conversion starts the first worker
    selection, notices = _choose(target, candidates, against, settings)
    requests = load_requests(selection, rows, settings)
    origin = {"target": target, **requests.settings}
    notices = (*notices, *requests.notices)
    runs = [CandidateRun(candidate, requests, settings, progress) for candidate in selection]
    try:
        for each in runs:
            _measure_candidate(each, alone=len(runs) == 1)
    except KeyboardInterrupt:
        with_rounds = [each for each in runs if each.findings.rounds]
        if with_rounds and save:
            save(_build_outcome(with_rounds, settings, origin, notices, complete=False))
        raise
    return _build_outcome(runs, settings, origin, notices, complete=True)


def _choose(
    target: str, candidates: Sequence[str], against: str | None, settings: ProfileSettings
) -> tuple[list[Candidate], tuple[Notice, ...]]:
    model = identify_model(target, allow_pickle=settings.allow_pickle)
    own = candidates or default_candidates(model)[:1]
    names = list(dict.fromkeys(own if against is None else [against, *own]))
    labels = {plan.spec.label for plan in plan_candidates([model], names, settings.threads)}
    _check_count(len(labels), against, settings)
    selection, notices = choose_candidates(
        [model], names, lambda ref: cached_onnx(ref, settings.allow_pickle), settings.threads
    )
    return list(selection), tuple(notices)


def _check_count(count: int, against: str | None, settings: ProfileSettings) -> None:
    """Raise `UsageError` where there are too many candidates, or too few."""
    if settings.form and count > 1:
        name = ".prof" if settings.form == "pstats" else settings.form
        raise UsageError(f"a {name} file holds one candidate", "name one with -e")
    if against is not None and count == 1:
        raise UsageError(NOTHING_BESIDE, OTHER)


def _measure_candidate(candidate_run: CandidateRun, *, alone: bool) -> None:
    """Beside others, a candidate that fails costs its row only."""
    try:
        candidate_run.measure()
    except InferBenchError as error:
        if alone:
            raise
        candidate_run.failure = error.message


def _build_outcome(
    runs: Sequence[CandidateRun],
    settings: ProfileSettings,
    origin: Mapping[str, Any],
    notices: Sequence[Notice],
    *,
    complete: bool,
) -> ProfileOutcome:
    rows = [build_result(each, settings) for each in runs]
    models = [(each.candidate.artefact.name, each.findings.model) for each in runs]
    remarks = notices_of((name, model.spec) for name, model in models if model is not None)
    of_profiler = [
        notice
        for row, each in zip(rows, runs, strict=True)
        for notice in note_profiler(
            row.candidate, settings, was_ended=each.findings.profiler_ended, others=each.findings.other_threads_share
        )
    ]
    every = (*notices, *remarks, *of_profiler)
    report = report_on(rows, settings, origin, every, inputs=runs[0].inputs, complete=complete)
    return ProfileOutcome(
        report, tuple(tabulate_functions(each) for each in runs), runs[-1].findings.profiler_output.text
    )
