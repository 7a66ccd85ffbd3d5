"""Entry points of any group: what is installed, and one of them loaded. Nothing is imported before it is asked for."""

import functools
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from infer_bench.errors import CannotRun, UsageError
from infer_bench.installed import core_fault

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

__all__ = ["find", "find_points", "load", "names", "target"]


def names(group: str) -> tuple[str, ...]:
    """The names of a group's plug-ins, sorted."""
    return tuple(sorted(find_points(group)))


def target(group: str, name: str) -> str:
    """Where a plug-in lives, as `module:attribute`; it is not imported. Raises `UsageError` for an unknown name."""
    return _point(group, name).value


def find(group: str, name: str) -> object:
    """One plug-in, loaded. Raises `UsageError` for an unknown name, `CannotRun` when its import fails."""
    point = _point(group, name)
    try:
        plugin: object = point.load()
    except Exception as error:  # a plug-in is foreign code: it may raise anything
        raise core_fault(error) or _broken(point, error) from error
    return plugin


def load(group: str) -> dict[str, object]:
    """All plug-ins of a group, loaded, by name."""
    return {name: find(group, name) for name in names(group)}


def find_points(group: str) -> Mapping[str, "EntryPoint"]:
    """A group's entry points by name. What is installed is read once for a search path: that takes 10 ms each time."""
    from importlib import metadata  # 15 ms that `--version` need not pay

    return _read_points(group, metadata.entry_points, tuple(sys.path))


@functools.cache
def _read_points(
    group: str, read: "Callable[..., EntryPoints]", search_path: tuple[str, ...]
) -> Mapping[str, "EntryPoint"]:
    return {point.name: point for point in read(group=group)}


def _point(group: str, name: str) -> "EntryPoint":
    points = find_points(group)
    if name not in points:
        kind = group.rpartition(".")[2].removesuffix("s")
        hint = f"known: {', '.join(sorted(points))}" if points else "none is installed: pip install infer-bench"
        raise UsageError(f"there is no {kind} {name!r}", hint)
    return points[name]


def _broken(point: "EntryPoint", error: Exception) -> CannotRun:
    owner = point.dist.name if point.dist else "its package"
    return CannotRun(
        f"the plug-in {point.name} ({point.value}) cannot be loaded: {type(error).__name__}: {error}",
        f"upgrade or uninstall {owner}",
    )
