"""The server as it is started by hand: what bends it, and how it ends."""

import os
import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.engines.zoo import NAMES, SavedModel
from tests.serving.server import Server, receive_all, serving

RECORD = dict.fromkeys(NAMES, 1.0)


@pytest.fixture(scope="module")
def server(binary: SavedModel) -> Iterator[Server]:
    with serving(binary.model.path, "--max-body", "64kB", "--body-timeout", "5s") as server:
        yield server


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_it_answers(server: Server, binary: SavedModel) -> None:
    response = server.ask("POST", "/predict", json=RECORD)
    assert response.status_code == 200
    assert response.json()["model"] == Path(binary.model.path).stem


def test_random_bytes_are_refused(server: Server) -> None:
    generator = random.Random(0)
    for _ in range(200):
        data = generator.randbytes(generator.randrange(1, 300))
        answer = server.send(data)
        assert answer == b"" or status(answer) == 400
    for _ in range(200):
        body = generator.randbytes(generator.randrange(1, 300))
        assert server.ask("POST", "/predict", content=body).status_code == 400
    assert server.ask("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 70000\r\n\r\n" + b"x" * 70_000, 413),
        (b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\nexpect: 100-continue\r\n\r\n", 413),
        (b"POST /predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\nconnection: close\r\n\r\n3", 400),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000, 431),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused(server: Server, request_: bytes, expected: int) -> None:
    answer = server.send(request_)
    assert answer == b"" or status(answer) == expected


def test_a_chunked_body_is_read(server: Server) -> None:
    response = server.ask(
        "POST", "/predict", content=(part.encode() for part in ['{"age":1,"income":2,', '"debt":3,"years":4}'])
    )
    assert response.status_code == 200


def test_a_slow_body_is_given_up_and_others_are_answered(server: Server) -> None:
    with server.connect() as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{")
        assert server.ask("POST", "/predict", json=RECORD).status_code == 200
        assert status(receive_all(slow)) == 408


def test_idle_connections_and_lost_clients_cost_nobody_anything(server: Server) -> None:
    idle = [server.connect() for _ in range(200)]
    for _ in range(50):
        with server.connect() as lost:
            lost.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n[")
            lost.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert server.ask("POST", "/predict", json=RECORD).status_code == 200
    for connection in idle:
        connection.close()


def test_a_request_on_its_way_is_answered_before_the_end(binary: SavedModel) -> None:
    body = b'{"age":1,"income":2,"debt":3,"years":4}'
    with serving(binary.model.path) as server, server.connect() as client:
        head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
        client.sendall(head + body[:5])
        assert server.ask("GET", "/health").status_code == 200  # so the head was read
        server.process.send_signal(signal.SIGTERM)
        while True:  # until the port is closed
            try:
                server.connect().close()
            except OSError:
                break
        client.sendall(body[5:])
        answer = receive_all(client)
        assert status(answer) == 200
        assert b"connection: close" in answer
        assert server.end() == (0, "")


CRASHING = """
import os

def score(record):
    if record["x"] < 0:
        os.abort()
    return record["x"] + 1.0
"""


def test_a_crash_costs_its_own_worker_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing.py").write_text(CRASHING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with serving("crashing:score", "--workers", "2") as server:
        before = set(server.workers())
        assert len(before) == 2
        with pytest.raises(httpx.RemoteProtocolError):
            server.ask("POST", "/predict", json={"x": -1})
        for x in range(10):
            assert server.ask("POST", "/predict", json={"x": x}).json()["predictions"] == [[x + 1.0]]
        server.wait_for_other_workers(before)
        assert len(before & set(server.workers())) == 1
        assert 'status="200"} 10.0' in server.ask("GET", "/metrics").text  # whoever answered them
        code, errors = server.end()
    assert (code, errors.count("a worker was killed by SIGABRT")) == (0, 1)


def test_a_worker_that_dies_is_started_anew(binary: SavedModel) -> None:
    with serving(binary.model.path) as server:
        (worker,) = server.workers()
        os.kill(worker, signal.SIGABRT)
        assert server.ask("POST", "/predict", json=RECORD).status_code == 200  # it waits in the socket meanwhile
        assert server.workers() != [worker]
        code, errors = server.end(signal.SIGINT)
    assert code == 0
    assert "a worker was killed by SIGABRT; it is started anew" in errors
