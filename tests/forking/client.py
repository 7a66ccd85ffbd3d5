"""The side of those who want a process forked: the tests' own process, and what was forked from a template.

A template and `start.py` have nothing else of the tests: this imports nothing but the standard library at first.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

ADDRESS = "INFER_BENCH_TESTS_BROKER"
"""The variable that holds the path of the broker's socket; without it, nothing is forked."""
READ_AT_START = (
    *("PYTHON", "LD_", "MALLOC_", "LANG", "LC_"),
    *("OMP_", "KMP_", "GOMP_", "GOTO_", "OPENBLAS_", "MKL_", "BLIS_", "VECLIB_", "NUMEXPR_", "RAYON_"),
)
"""The variables of these beginnings are read once, by the interpreter or when a library is imported."""
MESSAGE_BYTES = 1 << 18


class TemplateClient:
    """A line to a template. Of one process: a copy of this process needs its own.

    It stays open until the process has ended, whose last step may be to reap one that was forked; so what is kept is
    the descriptor's number, which nothing warns of at exit as it does of a socket.
    """

    def __init__(self, line: socket.socket) -> None:
        self._lock, self._number = Lock(), line.detach()

    def ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> int:
        """Send a request and wait for the number that answers it."""
        with self._lock:
            line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=self._number)
            try:
                socket.send_fds(line, [json.dumps(request).encode()], descriptors)
                return int(line.recv(MESSAGE_BYTES))
            finally:
                line.detach()


class ForkedProcess:
    """As much of `subprocess.Popen` as a worker's owner uses. The process is the template's child, not ours."""

    def __init__(self, pid: int, template: TemplateClient) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._template, self._lock = template, Lock()
        self._end = os.pidfd_open(pid)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal; raises `subprocess.TimeoutExpired`."""
        with self._lock:
            if self.returncode is None:
                if not select.select([self._end], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired("a forked process", timeout or 0)
                os.close(self._end)
                self.returncode = self._template.ask({"reap": self.pid})
        return self.returncode


class ForkedPopen(subprocess.Popen[Any]):
    """A process of this interpreter's, forked where that can be and else started. The other arguments are Popen's."""

    is_started = False
    """Whether it is started in any case, and only what it starts itself is forked."""
    _forked: ForkedProcess | None = None

    def _execute_child(self, args: Any, executable: Any, *rest: Any) -> None:
        """Called by `Popen`, which has made the pipes."""
        preexec, _, shares, folder, env, _, _, shell, *ends, _, gid, gids, uid, mask, is_session, group = rest
        words: list[Any] = [args] if isinstance(args, str | bytes | os.PathLike) else [os.fspath(word) for word in args]
        is_plain = not shell and executable is None and (preexec, gid, gids, uid, mask) == (None, None, None, None, -1)
        command = interpreter_words(words) if is_plain else []
        template = find_template(os.environ if env is None else env) if command and not self.is_started else None
        numbers = [end if end >= 0 else number for number, end in enumerate((ends[0], ends[3], ends[5]))]
        if template is None or not all(map(is_open, numbers)):
            if command and command[0] != "-P":
                args = [sys.executable, str(Path(__file__).with_name("start.py")), *command]
            super()._execute_child(args, executable, *rest)  # type: ignore[misc]
            return
        request = {
            "words": command,
            "environment": dict(os.environ if env is None else env),
            "folder": os.fspath(folder or os.getcwd()),
            "is_session": is_session,
            "group": group,
            "numbers": [0, 1, 2, *shares],
            "forks": True,
        }
        self.pid = template.ask(request, [*numbers, *shares])
        self._forked = ForkedProcess(self.pid, template)
        self._child_created = True
        self._close_pipe_fds(*ends)  # type: ignore[attr-defined]

    def _internal_poll(self, *arguments: Any, **others: Any) -> int | None:
        if self._forked is None:
            return super()._internal_poll(*arguments, **others)  # type: ignore[misc,no-any-return]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.returncode = self._forked.wait(0)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        if self._forked is None:
            return super()._wait(timeout=timeout)  # type: ignore[misc,no-any-return]
        self.returncode = self._forked.wait(timeout)
        return self.returncode


def interpreter_words(words: Sequence[str]) -> list[str]:
    """What follows this interpreter in a command that is a module of the package; else nothing."""
    if words[0] == os.path.join(os.path.dirname(sys.executable), "infer-bench"):
        return ["-P", "-m", "infer_bench", *words[1:]]
    start, module, *_ = [*(word for word in words[1:4] if word != "-P"), "", ""]
    is_module = words[0] == sys.executable and start == "-m" and module.startswith("infer_bench")
    return list(words[1:]) if is_module else []


def is_open(number: int) -> bool:
    """Whether there is such a descriptor."""
    with contextlib.suppress(OSError):
        os.fstat(number)
        return True
    return False


def find_template(
    environment: Mapping[str, str], names: Iterable[str] = (), absent: Iterable[str] = ()
) -> TemplateClient | None:
    """The template in which this environment is in force, as far as it has to be before any import; of `names`, all.

    None for the first processes of a kind, which have to be started, and where nothing is forked.
    """
    address = os.environ.get(ADDRESS)
    if not address or not has_pidfd():
        return None
    early = {name: environment[name] for name in environment if name.startswith(READ_AT_START) or name in names}
    kind = json.dumps([sorted(early.items()), sorted(absent)])
    lines = _lines(os.getpid())
    if kind not in lines:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        line.connect(address)
        line.send(json.dumps({"kind": kind, "environment": dict(environment), "absent": sorted(absent)}).encode())
        if not json.loads(line.recv(MESSAGE_BYTES))["is_forked"]:
            line.close()
            return None
        lines[kind] = TemplateClient(line)
    return lines[kind]


@cache
def _lines(pid: int) -> dict[str, TemplateClient]:
    """This process's lines to templates, by their kind."""
    return {}


@cache
def has_pidfd() -> bool:
    """Whether this system tells of the end of a process that is not a child."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class Forking:
    """The forking of this process's workers. Nothing is forked while not `is_active`."""

    def __init__(self) -> None:
        self.is_active = True

    def install(self) -> None:
        """Have workers forked from here on."""
        from infer_bench.workers.process import Worker

        start = Worker._start

        def fork_or_start(worker: Worker, command: Sequence[str], shares: Sequence[int]) -> Any:
            template = self._find_template(worker.job)
            if template is None:
                return start(worker, command, shares)
            job, stderr = worker.job, worker._stderr.fileno()
            request = {
                "words": [*command[1:], ""],
                "environment": {**os.environ, **job.environment},
                "folder": job.folder,
                "is_session": True,
                "group": -1,
                "numbers": [0, 1, 2, *shares],
                "forks": False,
            }
            with open(os.devnull, "r+b") as nothing:
                pid = template.ask(request, [nothing.fileno(), nothing.fileno(), stderr, *shares])
            return ForkedProcess(pid, template)

        Worker._start = fork_or_start  # type: ignore[method-assign,assignment]

    def _find_template(self, job: Any) -> TemplateClient | None:
        if not self.is_active or job.interpreter or job.affinity:
            return None
        return find_template({**os.environ, **job.environment}, job.environment, job.lean)


class WorkerFinder(MetaPathFinder):
    """Has workers forked as soon as there is a module that starts them."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The module, at whose end workers are forked."""
        if name != "infer_bench.workers.process":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def execute_and_install(module: ModuleType) -> None:
            execute(module)
            Forking().install()

        spec.loader.exec_module = execute_and_install  # type: ignore[method-assign]
        return spec


def install(*, own_children: bool = False) -> None:
    """Have forked whatever this process starts of the package, without importing it for that.

    With `own_children`, commands are started, and only their workers forked."""
    ForkedPopen.is_started = own_children
    subprocess.Popen = ForkedPopen  # type: ignore[misc]
    if "infer_bench.workers.process" in sys.modules:
        Forking().install()
    else:
        sys.meta_path.insert(0, WorkerFinder())


class BrokerProcess:
    """The broker, which ends with this process."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="infer-bench-tests-")
        path = os.path.join(self._folder, "broker")
        self._line, theirs = socket.socketpair()
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(path)
            listener.listen(128)
            numbers = (listener.fileno(), theirs.fileno())
            script = str(Path(__file__).with_name("broker.py"))
            self._process = subprocess.Popen(
                [sys.executable, "-P", script, *map(str, numbers)],
                stdin=subprocess.DEVNULL, pass_fds=numbers, start_new_session=True,
            )  # fmt: skip
        os.environ[ADDRESS] = path

    def close(self) -> None:
        """End it, and with it all templates."""
        del os.environ[ADDRESS]
        self._line.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
