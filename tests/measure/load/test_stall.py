"""A server that stands still is charged for every request that was due meanwhile."""

import asyncio

import numpy as np
import pytest

from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import parse_target
from infer_bench.measure.load.generator.schedule import plan_arrivals
from infer_bench.measure.load.generator.sending import send_when_due
from infer_bench.measure.load.outcome.results import Window, build_result
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import Arrivals, LoadResult
from tests.measure.load.virtual import MS, StallingServer, VirtualClock

SECOND = 1_000 * MS
PAYLOADS = Payloads((b"",), 1)
SERVICE = Service(parse_target("http://127.0.0.1"), "127.0.0.1", PredictCodec(), PAYLOADS)


def load_stalling(arrivals: Arrivals, stall_ns: int = 400 * MS) -> LoadResult:
    """4 s at 1,000/s against a server that takes 0.25 ms, and is stopped from 1 s on."""
    times = plan_arrivals(4_000, 4 * SECOND, arrivals, seed=0)
    recording, clock = Recording(times.tolist()), VirtualClock()
    server = StallingServer(recording, clock, MS // 4, SECOND, SECOND + stall_ns)

    async def run() -> None:
        await send_when_due(recording, clock, server.submit)
        await clock.wait_until(10 * SECOND)

    asyncio.run(run())
    window = Window(recording, PAYLOADS, 0, 0, 4 * SECOND)
    settings = LoadSettings(rate=1000.0, duration_s=4.0, arrivals=arrivals)
    return build_result(window, SERVICE, settings, 0.1)


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_a_stall_is_charged_to_all_that_were_due(arrivals: Arrivals) -> None:
    result = load_stalling(arrivals)
    latency = result.latency
    assert latency.p95_ns is not None
    assert latency.p99_ns is not None
    assert 220 * MS < latency.p95_ns < 270 * MS
    assert 340 * MS < latency.p99_ns < 400 * MS
    assert latency.max_ns is not None
    assert latency.max_ns > 390 * MS
    assert result.valid
    assert result.lag is not None
    assert result.lag.max_ns == 0
    assert result.rate_achieved == pytest.approx(1000, rel=0.01)


def test_without_a_stall_nothing_is_charged() -> None:
    latency = load_stalling("constant", stall_ns=0).latency
    assert latency.p50_ns == latency.max_ns == MS // 4


def test_the_schedule_does_not_wait_for_answers() -> None:
    """A closed loop would have sent none of the 400 requests that were due in the stall."""
    times = plan_arrivals(4_000, 4 * SECOND, "constant", seed=0)
    recording, clock = Recording(times.tolist()), VirtualClock()
    server = StallingServer(recording, clock, MS // 4, SECOND, SECOND + 400 * MS)
    asyncio.run(send_when_due(recording, clock, server.submit))
    sent = np.asarray(recording.sent)
    assert ((sent >= SECOND) & (sent < SECOND + 400 * MS)).sum() == 400
