"""`profile`: where the time of a request goes, from its phases down to functions and operators."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from infer_bench.errors import CannotRun, InferBenchError, UsageError
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.candidates.candidates import Candidate, choose_candidates, default_candidates
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.candidates.rows import load_rows
from infer_bench.measure.convert.run import cached_onnx
from infer_bench.measure.profile import results as profile_rows
from infer_bench.measure.profile.diff import compare
from infer_bench.measure.profile.input_records import as_columns, read_records
from infer_bench.measure.profile.notices import notices_on, provider
from infer_bench.measure.profile.prof_file import ENDINGS, Recorded, is_profile, unpack
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.profile.stages import Records, Study
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.profile import ProfileReport, ProfileResult
from infer_bench.typing import Columns
from infer_bench.version import __version__


@dataclass(frozen=True, slots=True)
class Profiled:
    """A report with what a file of it needs: the recorded tables, one a result, and the text that a profiler wrote."""

    report: ProfileReport
    recorded: tuple[Recorded, ...] = ()
    text: str = ""


Save = Callable[[Profiled], None]


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
    fields of `measure.profile_settings.ProfileSettings`, as in `requests=500`.

    Raises `UsageError` for settings that make no sense and `CannotRun` when something cannot be measured.
    """
    chosen = ProfileSettings(**settings)
    rows = Source(data, input)
    return run(target, rows=rows, candidates=candidates, diff=diff, settings=chosen, progress=progress).report


@dataclass(frozen=True, slots=True)
class Source:
    """Where requests come from: a file of rows, or a JSON file of records, or neither."""

    data: str | None = None
    input: str | None = None

    def __post_init__(self) -> None:
        if self.data is not None and self.input is not None:
            raise UsageError("rows come from --data or from --input, not both")


def run(
    target: str,
    *,
    rows: Source,
    candidates: Sequence[str],
    diff: str | None,
    settings: ProfileSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> Profiled:
    """As `profile`, with the settings made. `save` gets what is known at the end, also when it comes by Ctrl-C."""
    progress = progress or Silent()
    file = diff is not None and (is_profile(diff) or diff.endswith(ENDINGS))
    saved = saved_profile(diff, settings) if diff is not None and file else None
    if is_profile(target):
        found = saved_profile(target, settings)
    else:
        against = diff if saved is None else None
        found = _measured(target, rows, candidates, against, settings, progress, save)
    made = _compared(found, saved, diff is not None, settings)
    if save:
        save(made)
    return made


def saved_profile(path: str, settings: ProfileSettings) -> Profiled:
    """A saved profile with the functions that the settings ask for. Raises `CannotRun` for a file that is none."""
    recorded, report = unpack(path)
    functions = recorded.functions(settings.sort, settings.top)
    if report is None or not report.results:
        count, total = len(recorded.table), recorded.own_ns
        row = ProfileResult(path, "", {}, None, 1, functions=functions, function_count=count, profiled_ns=total)
        return Profiled(_report((row,), settings, {"rows_source": ""}, ()), (recorded,))
    row = replace(report.results[0], functions=functions, profiled_ns=recorded.own_ns, diff=None)
    kept = {"sort": settings.sort, "top": settings.top}
    return Profiled(replace(report, results=(row,), settings={**report.settings, **kept}), (recorded,))


def _compared(found: Profiled, saved: Profiled | None, asked: bool, settings: ProfileSettings) -> Profiled:
    """With the difference between the saved profile and the last result, or between two results."""
    rows = found.report.results
    if saved is not None:
        old = saved.report.results[0], saved.recorded[0]
    elif len(rows) == 2 or (asked and len(rows) > 1):
        old = rows[0], found.recorded[0]
    elif asked:
        raise UsageError("there is nothing to compare with", "name another .prof or candidate after --diff")
    else:
        return found
    if old[0].failed or rows[-1].failed:
        return found
    made = compare(old, (rows[-1], found.recorded[-1]), settings.top)
    return replace(found, report=replace(found.report, results=(*rows[:-1], replace(rows[-1], diff=made))))


def _measured(
    target: str,
    source: Source,
    asked: Sequence[str],
    against: str | None,
    settings: ProfileSettings,
    progress: Progress,
    save: Save | None,
) -> Profiled:
    if settings.require_provider is not None:
        provider(settings.require_provider)
    progress.update(0, "reading the model")
    model = identify_model(target, allow_pickle=settings.allow_pickle)
    own = asked or default_candidates(model)[:1]
    names = list(dict.fromkeys(own if against is None else [against, *own]))
    chosen, notices = choose_candidates(
        [model], names, lambda ref: cached_onnx(ref, settings.allow_pickle), settings.threads
    )
    if settings.form and len(chosen) > 1:
        raise UsageError(f"a {settings.form} file holds one candidate", "name one with -e")
    columns, records, said, more = _requests(chosen, source, settings)
    said = {"target": target, **said}
    studies = [Study(candidate, columns, records, settings, progress) for candidate in chosen]
    try:
        for study in studies:
            _run(study, alone=len(studies) == 1)
    except KeyboardInterrupt:
        begun = [study for study in studies if study.findings.rounds]
        if begun and save:
            save(_gathered(begun, settings, said, (*notices, *more), complete=False))
        raise
    return _gathered(studies, settings, said, (*notices, *more), complete=True)


def _run(study: Study, *, alone: bool) -> None:
    """Beside others, a candidate that fails costs its row only."""
    try:
        study.run()
    except InferBenchError as error:
        if alone:
            raise
        study.failed = error.message


def _requests(
    chosen: Sequence[Candidate], source: Source, settings: ProfileSettings
) -> tuple[Columns, Records, Mapping[str, Any], tuple[Notice, ...]]:
    """The rows as columns, or the records as they are; what the settings say about them; and notices."""
    if source.input is None:
        rows = load_rows(chosen, source.data, settings.race())
        count = len(next(iter(rows.columns.values()), ()))
        return rows.columns, (), {"rows_cycled": count, "rows_source": rows.source}, rows.notices
    records = read_records(source.input)
    said = {"rows_cycled": len(records), "rows_source": source.input}
    if settings.batch > 1:
        return as_columns(records), (), said, ()
    return {}, records, said, ()


def _gathered(
    studies: Sequence[Study],
    settings: ProfileSettings,
    said: Mapping[str, Any],
    notices: Sequence[Notice],
    *,
    complete: bool,
) -> Profiled:
    rows = tuple(profile_rows.result(study, settings) for study in studies)
    report = _report(rows, settings, said, tuple(notices), complete=complete)
    text = studies[-1].findings.gathered.text
    return Profiled(report, tuple(profile_rows.recorded(study) for study in studies), text)


def _report(
    rows: tuple[ProfileResult, ...],
    settings: ProfileSettings,
    said: Mapping[str, Any],
    notices: tuple[Notice, ...],
    *,
    complete: bool = True,
) -> ProfileReport:
    environment = describe(PACKAGES)
    wrong = notices_on(rows, settings, environment)
    return Report(
        command="profile",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={**asdict(settings), **said},
        environment=environment,
        results=rows,
        notices=(*notices, *wrong),
        verdict=_verdict(rows, wrong) if complete else None,
        complete=complete,
    )


def _verdict(rows: Sequence[ProfileResult], notices: Sequence[Notice]) -> Verdict:
    failed = (f"{row.candidate}: {row.failed}" for row in rows if row.failed)
    reasons = (*failed, *(notice.message for notice in notices if notice.code == "provider-required"))
    return Verdict("failed", CannotRun.exit_code, reasons) if reasons else Verdict("pass", 0)
