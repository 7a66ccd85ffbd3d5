"""A load of a real service on loopback: what is counted, and what a service that misbehaves costs."""

import asyncio
import gzip
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import CannotRun, DataError, UsageError
from infer_bench.gates.limits import parse_bound
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import LoadReport, LoadResult
from tests.stub_service import PREDICTION, Exchange, Handler, predict, serve

pytest.importorskip("uvloop")

FEW: dict[str, Any] = {"rate": 400.0, "duration_s": 0.1, "warmup_s": 0.0, "timeout_s": 600.0}
"""40 requests."""


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1.5,x\n2.5,\n,z\n")
    return str(path)


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


def test_every_request_is_answered(rows: str) -> None:
    contents: list[bytes] = []

    def handle(exchange: Exchange) -> None:
        contents.append(exchange.content)
        predict(exchange)

    report = run(handle, rows, warmup_s=0.05)
    (result,) = report.results
    assert (result.samples, result.errors, result.protocol, result.loop) == (40, {}, "predict", "open")
    assert result.latency.min_ns is not None
    assert result.service.min_ns is not None
    assert 0 < result.service.min_ns <= result.latency.min_ns
    assert result.phases["predict"].p50_ns is None or result.phases["predict"].p50_ns == 20_500
    assert result.phases["predict"].max_ns == 20_500
    assert sum(result.histogram.counts) == 40
    assert result.bytes.received > 40 * 100
    assert len(contents) == 1 + 20 + 40
    records = [json.loads(content) for content in contents[:3]]
    assert {"a": 1.5, "b": "x"} in records
    assert {"a": None, "b": "z"} in [json.loads(content) for content in contents]
    assert report.settings["rows_cycled"] == 3


def test_a_request_may_have_several_rows(rows: str) -> None:
    sizes: set[int] = set()

    def handle(exchange: Exchange) -> None:
        sizes.add(len(json.loads(exchange.content)))
        predict(exchange)

    assert result_of(handle, rows, batch=4).errors == {}
    assert sizes == {4}


def chunk(exchange: Exchange) -> None:
    content = json.dumps(PREDICTION).encode()
    exchange.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    exchange.write(f"{len(content):x}\r\n".encode(), content[:9], content[9:], b"\r\n0\r\n\r\n")


def close_politely(exchange: Exchange) -> None:
    exchange.reply_json(PREDICTION, "200 OK", "connection: close")
    exchange.transport.close()


def end_with_the_connection(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\n\r\n", json.dumps(PREDICTION).encode())
    exchange.transport.close()


def say_to_wait_first(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n")
    predict(exchange)


def answer_twice(exchange: Exchange) -> None:
    predict(exchange)
    predict(exchange)


@pytest.mark.parametrize(
    "handler",
    [chunk, close_politely, end_with_the_connection, say_to_wait_first, answer_twice],
    ids=lambda handler: handler.__name__,
)
def test_every_form_of_a_right_answer_is_read(handler: Handler, rows: str) -> None:
    result = result_of(handler, rows)
    assert result.errors == {}
    assert result.samples == 40


def break_off(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    exchange.transport.close()


def speak_something_else(exchange: Exchange) -> None:
    exchange.write(b"+PONG\r\n")


MISBEHAVIOUR: dict[str, Callable[[Exchange], None]] = {
    "status-500": lambda exchange: exchange.reply_json({"error": "boom"}, "500 Internal Server Error"),
    "status-302": lambda exchange: exchange.reply(b"", "302 Found", "location: http://192.0.2.1/"),
    "closed": break_off,
    "not-http": speak_something_else,
    "wrong-answer": lambda exchange: exchange.reply_json({"predictions": [[0.1], [0.2]]}),
}


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_what_goes_wrong_at_times_is_counted_by_kind(kind: str, rows: str) -> None:
    report = run(every(10, MISBEHAVIOUR[kind]), rows)
    (result,) = report.results
    assert result.errors == {kind: 4}
    assert result.samples == 40
    assert report.verdict is not None
    assert report.verdict.exit_code in (0, 3)


def test_what_is_never_answered_times_out(rows: str) -> None:
    result = result_of(every(10, lambda exchange: None), rows, timeout_s=5.0)
    assert result.errors["timeout"] >= 4
    assert result.latency.samples == 40


def test_a_limit_is_broken_where_its_percentile_got_no_right_answer(rows: str) -> None:
    handler = every(2, MISBEHAVIOUR["status-500"])
    report = run(handler, rows, rate=2_000.0, limits=(parse_bound("p95<3600s"),), connections=100)
    (limit,) = report.results[0].limits
    assert limit.value_ns is None
    assert limit.status in ("broken", "undecided")  # a busy machine makes the load invalid
    assert report.verdict is not None
    assert report.verdict.exit_code == (1 if limit.status == "broken" else 3)


def test_a_service_that_only_fails_cannot_be_loaded(rows: str) -> None:
    report = run(MISBEHAVIOUR["status-500"], rows)
    assert report.verdict is not None
    assert report.verdict.exit_code == 6
    assert "status-500 40" in report.verdict.reasons[0]


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (MISBEHAVIOUR["status-302"], "redirects to http://192.0.2.1/"),
        (lambda e: e.reply_json({"error": "no column c"}, "422 Unprocessable"), "with 422: no column c"),
        (MISBEHAVIOUR["closed"], "closed the connection"),
        (MISBEHAVIOUR["not-http"], "does not speak HTTP"),
        (MISBEHAVIOUR["wrong-answer"], "2 predictions for 1 rows"),
        (lambda e: e.reply(b"<html>"), "holds no predictions"),
        (lambda e: e.reply(gzip.compress(b"{}"), "200 OK", "content-encoding: gzip"), r"is compressed \(gzip\)"),
        (lambda e: e.reply(b"", "304 Not Modified"), "refuses the request with 304"),
        (
            lambda e: e.write(b"HTTP/1.1 101 A\r\nupgrade: x\r\nconnection: Upgrade\r\n\r\n"),
            "another protocol",
        ),
    ],
)
def test_what_every_request_would_meet_is_told_beforehand(handler: Handler, message: str, rows: str) -> None:
    with pytest.raises(CannotRun, match=message):
        run(handler, rows)


def test_a_service_that_never_answers_is_told_beforehand(rows: str) -> None:
    with pytest.raises(CannotRun, match=r"no answer in 0\.2 s"):
        run(lambda exchange: None, rows, timeout_s=0.2)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_a_port_that_nobody_listens_at(closed_port: int, rows: str) -> None:
    with pytest.raises(CannotRun, match="refuses connections"):
        load(f"http://localhost:{closed_port}", data=rows, settings=LoadSettings(**FEW))


def test_tls_with_a_service_that_has_none(rows: str) -> None:
    with serve(predict) as url, pytest.raises(CannotRun, match=r"TLS|closed|reset"):
        load(url.replace("http", "https"), data=rows, settings=LoadSettings(**FEW))


def test_too_few_connections_make_it_invalid(rows: str) -> None:
    waiting: list[Exchange] = []

    def answer_in_pairs(exchange: Exchange) -> None:
        waiting.append(exchange)
        if exchange.number == 0 or len(waiting) == 2:
            while waiting:
                predict(waiting.pop(0))

    report = run(answer_in_pairs, rows, rate=1e6, duration_s=40e-6, connections=2)
    (result,) = report.results
    assert result.samples == 40
    assert result.waits > 30
    assert not result.valid
    assert "connections" in [reason.code for reason in result.invalid_reasons]
    assert report.verdict is not None
    assert report.verdict.exit_code == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0.0},
        {"duration_s": 4_000.0},
        {"duration_s": 0.0},
        {"seed": -1},
        {"rate": 1e6, "duration_s": 60.0},
        {"connections": 0},
        {"limits": (parse_bound("rss<3MB"),)},
        {"rate": 1.0, "duration_s": 0.1},
    ],
)
def test_a_load_has_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        LoadSettings(**{**FEW, **wrong})


def test_a_closed_loop_sends_the_next_when_the_last_is_answered(rows: str) -> None:
    waiting: list[Exchange] = []
    most = 0

    def answer_all() -> None:
        while waiting:
            predict(waiting.pop(0))

    def handle(exchange: Exchange) -> None:
        """Answer three together, and fewer at the end, so slowly that a load is of few requests for its duration."""
        nonlocal most
        waiting.append(exchange)
        most = max(most, len(waiting))
        asyncio.get_running_loop().call_later(0.05 if len(waiting) == 3 else 0.5, answer_all)

    with serve(handle) as url:
        settings = LoadSettings(concurrency=(3, 3), duration_s=3.0, warmup_s=0.02, timeout_s=600.0)
        report = load(url, data=rows, settings=settings)
    assert most == 3
    assert [(r.loop, r.concurrency, r.rate_asked, r.lag) for r in report.results] == [("closed", 3, None, None)] * 2
    assert all(result.samples > 3 for result in report.results)
    (notice,) = report.notices
    assert notice.code == "closed-loop"
    assert "stood still" in notice.message


def test_a_closed_loop_does_not_hammer_what_refuses(rows: str) -> None:
    with serve(MISBEHAVIOUR["status-500"]) as url:
        settings = LoadSettings(concurrency=(2,), duration_s=0.2, warmup_s=0.0, timeout_s=600.0)
        report = load(url, data=rows, settings=settings)
    assert 0 < report.results[0].errors["status-500"] <= 42
    assert report.verdict is not None
    assert report.verdict.exit_code == 6


def test_a_load_is_open_or_closed() -> None:
    wrong: list[dict[str, Any]] = [
        {},
        {"rate": 5.0, "concurrency": (1,)},
        {"concurrency": (1,), "limits": (parse_bound("p99<1s"),)},
    ]
    for settings in wrong:
        with pytest.raises(UsageError):
            LoadSettings(**settings)


def test_what_a_record_lacks_is_not_sent(tmp_path: Path) -> None:
    contents: list[Any] = []

    def handle(exchange: Exchange) -> None:
        contents.append(json.loads(exchange.content))
        predict(exchange)

    (tmp_path / "rows.json").write_text('[{"a": 1, "b": "x"}, {"a": 3}]')
    assert result_of(handle, str(tmp_path / "rows.json")).errors == {}
    assert contents[:2] == [{"a": 1, "b": "x"}, {"a": 1, "b": "x"}]
    assert {"a": 3} in contents


def test_what_json_cannot_carry_is_told_beforehand(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,inf\n")
    with pytest.raises(DataError, match="'b' is infinite in row 1"):
        run(predict, str(tmp_path / "rows.csv"))


def test_answers_of_the_fallback_are_counted(rows: str) -> None:
    def fall_back(exchange: Exchange) -> None:
        exchange.reply_json({**PREDICTION, "path": "fallback"})

    result = result_of(every(4, fall_back), rows)
    assert result.paths == {"primary": 30, "fallback": 10}
