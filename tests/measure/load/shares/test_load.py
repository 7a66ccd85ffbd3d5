"""A load that several workers send: they are pretended here, but for one test on a real cluster."""

import json
import pickle
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.engines.http.protocols.json_template import JsonCodec
from infer_bench.engines.http.protocols.predict import PredictCodec
from infer_bench.engines.http.target import parse_target
from infer_bench.errors import CannotRun, UsageError
from infer_bench.gates.limits import parse_bound
from infer_bench.measure.load.outcome.verdict import conclude
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.run import load
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.measure.load.shares.clocks import ClockReading, name_machine
from infer_bench.measure.load.shares.generator import Share, ShareRecord
from infer_bench.measure.load.shares.load import SplitLoad
from infer_bench.measure.load.shares.task import end_share, prepare_share, send_share
from infer_bench.progress import Silent
from infer_bench.report.load import LoadResult
from infer_bench.stats.load.histogram import add_histograms
from tests.stub_service import predict, serve

MS = 1_000_000
PAYLOADS = Payloads((b"x", b"yy", b"zzz"), 1)
SERVICE = Service(parse_target("http://127.0.0.1"), "127.0.0.1", PredictCodec(), PAYLOADS)
SETTINGS = LoadSettings(rate=500.0, duration_s=4.0, warmup_s=1.0)
DAY_NS = 86_400_000_000_000


def answer_all(share: Share, start_ns: int, late_ns: int = 0) -> ShareRecord:
    """Each request is taken up 1 µs after it is due; request i of the whole is answered i µs after 1 ms, or fails."""
    schedule = share.schedule
    due = schedule.times + start_ns
    recording = Recording(due.tolist())
    recording.noticed = array("q", (due + 1_000 + late_ns).tolist())
    recording.sent = array("q", (due + 2_000 + late_ns).tolist())
    recording.answered = array("q", (due + MS + late_ns + 1_000 * schedule.places).tolist())
    recording.received = array("q", [10] * len(due))
    recording.phases["predict"] = array("d", schedule.places.astype(float).tolist())
    recording.connects = 5
    recording.answers = {} if share.keeps_answers else None
    for local, place in enumerate(schedule.places.tolist()):
        if place % 100 == 7:
            recording.answered[local] = 0
            recording.fail(local, "timeout")
        elif place % 10 == 3:
            recording.paths[local] = "fallback"
        recording.keep(place % 3, (0.25,))
    return ShareRecord(recording, 0.25 + 0.1 * (share.index % 3))


class Pretended:
    """Workers whose clocks are days apart; those in `lost` never report, those in `late` begin late."""

    def __init__(self, count: int, lost: Sequence[str] = (), late: Sequence[str] = (), unfit: str = "") -> None:
        self.addresses = [f"tcp://w{i}:1" for i in range(count)]
        self.lost, self.late, self.unfit = lost, late, unfit
        self.shares: dict[str, Share] = {}
        self.ended: set[str] = set()

    def list_addresses(self) -> list[str]:
        return self.addresses[::-1]

    def read_all(self, function: Callable[[], Any], addresses: Sequence[str]) -> dict[str, Any]:
        now_ns = function().now_ns
        return {address: ClockReading(now_ns + DAY_NS * i, "another") for i, address in enumerate(addresses)}

    def call_on_each(
        self, function: Callable[..., Any], arguments: Mapping[str, tuple[Any, ...]], limit_s: float
    ) -> dict[str, tuple[Any, str]]:
        return {address: self._call(function, address, own) for address, own in arguments.items()}

    def _call(self, function: Callable[..., Any], address: str, own: tuple[Any, ...]) -> tuple[Any, str]:
        if function is prepare_share:
            self.shares[address] = pickle.loads(pickle.dumps(own[1]))
            return None, self.unfit
        if function is end_share:
            self.ended.add(address)
            return None, ""
        assert function is send_share
        if address in self.lost:
            return None, "the worker is gone"
        return answer_all(self.shares[address], own[1], 50 * MS * (address in self.late)), ""


def run(workers: Pretended, settings: LoadSettings = SETTINGS) -> LoadResult:
    loop = SplitLoad(SERVICE, settings.rate or 0.0, settings, workers, Silent())
    assert loop.build_results(False) == ()
    try:
        loop.run()
    finally:
        assert workers.ended == set(workers.addresses)
    (result,) = loop.build_results(True)
    return result


def comparable(result: LoadResult) -> LoadResult:
    """Without what says how it was sent."""
    return replace(result, shares=(), busy_share=None, connects=0)


def test_the_merged_result_is_that_of_one_worker() -> None:
    one, three = run(Pretended(1)), run(Pretended(3))
    assert comparable(three) == comparable(one)
    assert (three.samples, three.errors, three.valid) == (2_000, {"timeout": 20}, True)
    assert three.busy_share == pytest.approx(0.45)
    assert three.connects == 15
    assert three.paths == {"fallback": 200}
    assert add_histograms(share.histogram for share in three.shares) == three.histogram
    assert sum(share.requests for share in three.shares) == 2_000
    assert [share.worker for share in three.shares] == ["tcp://w0:1", "tcp://w1:1", "tcp://w2:1"]
    assert all(share.lag is not None and share.lag.max_ns == 2_000 for share in three.shares)
    assert sum(share.errors for share in three.shares) == 20


def test_connections_are_divided_and_a_worker_needs_one() -> None:
    workers = Pretended(3)
    run(workers, replace(SETTINGS, connections=5))
    assert sorted(share.connections for share in workers.shares.values()) == [1, 2, 2]
    with pytest.raises(UsageError, match="3 workers need a connection each"):
        SplitLoad(SERVICE, 500.0, replace(SETTINGS, connections=2), Pretended(3), Silent()).run()


def test_a_worker_that_does_not_report_makes_the_load_invalid() -> None:
    settings = replace(SETTINGS, limits=(parse_bound("p99<1ms"),))
    result = run(Pretended(3, lost=["tcp://w1:1"]), settings)
    assert not result.valid
    assert result.invalid_reasons[0].code == "workers"
    assert "1 of 3 workers did not report (tcp://w1:1: the worker is gone)" in result.invalid_reasons[0].message
    assert result.limits[0].status == "undecided"
    assert conclude([result]).exit_code == 3
    assert 0 < result.samples < 2_000
    assert [share.reason for share in result.shares] == ["", "the worker is gone", ""]
    sizes = [len(PAYLOADS.at(i)) for i in range(2_500)]
    assert result.bytes.sent < sum(sizes)
    whole = run(Pretended(3))
    assert whole.bytes.sent == sum(sizes[500:])


def test_one_late_worker_of_many_is_named() -> None:
    result = run(Pretended(200, late=["tcp://w7:1"]), replace(SETTINGS, connections=200))
    (reason,) = result.invalid_reasons
    assert (reason.code, reason.message.startswith("worker tcp://w7:1: requests were sent late")) == ("lag", True)


def test_where_nobody_reports_or_one_cannot_begin_there_is_no_result() -> None:
    with pytest.raises(CannotRun, match="no worker reported"):
        run(Pretended(2, lost=["tcp://w0:1", "tcp://w1:1"]))
    with pytest.raises(CannotRun, match=r"worker tcp://w0:1 cannot send requests: no uvloop"):
        run(Pretended(2, unfit="no uvloop"))


def test_a_worker_elsewhere_does_not_load_its_own_loopback() -> None:
    share = Share(SERVICE, SETTINGS, 0, 1, keeps_answers=False)
    with pytest.raises(CannotRun, match=r"127\.0\.0\.1 is another machine for this worker"):
        prepare_share("x", share, name_machine() + "!")
    with pytest.raises(CannotRun, match="started anew"):
        send_share("x", 0, 1.0)


@pytest.mark.parametrize("more", [{"concurrency": (1,)}, {"find_rate": True, "limits": (parse_bound("p50<1ms"),)}])
def test_only_a_rate_is_split(more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--on splits"):
        LoadSettings(on="dask", **more)


def test_a_codec_can_be_sent_to_another_process() -> None:
    codec = pickle.loads(pickle.dumps(JsonCodec({"a": "$.a"}, None)))
    assert json.loads(codec.encode([{"a": 1}]).content) == {"a": 1}


def test_a_real_cluster_sends_what_one_generator_would(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    pytest.importorskip("distributed")
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n1\n2\n")
    settings = LoadSettings(rate=200.0, duration_s=0.5, warmup_s=0.0, timeout_s=600.0, on="dask")
    with serve(predict) as url:
        report = load(url, data=str(rows), settings=settings)
    (result,) = report.results
    assert (result.samples, result.errors, sum(result.histogram.counts)) == (100, {}, 100)
    assert sum(share.requests for share in result.shares) == 100
    assert {share.clock_ns for share in result.shares} == {0}
    assert report.settings["on"] == "dask"
