"""The process's own stderr and signals: neither a closed stream nor a polite kill may turn into a wrong exit code."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

POLITE = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Forgiving(io.FileIO):
    """A descriptor that loses what cannot be written to it: a message that nobody can read changes no exit code."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or len(data)
        except OSError:
            return len(data)


def guard_stderr() -> None:
    """Put a stderr in place that is always there and never fails: Python would end with 1, or write to stdout."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - it lives as long as the process
        return
    raw = _Forgiving(sys.stderr.fileno(), "w", closefd=False)
    encoding, errors = sys.stderr.encoding, sys.stderr.errors
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=True)


class Interruption:
    """What broke a run off: Ctrl-C, or a signal that asks for an end as Ctrl-C does.

    A library may swallow what a signal raises (pyarrow does, where it looks for pandas): then the next step of the run
    raises it again, by `raise_swallowed`.
    """

    current: "ClassVar[Interruption | None]" = None

    def __init__(self) -> None:
        self.number: int = signal.SIGINT
        self._has_come = False

    @property
    def exit_code(self) -> int:
        """As a shell tells a death by signal."""
        return 128 + self.number

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While it lasts, SIGTERM and SIGHUP do what Ctrl-C does: workers end, folders go, what is known is kept.

        A signal that is ignored (`nohup`) stays so. Only the main thread may listen; in another nothing changes.
        """
        before: dict[int, Any] = {}
        Interruption.current = self
        try:
            with contextlib.suppress(ValueError):
                for number in POLITE:
                    if signal.getsignal(number) == signal.SIG_DFL:
                        before[number] = signal.signal(number, self._interrupt)
            yield
        finally:
            Interruption.current = None
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, number: int, _: object) -> None:
        self.number, self._has_come = number, True
        raise KeyboardInterrupt

    @classmethod
    def raise_swallowed(cls) -> None:
        """Raise `KeyboardInterrupt` when a signal has come, and the run goes on nevertheless."""
        if cls.current is not None and cls.current._has_come:
            raise KeyboardInterrupt
