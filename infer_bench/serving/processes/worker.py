"""A worker's own side: load the model, say so, serve.

Started as `INTERPRETER -m infer_bench.serving FD`, with the numeric libraries' threads set in its environment.
"""

import contextlib
import gc
import os
import signal
import socket
import sys

from infer_bench.errors import CannotRun
from infer_bench.serving.app import Application, open_paths
from infer_bench.serving.metrics.counters import Counters
from infer_bench.serving.processes.memory import map_memory
from infer_bench.serving.processes.plan import Ready, WorkerPlan
from infer_bench.serving.processes.server import serve
from infer_bench.serving.service import Service
from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.connection import Connection
from infer_bench.workers.protocol import FAILURE, RESPONSE, Failure
from infer_bench.workers.server import die_with_parent
from infer_bench.workers.wire import Frame, receive, send


def main(arguments: list[str]) -> None:
    """Take over the inherited connection, and serve as it says."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that watches, which drains its workers
    connection = Connection(int(arguments[0]))
    os.set_inheritable(connection.fileno(), False)
    frame = receive(connection)
    try:
        _serve(unpack(WorkerPlan, frame.body, frame.arrays), connection)
    except Exception as error:  # noqa: BLE001 - whatever keeps the model from being served is told, and ends the process
        told = CannotRun(f"the port cannot be opened: {error.strerror}") if isinstance(error, OSError) else error
        with contextlib.suppress(OSError):
            send(connection, Frame(FAILURE, 0, *pack(Failure.of(told))))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Native thread pools may hang or crash while the interpreter is torn down, and nothing is left to save.
    os._exit(0)


def _serve(plan: WorkerPlan, connection: Connection) -> None:
    server = plan.server
    _raise_descriptor_limit()
    memories = map_memory(plan.memory, server.workers)
    paths, primary_error = open_paths(server.models, server.settings)
    name = server.settings.name or server.models.name
    service = Service(paths, server.settings, name, Counters(memories[plan.number]), memories)
    gc.freeze()  # what was loaded stays: it need not be looked through again and again
    ready = Frame(RESPONSE, 0, *pack(Ready(primary_error, paths.main.alone_because)))
    with socket.socket(fileno=plan.socket) as listener:
        serve(
            Application(service),
            listener,
            drain_s=server.drain_s,
            tell_ready=lambda: send(connection, ready),
            parent=connection.fileno(),
        )


def _raise_descriptor_limit() -> None:
    """As many connections as the system lets a process have: the usual soft limit is 1,024."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
