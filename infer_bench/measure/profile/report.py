"""A profile's report, from the rows of its candidates."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from infer_bench.errors import CannotRun
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.profile.function_table import FunctionTable
from infer_bench.measure.profile.notices import notices_on
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.report.common import DrawnInput, Notice, Report, Verdict
from infer_bench.report.profile import ProfileReport, ProfileResult
from infer_bench.version import __version__


@dataclass(frozen=True, slots=True)
class ProfileOutcome:
    """A report with what a file of it needs: the functions of each result, and the text that a profiler wrote."""

    report: ProfileReport
    tables: tuple[FunctionTable, ...] = ()
    text: str = ""


def report_on(
    rows: Sequence[ProfileResult],
    settings: ProfileSettings,
    origin: Mapping[str, Any],
    notices: Sequence[Notice] = (),
    *,
    inputs: Sequence[DrawnInput] = (),
    complete: bool = True,
) -> ProfileReport:
    """The report; `origin` says beside the settings what was profiled on which requests, `inputs` how it drew them."""
    environment = describe(PACKAGES)
    warnings = notices_on(rows, settings, environment)
    return Report(
        command="profile",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={**_describe(settings), **origin},
        environment=environment,
        results=tuple(rows),
        notices=(*notices, *warnings),
        verdict=_verdict(rows, warnings) if complete else None,
        complete=complete,
        inputs=tuple(inputs),
    )


def _describe(settings: ProfileSettings) -> dict[str, Any]:
    values = asdict(settings)
    del values["choices"]  # what came of them stands in `inputs`
    return values


def _verdict(rows: Sequence[ProfileResult], notices: Sequence[Notice]) -> Verdict:
    errors = (f"{row.candidate}: {row.failed}" for row in rows if row.failed)
    reasons = (*errors, *(notice.message for notice in notices if notice.code == "provider-required"))
    return Verdict("failed", CannotRun.exit_code, reasons) if reasons else Verdict("pass", 0)
