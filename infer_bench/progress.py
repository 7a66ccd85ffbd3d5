"""How a measurement tells how far it is: through a protocol whose default does nothing."""

from typing import Protocol


class Progress(Protocol):
    """Called by the coordinator between blocks only, so that drawing never runs beside a measurement."""

    def update(self, done: float, message: str) -> None:
        """`done` is the fraction from 0 to 1, `message` what is going on."""

    def announce(self, plan: str, *, always: bool) -> None:
        """Say, once and before anything is timed, what is going to happen and about how long it takes.

        `always`: also where nobody watches.
        """


class Silent:
    """Shows nothing."""

    def update(self, done: float, message: str) -> None:
        """Ignore it."""

    def announce(self, plan: str, *, always: bool) -> None:
        """Ignore it."""
