"""How a measurement tells how far it is: through a protocol whose default does nothing."""

from typing import Protocol


class Progress(Protocol):
    """Called by the coordinator between blocks only, so that drawing never runs beside a measurement."""

    def update(self, done: float, message: str) -> None:
        """`done` is the fraction from 0 to 1, `message` what is going on."""


class Silent:
    """Shows nothing."""

    def update(self, done: float, message: str) -> None:
        """Ignore it."""
