"""What a template is asked, and what one of its workers is asked for the template's sake."""

from dataclasses import dataclass

from infer_bench.workers.protocol import Request


@dataclass(frozen=True, slots=True)
class TemplateState:
    """Whether a process can still be forked: `obstacle` is the module that started a thread, empty where none did.

    A copy lacks all threads but one, and hangs where it waits for another.
    """

    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class ImportLibraries(Request[TemplateState]):
    """Import modules by their full names, passing over those that cannot be imported."""

    title = "libraries"
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForkedWorkerId:
    """The process number of a worker that was forked."""

    pid: int


@dataclass(frozen=True, slots=True)
class ForkWorker(Request[ForkedWorkerId]):
    """Fork a worker, which answers on a connection of its own.

    `control` is an inherited socket from which that connection's descriptor is received, and that of its stderr.
    """

    title = "fork"
    control: int


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: its exit code, negative for a signal."""

    code: int


@dataclass(frozen=True, slots=True)
class ReapWorker(Request[ExitStatus]):
    """Wait for a worker that has ended, or is about to."""

    title = "reap"
    pid: int


@dataclass(frozen=True, slots=True)
class LibrariesInUse:
    """The libraries' `modules` that a worker holds, in the order in which they were imported.

    `variables` are those of the environment that have changed since it was forked.
    """

    modules: tuple[str, ...]
    variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListLibraries(Request[LibrariesInUse]):
    """Which modules a template had better import before it forks the next worker: those of libraries.

    Not those of the package `own`, which is to be loaded anew each time, wherever it is installed.
    """

    title = "imports"
    own: str
