"""A server of one's own on loopback, for as long as it is loaded."""

import contextlib
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from infer_bench.errors import CannotRun, WorkerHung
from infer_bench.measure.load.settings import ServerSettings

_ADDRESS = re.compile(r" on (http://\S+)")
_GRACE_S = 5.0


@contextlib.contextmanager
def serve_model(model: str, settings: ServerSettings) -> Iterator[str]:
    """The address of `infer-bench serve MODEL` on a free port; it is ended with the context.

    Raises `CannotRun` with what it says where it does not begin to serve.
    """
    command = [
        sys.executable,
        "-m",
        "infer_bench",
        "serve",
        model,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--drain",
        "1s",
    ]
    command += ["--threads", str(settings.threads), "--workers", str(settings.workers)]
    command += ["--engine", settings.engine] if settings.engine else []
    command += ["--allow-pickle"] if settings.allow_pickle else []
    # A session of its own: Ctrl-C is for the load, which then ends the server.
    # No buffer: a line that stood in it would be waited for in vain.
    process = subprocess.Popen(
        command,
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield _read_address(process, settings.start_s)
    finally:
        _end(process)


def _read_address(process: "subprocess.Popen[bytes]", limit_s: float) -> str:
    """What the server says it listens on."""
    lines: list[str] = []
    until = time.monotonic() + limit_s
    assert process.stderr is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while (remaining_s := until - time.monotonic()) > 0:
            if not selector.select(remaining_s):
                break
            line = process.stderr.readline().decode("utf-8", "replace").strip()
            if not line:
                raise _explain(lines)
            lines.append(line)
            if address := _ADDRESS.search(line):
                return address[1]
    raise WorkerHung(f"the server did not start in {limit_s:g} s", "see `infer-bench serve` alone")


def _explain(lines: list[str]) -> CannotRun:
    """The error and the hint that a command ends with."""
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    hints = [line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")]
    message = (errors or lines[-1:] or ["it said nothing"])[-1]
    return CannotRun(f"the server did not start: {message}", hints[-1] if hints else "")


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
