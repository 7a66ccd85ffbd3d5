"""The models by name: what is compared in both precisions, and what in double alone."""

from collections.abc import Callable
from typing import Any

BOTH: dict[str, Callable[[], Any]] = {}
EXACT: dict[str, Callable[[], Any]] = {}


def add(name: str, build: Callable[[], Any]) -> None:
    """A model to be compared in float32 and in double."""
    assert name not in BOTH
    BOTH[name] = build


def add_exact(name: str, build: Callable[[], Any]) -> None:
    """A model to be compared in double."""
    assert name not in EXACT
    EXACT[name] = build
