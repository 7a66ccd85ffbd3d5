"""A server that stands still for 0.4 s of 4 s: what an open loop says of it, and what a closed loop would.

    python benchmarks/load_stall.py [--rate 1000] [--duration 4] [--stall 0.4]

The true p95 is 200 ms, and what the server takes to catch up: a tenth of all requests were due while it stood still.
A closed loop, which waits for an answer before it sends the next request, sends one request meanwhile. The one here is
the least of them: one connection, a request every millisecond where the answers allow it.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.stats.load.times import read_percentile
from infer_bench.typing import Samples

WARMUP_S = 0.5
SERVER = r"""
import asyncio, httptools, sys, time
stalls_at, stall_s, count = int(sys.argv[1]), float(sys.argv[2]), 0
BODY = b'{"predictions": [[0.25]]}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY

class Service(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.parser = transport, httptools.HttpRequestParser(self)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_complete(self):
        global count
        count += 1
        if count == stalls_at:
            time.sleep(stall_s)
        self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def serve(stalls_at: int, stall_s: float) -> Iterator[int]:
    """The port of a server that stands still before it answers one of its requests."""
    command = [sys.executable, "-c", SERVER, str(stalls_at), str(stall_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


def load_closed(port: int, rate: float, duration_s: float) -> Samples:
    """Sorted latencies in ns from sending, of a loop that sends a request once the one before is answered."""
    request = b"POST /predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}"
    durations = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + duration_s
        while (begin := time.perf_counter()) < end:
            connection.sendall(request)
            connection.recv(65536)
            durations.append(time.perf_counter() - begin)
            time.sleep(max(0.0, 1 / rate - durations[-1]))
    return np.sort((np.array(durations) * 1e9).astype(np.int64))


def main() -> None:
    """Load a server both ways, each time from a fresh start."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--duration", type=float, default=4.0)
    parser.add_argument("--stall", type=float, default=0.4)
    options = parser.parse_args()
    middle = round(options.rate * options.duration / 4)
    settings = LoadSettings(
        rate=options.rate, duration_s=options.duration, warmup_s=WARMUP_S, connections=2048, timeout_s=30.0
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.csv"
        rows.write_text("a\n1\n")
        with serve(1 + round(options.rate * WARMUP_S) + middle, options.stall) as port:
            result = load(f"http://127.0.0.1:{port}", data=str(rows), settings=settings).results[0]
    with serve(middle, options.stall) as port:
        closed = load_closed(port, options.rate, options.duration)
    share = max(0.0, options.stall - 0.05 * options.duration)
    print(f"{options.rate:g}/s for {options.duration:g} s, of which the server stood still for {options.stall:g} s")
    print(f"true p95, without catching up  {share * 1e3:6.1f} ms")
    print(f"open loop, from due            {format_ms(result.latency.p95_ns)}")
    print(f"open loop, from sending        {format_ms(result.service.p95_ns)}")
    print(f"closed loop                    {format_ms(read_percentile(closed, 0, 0.95))}  {len(closed):,} requests")


def format_ms(ns: int | None) -> str:
    """A time in ms."""
    return "   n/a   " if ns is None else f"{ns / 1e6:6.1f} ms"


if __name__ == "__main__":
    main()
