"""The event loop of a generator: which one, what a signal does to it, and that nothing is collected meanwhile."""

import asyncio
import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from infer_bench.errors import CannotRun, MissingDependency
from infer_bench.machine.open_files import allow_connections

T = TypeVar("T")


def require_connections(count: int) -> None:
    """Raise `CannotRun` where this process may not have so many open."""
    allowed = allow_connections(count)
    if allowed < count:
        raise CannotRun(f"{allowed:,} connections may be open at a time, not {count:,}", "raise it with `ulimit -n`")


def run_in_loop(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` in an event loop of uvloop (on Windows, where there is none, of asyncio), without garbage collection.

    A signal that a Python function handles cancels `main`, then has that function called. Raises `MissingDependency`
    where a library of the generator is not installed.
    """
    try:
        import httptools  # noqa: F401 - its absence is to be told before anything else
    except ImportError:
        raise MissingDependency("httptools", "load") from None
    with (
        _without_collections(),
        Interruptions() as interruptions,
        asyncio.Runner(loop_factory=_choose_loop()) as runner,
        contextlib.suppress(asyncio.CancelledError),
    ):
        return runner.run(interruptions.watch(main))
    interruptions.tell()
    raise KeyboardInterrupt


def _choose_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        if sys.platform != "win32":
            raise MissingDependency("uvloop", "load") from None
        return None
    return uvloop.new_event_loop


class Interruptions:
    """Signals that come while an event loop runs: they end what runs in it, and nothing is raised in its midst."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._number: int | None = None

    def __enter__(self) -> "Interruptions":
        numbers = (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
        handlers = {number: signal.getsignal(number) for number in numbers if number is not None}
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    async def watch(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `main` until it ends or a signal comes."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        for number in self._handlers:
            with contextlib.suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, self._cancel, task, number)
        return await main()

    def _cancel(self, task: "asyncio.Task[Any] | None", number: int) -> None:
        self._number = number
        if task is not None:
            task.cancel()

    def tell(self) -> None:
        """Call what handles the signal that came; it may raise."""
        if self._number is not None:
            self._handlers[self._number](self._number, None)


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """A collection would delay what is due in the meantime."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
