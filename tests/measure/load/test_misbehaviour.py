"""A load of a real service on loopback that misbehaves: what that costs, and what is told beforehand."""

import gzip
import socket
from collections.abc import Callable, Iterator

import pytest

from infer_bench.errors import CannotRun
from infer_bench.gates.limits import parse_bound
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from tests.measure.load.loading import FEW, every, result_of, run
from tests.stub_service import Exchange, Handler, predict, serve

pytest.importorskip("uvloop")


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


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("401 Unauthorized", "--token-file"),
        ("404 Not Found", "see path"),
        ("429 Too Many Requests", "limits how many requests"),
    ],
)
def test_what_helps_goes_by_the_status(status: str, hint: str, rows: str) -> None:
    with pytest.raises(CannotRun, match=f"with {status[:3]}: no") as caught:
        run(lambda exchange: exchange.reply_json({"error": "no"}, status), rows)
    assert caught.value.hint is not None
    assert hint in caught.value.hint


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


def test_a_closed_loop_does_not_hammer_what_refuses(rows: str) -> None:
    with serve(MISBEHAVIOUR["status-500"]) as url:
        settings = LoadSettings(concurrency=(2,), duration_s=0.2, warmup_s=0.0, timeout_s=600.0)
        report = load(url, data=rows, settings=settings)
    assert 0 < report.results[0].errors["status-500"] <= 42
    assert report.verdict is not None
    assert report.verdict.exit_code == 6
