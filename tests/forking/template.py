"""`python -P template.py BROKER [ABSENT …]`: a process that has imported the libraries, and forks on request.

A request comes with its descriptors, and is answered with a number: of the process that was forked, or, where it asks
to reap one, with the exit code, negative for a signal. ABSENT are the modules that must not be imported.
"""

import atexit
import contextlib
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.forking import client as forking_client

for name in ("tests", "tests.forking", "tests.forking.client"):  # which nothing else is to find
    del sys.modules[name]
del sys.path[0], name

PRELOADED = (  # not ONNX Runtime: its import starts threads, which a fork would lack
    *("pandas", "pyarrow.parquet", "scipy.sparse", "lightgbm", "xgboost", "onnx"),
    *("sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"),
)
ROOMS = ("workers", "engines", "trees", "converters", "data")
"""Packages of infer-bench whose modules a worker imports as it comes to need them."""
COMMANDS = ("typer.main", "pydantic", "msgspec.json", "infer_bench.serving.processes.worker")
"""What commands need besides, whose workers are of other kinds: they have fixed numbers of threads."""
COMMAND_ROOMS = ("measure", "reporters", "cli")
DIE_WITH_PARENT = ("infer_bench.workers", "infer_bench.serving")
HIGH = 500
"""Where descriptors wait until the numbers that they must have are free."""
MESSAGE_BYTES = 1 << 18
exit_codes: list[int] = []


class Template:
    """Forks, for as long as the broker is there. `serve` returns in each process that was forked, with its request."""

    def __init__(self, broker: socket.socket) -> None:
        self._broker = broker
        self._children: dict[socket.socket, dict[int, bool]] = {}
        """Client → its processes that nobody has reaped, and whether they end with it."""
        self._orphans: set[int] = set()

    def serve(self) -> dict[str, Any] | None:
        """Fork and reap as asked; None when the broker is gone."""
        while True:
            ready = select.select([self._broker, *self._children], [], [])[0]
            if self._broker in ready:
                data, descriptors, _, _ = socket.recv_fds(self._broker, 1, 1)
                if not data:
                    return None
                self._children[socket.socket(fileno=_move_up(descriptors[0]))] = {}
            for client in ready:
                if client is not self._broker and (request := self._answer(client)) is not None:
                    return request

    def _answer(self, client: socket.socket) -> dict[str, Any] | None:
        """Do what it asks; in a process that was forked, the request."""
        data, descriptors = b"", list[int]()
        with contextlib.suppress(ConnectionError):
            data, descriptors, _, _ = socket.recv_fds(client, MESSAGE_BYTES, 16)
        if not data:
            self._forget(client)
            return None
        request: dict[str, Any] = json.loads(data)
        if "reap" in request:
            del self._children[client][request["reap"]]
            code = os.waitstatus_to_exitcode(os.waitpid(request["reap"], 0)[1])
            client.send(str(code).encode())
            return None
        pid = fork()
        if pid == 0:
            self._become(request, descriptors, client)
            return request
        self._children[client][pid] = any(name in request["words"] for name in DIE_WITH_PARENT)
        for descriptor in descriptors:
            os.close(descriptor)
        return None

    def _become(self, request: dict[str, Any], descriptors: Sequence[int], client: socket.socket) -> None:
        """Be in the session and the group that were asked for before anybody hears of it, and close what is not its."""
        if request["is_session"]:
            os.setsid()
        elif request["group"] != -1:
            os.setpgid(0, request["group"])
        client.send(str(os.getpid()).encode())
        for connection in (self._broker, *self._children):
            connection.close()
        place(descriptors, request["numbers"])

    def _forget(self, client: socket.socket) -> None:
        """The client has ended, and what ends with it does."""
        for pid, dies in self._children.pop(client).items():
            self._orphans.add(pid)
            if dies:
                os.kill(pid, signal.SIGKILL)
        client.close()
        self._orphans = {pid for pid in self._orphans if os.waitpid(pid, os.WNOHANG)[0] == 0}


def fork() -> int:
    """As `os.fork`. Python warns of threads: those that are here end before a fork and start again after it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _move_up(number: int) -> int:
    """A copy of the descriptor out of the way of those that have to have a number; the original is closed."""
    import fcntl

    copy = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(number)
    return copy


def place(descriptors: Sequence[int], numbers: Sequence[int]) -> None:
    """Give descriptors their numbers, which may be those of one another."""
    waiting = [_move_up(descriptor) for descriptor in descriptors]
    for descriptor, number in zip(waiting, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def be_module(request: dict[str, Any]) -> None:
    """Be what `python [-P] -m MODULE …` would be."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    reopen_streams()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if request["forks"]:
        forking_client.install()
    *options, _, name = request["words"][: request["words"].index("-m") + 2]
    sys.argv = request["words"][len(options) + 1 :]
    sys.path[:0] = [] if "-P" in options else [os.getcwd()]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def leave_early() -> None:
    """Leave without the interpreter's clearing up, which takes a tenth of a second after so many imports.

    Of all that runs at exit, what was registered first runs last; and it is waited for threads before.
    """
    if exit_codes:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(exit_codes[0])


def run_noting_code(request: dict[str, Any]) -> None:
    """Be the module, and note its exit code. An interrupt ends by its signal, and an unwritable stream otherwise."""
    try:
        be_module(request)
        exit_codes.append(0)
    except SystemExit as end:
        exit_codes.append(int(end.code or 0) if isinstance(end.code, int | None) else 1)
        raise
    except Exception:
        exit_codes.append(1)
        raise


def reopen_streams() -> None:
    """Standard streams for what has been put into their places."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)
        is_line = number == 2 or os.isatty(number)
        mode, buffering = "w" if number else "r", 1 if is_line else -1
        stream = open(number, mode, buffering, encoding=before.encoding, errors=before.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def main(number: str, *absent: str) -> None:
    """Import everything but what must be absent, and serve; then be what was asked for."""
    atexit.register(leave_early)
    broker = socket.socket(fileno=_move_up(int(number)))
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    is_worker = "OMP_NUM_THREADS" in os.environ
    modules = modules_of(ROOMS if is_worker else (*ROOMS, *COMMAND_ROOMS))
    for name in (*PRELOADED, *(() if is_worker else COMMANDS), *modules):
        with contextlib.suppress(ImportError):
            import_module(name)
    gc.freeze()  # a copy's collector need not walk, and so copy, what all of them share
    request = Template(broker).serve()
    if request is None:
        os._exit(0)
    run_noting_code(request)


def modules_of(rooms: Sequence[str]) -> list[str]:
    """The modules of packages of infer-bench, `__main__` left out."""
    names = []
    for room in rooms:
        package = import_module(f"infer_bench.{room}")
        names += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if not name.endswith(".__main__")]


if __name__ == "__main__":
    main(*sys.argv[1:])
