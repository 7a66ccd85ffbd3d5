"""The worker process's own side: it answers one request after the other, until told to stop.

Started as `INTERPRETER -m infer_bench.workers FD [CPUS]`. Threads, environment and affinity are in force before this
module is imported; it imports the standard library, numpy and, through the engine, the engine's library.
"""

import ctypes
import os
import signal
import sys

from infer_bench.workers.connection import Connection
from infer_bench.workers.dispatch import respond
from infer_bench.workers.host import Host
from infer_bench.workers.protocol import CLOSE
from infer_bench.workers.wire import receive, send

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int | None = None) -> None:
    """Ask Linux to kill this process when its parent dies, so that none is left running.

    It ends at once where the process number `parent` is no longer its parent's, which then died too early to be seen.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent is not None and os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def serve(connection: Connection) -> None:
    """Answer requests until the coordinator closes the connection or asks to end."""
    host = Host(serve_descriptor)
    while True:
        try:
            frame = receive(connection)
        except EOFError:
            return
        if frame.kind == CLOSE:
            return
        response = respond(host, frame)
        if connection.closed:  # this is a copy, which the model's code has forked and never ended
            os._exit(0)
        send(connection, response)


def serve_descriptor(descriptor: int, parent: int | None = None) -> None:
    """Take over an inherited connection, answer its requests, and leave the process, at the end of `parent` at once."""
    die_with_parent(parent)
    connection = Connection(descriptor)
    # What the model's code starts must not hold the line: a worker that dies is missed at once.
    os.set_inheritable(connection.fileno(), False)
    os.register_at_fork(after_in_child=connection.close)
    serve(connection)
    # Native thread pools may hang or crash while the interpreter is torn down, and nothing is left to save.
    _flush_and_leave()


def main(arguments: list[str]) -> None:
    """Leave Ctrl-C to the coordinator, and serve it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve_descriptor(int(arguments[0]))


def _flush_and_leave() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
