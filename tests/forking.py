"""Workers that are forked from a process that has imported the libraries, instead of started: most of a worker's cost.

A worker that was forked answers as one that was started. What a test says of the start itself (memory, imports, the
ways to fail) needs one that was: `pytest.mark.started_workers`. The first worker of a kind is started in any case, and
so is one of another interpreter or with CPUs of its own.
"""

import contextlib
import gc
import json
import os
import pkgutil
import select
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from threading import Lock
from typing import Any, NoReturn

PRELOADED = (  # not ONNX Runtime: its import starts threads, which a fork would lack
    *("pandas", "pyarrow.parquet", "scipy.sparse", "lightgbm", "xgboost", "onnx"),
    *("sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline", "sklearn.preprocessing"),
)
ROOMS = ("workers", "engines", "trees", "converters", "data")
"""Packages of infer-bench whose modules a worker imports as it comes to need them."""
READ_AT_START = ("PYTHON", "LD_", "MALLOC_")
HIGH = 500  # where descriptors wait until the numbers that they must have are free
MESSAGE_BYTES = 1 << 18


class ForkedProcess:
    """As much of `subprocess.Popen` as a worker's owner uses. The process is the template's child, not ours."""

    def __init__(self, pid: int, template: "Template") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template = template
        self._end = os.pidfd_open(pid)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal; raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("worker", timeout or 0)
            self.returncode = int(self._template.ask({"reap": self.pid})["code"])
            os.close(self._end)
        return self.returncode

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode


class Template:
    """A process that has imported everything and forks on request."""

    def __init__(self, environment: dict[str, str], absent: Sequence[str]) -> None:
        self._lock = Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-P", __file__, str(theirs.fileno()), *absent]
            self._process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
            )

    def ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        """Send a request and wait for the reply."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
            reply: dict[str, Any] = json.loads(self._socket.recv(MESSAGE_BYTES))
        return reply

    def close(self) -> None:
        """End it; workers that it forked end with it."""
        self._socket.close()
        self._process.wait()


def has_pidfd() -> bool:
    """Whether this system tells of the end of a process that is not a child."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class Templates:
    """The templates of this test process by what is in force before any import.

    Nothing is forked while not `active`."""

    def __init__(self) -> None:
        self.active = True
        self._can_fork = has_pidfd()
        self._by_kind: dict[Any, Template | None] = {}

    def install(self) -> None:
        """Have workers forked from here on."""
        from infer_bench.workers.process import Worker

        start = Worker._start

        def fork_or_start(worker: Worker, command: Sequence[str], shares: Sequence[int]) -> Any:
            template = self._template(worker.job)
            if template is None:
                return start(worker, command, shares)
            job, stderr = worker.job, worker._stderr.fileno()
            request = {
                "arguments": [*command[4:], ""],
                "environment": {**os.environ, **job.environment},
                "folder": job.folder,
                "numbers": [0, 1, 2, *shares],
            }
            with open(os.devnull, "r+b") as nothing:
                reply = template.ask(request, [nothing.fileno(), nothing.fileno(), stderr, *shares])
            return ForkedProcess(reply["pid"], template)

        Worker._start = fork_or_start  # type: ignore[method-assign,assignment]

    def _template(self, job: Any) -> Template | None:
        """None for the first worker of its kind, which has to be started, and for what cannot be forked."""
        if not (self.active and self._can_fork) or job.interpreter or job.affinity:
            return None
        environment = {**os.environ, **job.environment}
        early = {n: v for n, v in environment.items() if n.startswith(READ_AT_START) or n in job.environment}
        kind = (frozenset(early.items()), job.lean)
        if kind not in self._by_kind:
            self._by_kind[kind] = None
        elif self._by_kind[kind] is None:
            self._by_kind[kind] = Template(environment, job.lean)
        return self._by_kind[kind]

    def close(self) -> None:
        """End all templates."""
        for template in self._by_kind.values():
            if template is not None:
                template.close()


def serve(connection: socket.socket) -> None:
    """Fork and reap as asked, until nobody asks any more."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 16)
        if not data:
            return
        request = json.loads(data)
        if "reap" in request:
            code = os.waitstatus_to_exitcode(os.waitpid(request["reap"], 0)[1])
            connection.send(json.dumps({"code": code}).encode())
        elif os.fork() == 0:
            become_worker(connection, request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def become_worker(connection: socket.socket, request: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
    """Be what `python -m infer_bench.workers` would be, in a session of its own before it is heard of."""
    os.setsid()
    place(descriptors, request["numbers"])
    connection.send(json.dumps({"pid": os.getpid()}).encode())
    connection.close()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["infer_bench.workers", *request["arguments"]]
    from infer_bench.workers.__main__ import main

    main()
    os._exit(0)


def place(descriptors: Sequence[int], numbers: Sequence[int]) -> None:
    """Give descriptors their numbers, which may be those of one another."""
    import fcntl

    waiting = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    for descriptor, number in zip(waiting, numbers, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


def main(number: str, *absent: str) -> None:
    """Import everything but what must be absent, and serve."""
    import fcntl

    connection = socket.socket(fileno=fcntl.fcntl(int(number), fcntl.F_DUPFD_CLOEXEC, HIGH))
    os.close(int(number))
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in (*PRELOADED, *modules_of(ROOMS)):
        with contextlib.suppress(ImportError):
            import_module(name)
    gc.freeze()  # a worker's collector need not walk, and so copy, what all of them share
    serve(connection)


def modules_of(rooms: Sequence[str]) -> list[str]:
    """The modules of packages of infer-bench, `__main__` left out."""
    names = []
    for room in rooms:
        package = import_module(f"infer_bench.{room}")
        names += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [name for name in names if not name.endswith(".__main__")]


if __name__ == "__main__":
    main(*sys.argv[1:])
