"""`load`: what an endpoint answers to requests that come at a rate of their own."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from infer_bench import data as rows_of
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.load.load import OpenLoad
from infer_bench.measure.load.payloads import build_payloads
from infer_bench.measure.load.probe import find_address
from infer_bench.measure.load.protocols.predict import PredictCodec
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.target import parse_target, resolve
from infer_bench.measure.load.verdict import conclude
from infer_bench.measure.reporting import run_to_report
from infer_bench.measure.settings import DEFAULT_ROWS
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
    data: str,
    settings: LoadSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> LoadReport:
    """Send requests to `url`, each when it is due, and say how long the answers took from then on.

    `data` is a file of rows, which take turns. Raises `UsageError` for a target that is not this machine's, unless the
    settings say that it is the user's own, and `CannotRun` where it does not answer.
    """
    progress = progress or Silent()
    target = parse_target(url)
    addresses = resolve(target, is_mine=settings.target_is_mine)
    codec = PredictCodec()
    table = rows_of.Dataset.open(data).head(max(DEFAULT_ROWS, settings.batch))
    payloads = build_payloads(target, codec, table.records(), settings.batch)
    about = {"rows_source": Path(data).name, "rows_cycled": table.rows, **describe_settings(settings)}
    report: LoadReport = Report(
        command="load",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=about,
        environment=describe((*PACKAGES, *_PACKAGES)),
        results=(),
    )
    progress.update(0, f"asking {target.url}")
    address = find_address(target, addresses, codec, payloads, settings.timeout_s)
    run = OpenLoad(target, address, codec, payloads, settings)
    progress.update(0.05, f"{settings.rate:,.6g} requests/s for {settings.warmup_s + settings.duration_s:g} s")

    def build(complete: bool) -> LoadReport:
        results = run.build_results(complete)
        return replace(report, results=results, verdict=conclude(results) if complete else None, complete=complete)

    return run_to_report(run.run, build, save)


def describe_settings(settings: LoadSettings) -> dict[str, object]:
    """The settings as a report holds them."""
    names = ("rate", "duration_s", "warmup_s", "connections", "arrivals", "timeout_s", "batch", "seed")
    return {name: getattr(settings, name) for name in names} | {"limits": [limit.text for limit in settings.limits]}
