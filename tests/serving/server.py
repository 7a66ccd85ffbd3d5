"""A server in processes of its own, as the command starts it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import httpx

LIMIT_S, LOOK_S = 600, 0.02


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    port: int
    opening: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **arguments: object) -> httpx.Response:
        with httpx.Client(timeout=LIMIT_S, verify=False, trust_env=False) as client:  # its certificates take 20 ms
            return client.request(method, self.url + path, **arguments)  # type: ignore[arg-type]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)

    def send(self, data: bytes) -> bytes:
        """What comes back until the server closes the connection."""
        with self.connect() as client:
            with contextlib.suppress(OSError):
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            return receive_all(client)

    def workers(self) -> list[int]:
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def wait_for_other_workers(self, before: Set[int]) -> None:
        """Until one of those workers is gone: who waits for it may come to it later than a client hears of the end."""
        while self.process.poll() is None and before <= set(self.workers()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(LOOK_S)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code, and what was said on stderr after the opening."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, errors


def receive_all(client: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(OSError):
        while part := client.recv(65_536):
            parts.append(part)
    return b"".join(parts)


@contextlib.contextmanager
def serving(*arguments: str, environment: Sequence[tuple[str, str]] = ()) -> Iterator[Server]:
    """`infer-bench serve` on a free port, once it is open."""
    command = [sys.executable, "-m", "infer_bench", "serve", *arguments, "--port", "0"]
    environment_ = {**os.environ, **dict(environment)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment_)
    assert process.stderr is not None
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if match := re.search(r"on http://\S+:(\d+)", line):
                yield Server(process, int(match[1]), "".join(lines))
                break
        else:
            raise AssertionError("".join(lines))
    finally:
        process.kill()
        process.communicate()
