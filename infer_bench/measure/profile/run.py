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
from infer_bench.measure.profile.prof_file import ENDINGS, FunctionTable, is_profile, unpack
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.measure.profile.stages import CandidateRun, Records
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.profile import ProfileReport, ProfileResult
from infer_bench.typing import Columns
from infer_bench.version import __version__


@dataclass(frozen=True, slots=True)
class ProfileOutcome:
    """A report with what a file of it needs: a table of functions a result, and a profiler's text."""

    report: ProfileReport
    tables: tuple[FunctionTable, ...] = ()
    text: str = ""


Save = Callable[[ProfileOutcome], None]


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
    profile_settings = ProfileSettings(**settings)
    rows = RequestSource(data, input)
    return measure_profile(
        target, rows=rows, candidates=candidates, diff=diff, settings=profile_settings, progress=progress
    ).report


@dataclass(frozen=True, slots=True)
class RequestSource:
    """Where requests come from: a file of rows, or a JSON file of records, or neither."""

    data: str | None = None
    input: str | None = None

    def __post_init__(self) -> None:
        if self.data is not None and self.input is not None:
            raise UsageError("rows come from --data or from --input, not both")


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
    file = diff is not None and (is_profile(diff) or diff.endswith(ENDINGS))
    baseline = load_profile(diff, settings) if diff is not None and file else None
    if is_profile(target):
        outcome = load_profile(target, settings)
    else:
        against = diff if baseline is None else None
        outcome = _measure_candidates(target, rows, candidates, against, settings, progress, save)
    outcome = _add_diff(outcome, baseline, diff is not None, settings)
    if save:
        save(outcome)
    return outcome


def load_profile(path: str, settings: ProfileSettings) -> ProfileOutcome:
    """A saved profile with the functions that the settings ask for. Raises `CannotRun` for a file that is none."""
    table, report = unpack(path)
    functions = table.functions(settings.sort, settings.top)
    if report is None or not report.results:
        count, total = len(table.entries), table.own_ns
        row = ProfileResult(path, "", {}, None, 1, functions=functions, function_count=count, profiled_ns=total)
        return ProfileOutcome(_build_report((row,), settings, {"rows_source": ""}, ()), (table,))
    row = replace(report.results[0], functions=functions, profiled_ns=table.own_ns, diff=None)
    view_settings = {"sort": settings.sort, "top": settings.top}
    return ProfileOutcome(replace(report, results=(row,), settings={**report.settings, **view_settings}), (table,))


def _add_diff(
    outcome: ProfileOutcome, baseline: ProfileOutcome | None, needs_diff: bool, settings: ProfileSettings
) -> ProfileOutcome:
    """With the difference between the saved profile and the last result, or between two results."""
    rows = outcome.report.results
    if baseline is not None:
        old = baseline.report.results[0], baseline.tables[0]
    elif len(rows) == 2 or (needs_diff and len(rows) > 1):
        old = rows[0], outcome.tables[0]
    elif needs_diff:
        raise UsageError("there is nothing to compare with", "name another .prof or candidate after --diff")
    else:
        return outcome
    if old[0].failed or rows[-1].failed:
        return outcome
    change = compare(old, (rows[-1], outcome.tables[-1]), settings.top)
    return replace(outcome, report=replace(outcome.report, results=(*rows[:-1], replace(rows[-1], diff=change))))


def _measure_candidates(
    target: str,
    source: RequestSource,
    candidates: Sequence[str],
    against: str | None,
    settings: ProfileSettings,
    progress: Progress,
    save: Save | None,
) -> ProfileOutcome:
    if settings.require_provider is not None:
        provider(settings.require_provider)
    progress.update(0, "reading the model")
    model = identify_model(target, allow_pickle=settings.allow_pickle)
    own = candidates or default_candidates(model)[:1]
    names = list(dict.fromkeys(own if against is None else [against, *own]))
    selection, notices = choose_candidates(
        [model], names, lambda ref: cached_onnx(ref, settings.allow_pickle), settings.threads
    )
    if settings.form and len(selection) > 1:
        raise UsageError(f"a {settings.form} file holds one candidate", "name one with -e")
    columns, records, row_settings, more = _load_requests(selection, source, settings)
    row_settings = {"target": target, **row_settings}
    candidate_runs = [CandidateRun(candidate, columns, records, settings, progress) for candidate in selection]
    try:
        for candidate_run in candidate_runs:
            _measure_candidate(candidate_run, alone=len(candidate_runs) == 1)
    except KeyboardInterrupt:
        with_rounds = [candidate_run for candidate_run in candidate_runs if candidate_run.findings.rounds]
        if with_rounds and save:
            save(_build_outcome(with_rounds, settings, row_settings, (*notices, *more), complete=False))
        raise
    return _build_outcome(candidate_runs, settings, row_settings, (*notices, *more), complete=True)


def _measure_candidate(candidate_run: CandidateRun, *, alone: bool) -> None:
    """Beside others, a candidate that fails costs its row only."""
    try:
        candidate_run.measure()
    except InferBenchError as error:
        if alone:
            raise
        candidate_run.failure = error.message


def _load_requests(
    candidates: Sequence[Candidate], source: RequestSource, settings: ProfileSettings
) -> tuple[Columns, Records, Mapping[str, Any], tuple[Notice, ...]]:
    """The rows as columns, or the records as they are; what the settings say about them; and notices."""
    if source.input is None:
        rows = load_rows(candidates, source.data, settings.as_bench_settings())
        count = len(next(iter(rows.columns.values()), ()))
        return rows.columns, (), {"rows_cycled": count, "rows_source": rows.source}, rows.notices
    records = read_records(source.input)
    row_settings = {"rows_cycled": len(records), "rows_source": source.input}
    if settings.batch > 1:
        return as_columns(records), (), row_settings, ()
    return {}, records, row_settings, ()


def _build_outcome(
    candidate_runs: Sequence[CandidateRun],
    settings: ProfileSettings,
    row_settings: Mapping[str, Any],
    notices: Sequence[Notice],
    *,
    complete: bool,
) -> ProfileOutcome:
    rows = tuple(profile_rows.build_result(candidate_run, settings) for candidate_run in candidate_runs)
    report = _build_report(rows, settings, row_settings, tuple(notices), complete=complete)
    text = candidate_runs[-1].findings.profiler_output.text
    return ProfileOutcome(
        report, tuple(profile_rows.tabulate_functions(candidate_run) for candidate_run in candidate_runs), text
    )


def _build_report(
    rows: tuple[ProfileResult, ...],
    settings: ProfileSettings,
    row_settings: Mapping[str, Any],
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
        settings={**asdict(settings), **row_settings},
        environment=environment,
        results=rows,
        notices=(*notices, *wrong),
        verdict=_judge(rows, wrong) if complete else None,
        complete=complete,
    )


def _judge(rows: Sequence[ProfileResult], notices: Sequence[Notice]) -> Verdict:
    failures = (f"{row.candidate}: {row.failed}" for row in rows if row.failed)
    reasons = (*failures, *(notice.message for notice in notices if notice.code == "provider-required"))
    return Verdict("failed", CannotRun.exit_code, reasons) if reasons else Verdict("pass", 0)
