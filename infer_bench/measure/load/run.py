"""`load`: what an endpoint answers to requests that come at a rate of their own."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

from infer_bench.measure.load.expected_outputs import predict_requests
from infer_bench.measure.load.generator.closed_loop import ClosedLoad
from infer_bench.measure.load.generator.open_loop import OpenLoad
from infer_bench.measure.load.generator.rate_search import SearchLoad
from infer_bench.measure.load.opening import open_target
from infer_bench.measure.load.outcome.verdict import conclude
from infer_bench.measure.load.preparation import prepare
from infer_bench.measure.load.reference import predict_rows
from infer_bench.measure.load.report import begin_report
from infer_bench.measure.load.service import RowSource, Service, require_rows
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.shares.dask_workers import open_workers
from infer_bench.measure.load.shares.load import SplitLoad, Workers
from infer_bench.measure.reporting import run_to_report
from infer_bench.measure.shards.cluster import check_place
from infer_bench.progress import Progress, Silent
from infer_bench.report.load import LoadReport, LoadResult

Save = Callable[[LoadReport], None]


def load(
    target: str,
    *,
    data: str | None = None,
    settings: LoadSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> LoadReport:
    """Send requests to a service, each when it is due, and say how long the answers took from then on.

    `target` is its address, or a model that is served on loopback for as long as it takes. `data` is a file of rows,
    which take turns; without one they are drawn from the model. Raises `UsageError` for a target that is not this
    machine's, unless the settings say that it is the user's own, and `CannotRun` where it does not answer.
    """
    progress = progress or Silent()
    if settings.on is not None:
        check_place(settings.on)
    with contextlib.ExitStack() as stack:
        url, rows = stack.enter_context(open_target(target, data, settings, progress))
        service, rows = _prepare(url, rows, settings, progress)
        report = begin_report(target, rows, service, settings)
        workers = stack.enter_context(open_workers(settings.on)) if settings.on is not None else None
        loops = _plan_loops(service, settings, progress, workers)
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


def _prepare(url: str, rows: RowSource, settings: LoadSettings, progress: Progress) -> tuple[Service, RowSource]:
    """The service, which has answered once, with what its answers are compared with, and the rows that it is sent."""
    progress.update(0, f"asking {url}")
    service, rows = prepare(url, rows, settings)
    if settings.check is None:
        return service, rows
    progress.update(0, f"predicting with {settings.check}")
    if rows.has_tensors:
        return _expect_outputs(service, rows, settings, settings.check), rows
    require_rows(rows)
    expected = predict_rows(settings.check, rows.table, settings.max_delta, settings.server)
    return replace(service, expected=expected), rows


def _expect_outputs(service: Service, rows: RowSource, settings: LoadSettings, check: str) -> Service:
    """With a network's outputs; the requests of which there was no room for them are not sent."""
    expected = predict_requests(check, rows.requests, rows.inputs, settings.max_delta, settings.server)
    payloads = replace(service.payloads, requests=service.payloads.requests[: expected.requests])
    return replace(service, expected=expected, payloads=payloads)


def _plan_loops(
    service: Service, settings: LoadSettings, progress: Progress, workers: Workers | None
) -> list[OpenLoad | ClosedLoad | SearchLoad | SplitLoad]:
    """What is to be run, one after the other."""
    if workers is not None and settings.rate is not None:
        return [SplitLoad(service, settings.rate, settings, workers, progress)]
    if settings.find_rate:
        return [SearchLoad(service, settings, progress)]
    if settings.rate is not None:
        return [OpenLoad(service, settings.rate, settings)]
    return [ClosedLoad(service, concurrency, settings) for concurrency in settings.concurrency]
