"""A load of a real service on loopback: what is sent, and what is counted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import DataError, UsageError
from infer_bench.gates.limits import parse_bound
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from tests.measure.load.loading import FEW, every, result_of, run
from tests.stub_service import PREDICTION, Exchange, Handler, predict, serve

pytest.importorskip("uvloop")


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
