"""`load`: what an endpoint answers to requests that come at a rate of their own."""

from collections.abc import Callable
from dataclasses import replace

from infer_bench.measure.load.generator.closed_loop import ClosedLoad
from infer_bench.measure.load.generator.open_loop import OpenLoad
from infer_bench.measure.load.generator.rate_search import SearchLoad
from infer_bench.measure.load.outcome.verdict import conclude
from infer_bench.measure.load.preparation import prepare
from infer_bench.measure.load.report import begin_report
from infer_bench.measure.load.service import Service, read_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.reporting import run_to_report
from infer_bench.progress import Progress, Silent
from infer_bench.report.load import LoadReport, LoadResult

Save = Callable[[LoadReport], None]


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
    report = begin_report(rows, settings)
    progress.update(0, f"asking {url}")
    loops = _plan_loops(prepare(url, rows, settings), settings, progress)
    ended: list[LoadResult] = []

    def run() -> None:
        while loops:
            count = len(ended)
            progress.update(count / (count + len(loops)), f"{loops[0].about} for {settings.duration_s:g} s")
            loops[0].run()
            ended.extend(loops.pop(0).build_results(True))

    def build(complete: bool) -> LoadReport:
        results = (*ended, *(result for loop in loops[:1] for result in loop.build_results(False)))
        return replace(report, results=results, verdict=conclude(results) if complete else None, complete=complete)

    return run_to_report(run, build, save)


def _plan_loops(
    service: Service, settings: LoadSettings, progress: Progress
) -> list[OpenLoad | ClosedLoad | SearchLoad]:
    """What is to be run, one after the other."""
    if settings.find_rate:
        return [SearchLoad(service, settings, progress)]
    if settings.rate is not None:
        return [OpenLoad(service, settings.rate, settings)]
    return [ClosedLoad(service, concurrency, settings) for concurrency in settings.concurrency]
