"""Requests that come whole are answered past uvicorn's own cycle, and in everything else as any other."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from infer_bench.serving import application
from infer_bench.serving.processes import protocol
from infer_bench.serving.processes.direct_request import DirectRequest
from infer_bench.serving.processes.protocol import make_protocol
from tests.engines.zoo import NAMES, SavedModel
from tests.serving.client import counters

RECORD = json.dumps(dict.fromkeys(NAMES, 1.0)).encode()
INFER = b'{"inputs":[{"name":"input","shape":[1,4],"datatype":"FP64","data":[1,1,1,1]}]}'


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies of the requests that took the direct way."""
    bodies: list[bytes] = []
    ask = DirectRequest.ask

    def ask_and_note(request: DirectRequest) -> None:
        bodies.append(b"".join(request.parts))
        ask(request)

    monkeypatch.setattr(DirectRequest, "ask", ask_and_note)
    return bodies


def request(body: bytes = RECORD, *headers: bytes, path: bytes = b"/predict", version: bytes = b"1.1") -> bytes:
    lines = [b"POST " + path + b" HTTP/" + version, b"host: x", b"content-length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def exchange(
    app: Any, parts: Sequence[bytes], answers: int, *, is_last: bool = False, ends: bool = False
) -> list[tuple[int, dict[bytes, bytes], Any]]:
    """Status, headers and body of each answer on one connection, whose requests are sent part by part.

    With `is_last` the client then closes its side, and the server must close its own; with `ends` it does so anyway.
    """

    async def run() -> Any:
        loop = asyncio.get_running_loop()
        config, state, make = Config(app, lifespan="off", log_config=None), ServerState(), make_protocol(app)
        server = await loop.create_server(lambda: make(config=config, server_state=state, app_state={}), "127.0.0.1")
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for part in parts:
            writer.write(part)
            await writer.drain()
            for _ in range(5):
                await asyncio.sleep(0)  # so that the parts arrive one by one
        if is_last:
            writer.write_eof()
        result = [await read_answer(reader) for _ in range(answers)]
        assert not (is_last or ends) or await reader.read() == b""
        writer.close()
        server.close()
        return result

    return asyncio.run(run())


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[bytes, bytes], Any]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).strip().split(b"\r\n")
    headers = dict(line.split(b": ", 1) for line in lines)
    body = msgspec.json.decode(await reader.readexactly(int(headers[b"content-length"])))
    return int(first.split()[1]), headers, body


def test_both_ways_give_the_same_answer(binary_app: Any, direct: list[bytes]) -> None:
    whole = request()
    (first, headers, body), (second, other_headers, other) = exchange(binary_app, [whole, whole[:-5], whole[-5:]], 2)
    assert (first, second, len(direct)) == (200, 200, 1)
    assert headers.keys() == other_headers.keys()
    assert body["predictions"] == other["predictions"]
    assert body.keys() == other.keys()


def test_requests_in_a_row_are_answered_in_their_order(binary_app: Any, direct: list[bytes]) -> None:
    records = [json.dumps(dict.fromkeys(NAMES, float(i))).encode() for i in range(6)]
    alone = [exchange(binary_app, [request(record)], 1)[0][2]["predictions"] for record in records]
    together = exchange(binary_app, [b"".join(map(request, records))], len(records))
    assert [body["predictions"] for _, _, body in together] == alone
    assert len(direct) == len(records) + 1  # the others had to wait for the first


@pytest.mark.parametrize("count", [1, 5])
def test_a_client_that_sends_no_more_gets_its_answers(binary_app: Any, count: int) -> None:
    answers = exchange(binary_app, [request() * count], count, is_last=True)
    assert [status for status, _, _ in answers] == [200] * count


def test_tensors_take_it_too(binary_app: Any, direct: list[bytes]) -> None:
    path = f"/v2/models/{binary_app.service.name}/infer".encode()
    ((status, _, body),) = exchange(binary_app, [request(INFER, path=path)], 1)
    assert (status, direct) == (200, [INFER])
    assert body["outputs"][0]["shape"] == [1, 1]


@pytest.mark.parametrize(
    ("special", "expected"),
    [
        (request(RECORD, version=b"1.0"), 200),
        (request(RECORD, b"connection: close"), 200),
        (request(RECORD, b"content-encoding: identity"), 200),
        (request(RECORD, b"content-encoding: gzip"), 400),
        (request(RECORD, path=b"/predict?x=1"), 200),
        (request(RECORD, path=b"/health"), 405),
        (request(b""), 400),
    ],
)
def test_what_is_special_takes_the_longer_way(
    binary_app: Any, direct: list[bytes], special: bytes, expected: int
) -> None:
    ((status, _, _),) = exchange(binary_app, [special], 1)
    assert (status, direct) == (expected, [])


UPGRADE = request(RECORD, b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQ")
CHUNKED = UPGRADE.replace(b"content-length: %d" % len(RECORD), b"transfer-encoding: chunked").replace(
    RECORD, b"%x\r\n%b\r\n0\r\n\r\n" % (len(RECORD), RECORD)
)


@pytest.mark.parametrize(
    ("parts", "answers"),
    [
        ([UPGRADE], 1),
        ([UPGRADE + UPGRADE + request() + UPGRADE], 4),
        ([UPGRADE[:30], UPGRADE[30:90], UPGRADE[90:-5], UPGRADE[-5:] + request()], 2),
        ([CHUNKED, request()], 2),
        ([b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n" * 2000], 2000),
    ],
)
def test_a_request_for_another_protocol_is_answered_in_this_one(
    binary_app: Any, parts: Sequence[bytes], answers: int
) -> None:
    assert {status for status, _, _ in exchange(binary_app, parts, answers)} == {200}


def test_a_tunnel_is_refused(binary_app: Any) -> None:
    ((status, headers, _),) = exchange(binary_app, [b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n"], 1)
    assert (status, headers[b"connection"]) == (400, b"close")


def test_the_heads_of_many_requests_are_no_large_head(binary_app: Any) -> None:
    health = b"GET /health HTTP/1.1\r\nhost: x\r\nx: %b\r\n\r\n" % (b"y" * 10_000)
    answers = exchange(binary_app, [health * 30 + health[:20], health[20:]], 31)
    assert {status for status, _, _ in answers} == {200}


@pytest.mark.parametrize(("body_bytes", "size"), [(120_026, 120_026), (70_000, 70_000), (70_000, 14_000)])
def test_a_large_head_is_refused_however_it_comes(binary_app: Any, body_bytes: int, size: int) -> None:
    head = (b"GET /health HTTP/1.1\r\n" + b"x: y\r\n" * 20_000 + b"\r\n")[:body_bytes]
    answers = exchange(binary_app, [head[i : i + size] for i in range(0, len(head), size)], 1)
    assert [status for status, _, _ in answers] == [431]


CHUNKS = b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("asked", "statuses"),
    [
        (request() + b"no request\r\n\r\n", [200, 400]),
        (request() + request(b"{") + request() + b"no request\r\n\r\n" + request(), [200, 400, 200, 400]),
        (request() + CHUNKS + b"no size\r\n", [200, 400]),
        (request() + request() + CHUNKS + b"2\r\n{}no end", [200, 200, 400]),
        (CHUNKS + b"no size\r\n", [400]),
        (request() + b"GET /health HTTP/1.1\r\n" + b"x: yy\r\n" * 10_000, [200, 431]),
    ],
)
def test_what_is_no_request_is_refused_after_what_was_asked_before(
    binary_app: Any, asked: bytes, statuses: list[int]
) -> None:
    assert [status for status, _, _ in exchange(binary_app, [asked], len(statuses), ends=True)] == statuses


@pytest.mark.parametrize("content_type", [b"application/json", b"text/html"])
def test_what_stands_around_the_chunks_is_bounded(binary_app: Any, content_type: bytes) -> None:
    head = CHUNKS.replace(b"host: x", b"content-type: " + content_type)
    single = b"".join(b"1\r\n%c\r\n" % byte for byte in RECORD + b" " * 60_000) + b"0\r\n\r\n"
    parts = [head, b"2\r\n{}\r\n0\r\nx: ", *[b"y" * 50_000] * 4]
    asked = (200, 431) if content_type == b"application/json" else (415, 415)
    assert (
        exchange(binary_app, [head, *(single[i : i + 50_000] for i in range(0, len(single), 50_000))], 1)[0][0]
        == asked[0]
    )
    assert exchange(binary_app, parts, 1)[0][0] == asked[1]


def test_a_connection_without_requests_ends(binary_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "KEEP_ALIVE_S", 0.01)
    assert exchange(binary_app, [request()], 1, ends=True)[0][0] == 200
    assert exchange(binary_app, [request()[:-5], request()[-5:]], 1, ends=True)[0][0] == 200
    assert exchange(binary_app, [], 0, ends=True) == []


def test_what_is_wrong_is_said_and_the_connection_goes_on(binary_app: Any, direct: list[bytes]) -> None:
    before = counters(binary_app)
    bad = [request(b"{"), request(b"{}"), request(RECORD, b"content-type: text/html")]
    answers = exchange(binary_app, [*bad, request()], 4)
    assert [status for status, _, _ in answers] == [400, 422, 415, 200]
    assert answers[1][2]["columns"] == list(NAMES)
    after = counters(binary_app)
    malformed = 'infer_bench_errors_total{kind="malformed"}'
    assert after[malformed] - before[malformed] == 2
    answered = 'infer_bench_requests_total{endpoint="/predict",status="200"}'
    assert after[answered] - before.get(answered, 0.0) == 1


def test_a_bug_costs_one_answer(binary_app: Any, direct: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(binary_app.inferences["/predict"]), "write", lambda *_: 1 / 0)
    ((status, _, body),) = exchange(binary_app, [request()], 1)
    assert (status, body) == (500, {"error": "the server failed"})


def test_the_token_is_asked_for(binary: SavedModel, direct: list[bytes]) -> None:
    app = application(binary.model.path, token="secret")
    answers = exchange(app, [request(), request(RECORD, b"authorization: Bearer secret")], 2)
    assert [status for status, _, _ in answers] == [401, 200]
    assert answers[0][1][b"www-authenticate"] == b"Bearer"
    assert len(direct) == 2
    app.close()
