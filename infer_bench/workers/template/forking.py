"""The template's own side: import, fork, and reap. Nothing else may run in it, so that it has one thread to fork."""

import contextlib
import importlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from infer_bench.engines.callable import is_foreign
from infer_bench.errors import WorkerError
from infer_bench.workers.template.requests import (
    ExitStatus,
    ForkedWorkerId,
    ForkWorker,
    ImportLibraries,
    LibrariesInUse,
    ListLibraries,
    ReapWorker,
    TemplateState,
)

Serve = Callable[[int, int], None]
"""Answers on the connection of that descriptor until it is closed, and ends with the process of that number."""

_FORKED_WITH_CARE = frozenset({"jemalloc_bg_thd"})
"""Threads that their library ends before a fork and starts again after it: pyarrow's memory is jemalloc's."""

_environment: Mapping[str, str] = dict(os.environ)


def import_libraries(request: ImportLibraries) -> TemplateState:
    """Import modules until one of them starts a thread."""
    if has_threads():
        return TemplateState("infer_bench")
    for name in request.modules:
        if name not in sys.modules:
            # Whatever a library raises, the workers import it themselves.
            with contextlib.suppress(Exception, SystemExit):
                importlib.import_module(name)
            if has_threads():
                return TemplateState(name)
    return TemplateState()


def has_threads(tasks: Path = Path("/proc/self/task")) -> bool:
    """Whether a copy of this process would lack a thread that it may need, one of a native library for instance."""
    try:
        names = [(task / "comm").read_text().strip() for task in tasks.iterdir()]
    except OSError:
        return threading.active_count() > 1
    return sum(name not in _FORKED_WITH_CARE for name in names) > 1


def fork_worker(request: ForkWorker, serve: Serve) -> ForkedWorkerId:
    """Fork a worker that calls `serve`. Raises `WorkerError` where the system has no room for it."""
    with socket.socket(fileno=os.dup(request.control)) as control:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 2)
    template = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        raise WorkerError(f"a worker cannot be forked: {error.strerror}") from None
    if pid == 0:
        _become_worker(serve, template, *descriptors)
    with contextlib.suppress(OSError):  # it may have done so itself, and even ended
        os.setpgid(pid, pid)
    for descriptor in descriptors:
        os.close(descriptor)
    return ForkedWorkerId(pid)


def _become_worker(serve: Serve, template: int, connection: int, stderr: int) -> NoReturn:
    """Serve as a worker that was started would, in a process group of its own, and end."""
    global _environment
    try:
        os.setpgid(0, 0)
        os.dup2(stderr, 2)
        os.close(stderr)
        _environment = dict(os.environ)
        serve(connection, template)
    finally:
        os._exit(1)


def reap_worker(request: ReapWorker) -> ExitStatus:
    """Wait for a worker's end."""
    return ExitStatus(os.waitstatus_to_exitcode(os.waitpid(request.pid, 0)[1]))


def list_libraries(request: ListLibraries) -> LibrariesInUse:
    """The modules of libraries by their own names, and the variables that were changed since the fork."""
    names = [name for name, module in sys.modules.items() if _is_library(name, module, request.own)]
    changes = _environment.items() ^ os.environ.items()
    return LibrariesInUse(tuple(names), tuple(sorted({name for name, _ in changes})))


def _is_library(name: str, module: object, own: str) -> bool:
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.name != name or (own and name.partition(".")[0] == own):
        return False
    return not spec.has_location or is_foreign(spec.origin or "<unknown>")
