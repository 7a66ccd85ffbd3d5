"""What random bytes do to a server: the statuses that they get, and its memory before and after.

    python benchmarks/serve_random_bytes.py [--requests 10000]

A quarter of the requests each is bytes alone, a body of random bytes, a broken record or head of a tensor, and a head
with odd characters; all on loopback, each on a connection of its own. Good requests in between show that others are
served meanwhile. Ends with 1 where one gets an answer of 5xx or none, where a good request is not answered, or where
the server says anything or does not end as it should. For Linux, where /proc tells the memory.
"""

import argparse
import contextlib
import random
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

MODEL = Path(__file__).parent.parent / "sample_models" / "digits.txt"
GOOD = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
PATHS = (b"/predict", b"/v2/models/digits/infer", b"/health", b"/metrics", b"/model-info", b"/v2/models/digits", b"/x")
POST = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
CHECKS = 10


def write_bytes(generator: random.Random) -> bytes:
    """No HTTP at all."""
    return generator.randbytes(generator.randrange(1, 2000))


def write_body(generator: random.Random) -> bytes:
    """A request with a body of random bytes."""
    body = generator.randbytes(generator.randrange(3000))
    return POST % (generator.choice(PATHS), b"", len(body), body)


def write_record(generator: random.Random) -> bytes:
    """A body that begins as JSON, and a head of tensors that may end anywhere."""
    body = b"{" + generator.randbytes(30) + b"}"
    length = b"inference-header-content-length: %d\r\n" % generator.randrange(-5, 90)
    return POST % (generator.choice(PATHS), length, len(body), body)


def write_head(generator: random.Random) -> bytes:
    """A head with odd characters."""
    odd = bytes(generator.choice(b"abc:\r\n\0\xff ") for _ in range(60))
    return b"GET " + generator.choice(PATHS) + b" HTTP/1.1\r\n" + odd + b"\r\n\r\n"


LIMIT_S = 600
KINDS: tuple[Callable[[random.Random], bytes], ...] = (write_bytes, write_body, write_record, write_head)


def ask(port: int, request: bytes) -> str:
    """The status of the last answer, since a right request may stand before odd bytes; `none` where there was none."""
    answers = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as connection,
        contextlib.suppress(ConnectionError),  # what is not read any more is answered all the same
    ):
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(65_536):
            answers += part
    statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)
    return statuses[-1].decode() if statuses else "none"


def memory_mb(pid: int) -> int:
    """The resident memory of a process and its children."""
    resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (int(resident[1]) // 1024 if resident else 0) + sum(memory_mb(int(child)) for child in children)


def attack(port: int, pid: int, count: int) -> tuple[Counter[str], list[int], int]:
    """The statuses, the memory now and then, and how many good requests were not answered."""
    generator, statuses, memory, lost = random.Random(0), Counter[str](), [memory_mb(pid)], 0
    for i in range(count):
        statuses[ask(port, KINDS[i % len(KINDS)](generator))] += 1
        if (i + 1) % max(1, count // CHECKS) == 0:
            lost += ask(port, GOOD) != "200"
            memory.append(memory_mb(pid))
    return statuses, memory, lost


def main() -> None:
    """Start a server, send, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    count = parser.parse_args().requests
    command = [sys.executable, "-m", "infer_bench", "serve", str(MODEL), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next((match for line in server.stderr if (match := re.search(r"http://127.0.0.1:(\d+)", line))), None)
        if address is None:
            sys.exit("the server did not start")
        statuses, memory, lost = attack(int(address[1]), server.pid, count)
        server.send_signal(signal.SIGTERM)
        _, messages = server.communicate(timeout=60)
    print(f"{count:,} requests: " + ", ".join(f"{status} {number:,}" for status, number in statuses.most_common()))
    print(f"memory, MB: {', '.join(map(str, memory))}")
    print(f"good requests not answered: {lost} of {len(memory) - 1}; exit code {server.returncode}; said: {messages!r}")
    if lost or server.returncode or messages or any(not status.startswith("4") for status in statuses):
        sys.exit(1)


if __name__ == "__main__":
    main()
