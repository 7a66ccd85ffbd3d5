"""`load`: what an endpoint answers to requests that come at a rate of their own."""

import datetime
from collections.abc import Callable
from dataclasses import replace

from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.load.load import OpenLoad
from infer_bench.measure.load.preparation import prepare
from infer_bench.measure.load.service import read_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.verdict import conclude
from infer_bench.measure.reporting import run_to_report
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import Report
from infer_bench.report.load import LoadReport
from infer_bench.version import __version__

Save = Callable[[LoadReport], None]
_PACKAGES = ("httptools", "uvloop")
"""The generator's own libraries."""


def load(
    url: str,
    *,
    data: str | None = None,
    settings: LoadSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> LoadReport:
    """Send requests to `url`, each when it is due, and say how long the answers took from then on.

    `data` is a file of rows, which take turns. Raises `UsageError` for a target that is not this machine's, unless the
    settings say that it is the user's own, and `CannotRun` where it does not answer.
    """
    progress = progress or Silent()
    rows = read_rows(data, settings.batch)
    about = {"rows_source": rows.source, "rows_cycled": len(rows.records), **describe_settings(settings)}
    report: LoadReport = Report(
        command="load",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=about,
        environment=describe((*PACKAGES, *_PACKAGES)),
        results=(),
    )
    progress.update(0, f"asking {url}")
    run = OpenLoad(prepare(url, rows, settings), settings)
    progress.update(0.05, f"{settings.rate:,.6g} requests/s for {settings.warmup_s + settings.duration_s:g} s")

    def build(complete: bool) -> LoadReport:
        results = run.build_results(complete)
        return replace(report, results=results, verdict=conclude(results) if complete else None, complete=complete)

    return run_to_report(run.run, build, save)


def describe_settings(settings: LoadSettings) -> dict[str, object]:
    """The settings as a report holds them."""
    names = ("rate", "duration_s", "warmup_s", "connections", "arrivals", "timeout_s", "batch", "seed")
    return {name: getattr(settings, name) for name in names} | {"limits": [limit.text for limit in settings.limits]}
