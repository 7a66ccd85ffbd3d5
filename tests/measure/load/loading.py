"""Short loads of a service on loopback."""

from typing import Any

from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import LoadReport, LoadResult
from tests.stub_service import Exchange, Handler, predict, serve

FEW: dict[str, Any] = {"rate": 400.0, "duration_s": 0.1, "warmup_s": 0.0, "timeout_s": 600.0}
"""40 requests."""


def run(handler: Handler, rows: str, **settings: Any) -> LoadReport:
    with serve(handler) as url:
        return load(url, data=rows, settings=LoadSettings(**{**FEW, **settings}))


def result_of(handler: Handler, rows: str, **settings: Any) -> LoadResult:
    (result,) = run(handler, rows, **settings).results
    return result


def every(nth: int, misbehave: Handler) -> Handler:
    """Right, but for one request in so many; never the first, which is asked beforehand."""

    def handle(exchange: Exchange) -> None:
        (misbehave if exchange.number % nth == nth - 1 else predict)(exchange)

    return handle
