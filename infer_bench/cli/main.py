"""Runs a command and maps every way that it can end to an exit code, here and nowhere else."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NoReturn

from infer_bench.cli.command_line import keep_arguments
from infer_bench.cli.streams import Interruption
from infer_bench.errors import CannotRun, InferBenchError, UsageError

INTERRUPTED = 128 + signal.SIGINT
CLOSED_PIPE = 128 + 13  # SIGPIPE, which Windows does not name
BUG = 70  # EX_SOFTWARE of sysexits.h


def find_app(arguments: Sequence[str]) -> Callable[..., object]:
    """What answers a command line.

    Without Typer: a page of help, a word on what is misspelt, or a plain command line. Else the command tree.
    """
    from infer_bench.cli.help import find_page
    from infer_bench.cli.plain import find_plain_command
    from infer_bench.cli.usage import find_misspelling

    page = find_page(arguments)
    if page is not None:
        return page
    error = find_misspelling(arguments)
    if error is not None:
        return partial(_fail, error)
    command = find_plain_command(arguments)
    if command is not None:
        return command
    from infer_bench.cli.app import build_for

    return build_for(arguments)


def _fail(error: UsageError, **_: object) -> NoReturn:
    raise error


def run(arguments: Sequence[str], app: Callable[..., object] | None = None, begin_ns: int | None = None) -> int:
    """Run the command line `arguments`; returns the exit code. The process began at `begin_ns` of the clock."""
    if app is None:
        app = find_app(arguments)
    end = Interruption()
    try:
        with end.listening(), keep_arguments(arguments, begin_ns):
            code = app(args=list(arguments), prog_name="infer-bench", standalone_mode=False)
        if code == INTERRUPTED:  # what Typer makes of Ctrl-C
            return _tell_interruption(end)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except InferBenchError as error:
        return _tell(error)
    except KeyboardInterrupt:
        return _tell_interruption(end)
    except BrokenPipeError:
        return _leave_closed_pipe()
    except (OSError, MemoryError) as error:
        return _tell(_describe_obstacle(error))
    except Exception as error:  # noqa: BLE001 - the last resort, which says that it is a bug
        return _tell_other(error, arguments, end)


def _tell(error: InferBenchError) -> int:
    print(f"error: {error.message}", file=sys.stderr)
    for frame in error.frames:
        print(f"  {frame}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_code


def _tell_other(error: Exception, arguments: Sequence[str], end: Interruption) -> int:
    """What Typer raises, a library that is broken, or a bug."""
    if "typer" in sys.modules:
        from typer.exceptions import Abort, Exit, TyperException

        if isinstance(error, TyperException):
            return _tell_usage(error, arguments)
        if isinstance(error, Exit):
            return error.exit_code
        if isinstance(error, Abort):
            return _tell_interruption(end)
    from infer_bench.installed import core_fault

    fault = core_fault(error)
    return _tell(fault) if fault else _tell_bug(error)


def _describe_obstacle(error: OSError | MemoryError) -> CannotRun:
    """A full disk, too many open files, no memory: nothing that infer-bench could have done better."""
    if os.environ.get("INFER_BENCH_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return CannotRun(": ".join(filter(None, ["out of memory", str(error)])))
    place = f" ({error.filename})" if error.filename else ""
    return CannotRun(f"the machine stands in the way: {error.strerror or str(error) or type(error).__name__}{place}")


def _tell_usage(error: Any, arguments: Sequence[str]) -> int:
    from infer_bench.cli.usage import translate

    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message(), file=sys.stderr)
        return UsageError.exit_code
    return _tell(translate(error, arguments))


def _tell_interruption(end: Interruption) -> int:
    print("interrupted", file=sys.stderr)
    return end.exit_code


def _leave_closed_pipe() -> int:
    # What is still buffered can't be written either: keep the interpreter from trying at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _tell_bug(error: Exception) -> int:
    import traceback

    if os.environ.get("INFER_BENCH_DEBUG"):
        traceback.print_exc()
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(place.filename)}:{place.lineno}"
    print(f"error: a bug in infer-bench: {type(error).__name__}: {error} ({where})", file=sys.stderr)
    print("hint: INFER_BENCH_DEBUG=1 shows the traceback; please report it", file=sys.stderr)
    return BUG
