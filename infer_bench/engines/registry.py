"""Engines by name: those of infer-bench and of any package that adds an `infer_bench.engines` entry point."""

import functools
import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from infer_bench.errors import EngineError, UsageError
from infer_bench.libraries import LIBRARIES, ModelLibrary, of_engine
from infer_bench.plugins import find_points

if TYPE_CHECKING:
    from infer_bench.engines.base import Engine

GROUP = "infer_bench.engines"

BUILT_IN: Mapping[str, str] = {library.engine: library.target for library in LIBRARIES}
"""Known even where the distribution's metadata is absent, as in a worker of another environment."""

__all__ = ["BUILT_IN", "GROUP", "EngineInfo", "available", "get", "load", "names", "target"]


class EngineInfo(NamedTuple):
    """What can be said of an engine without importing its library. `version` is None when the library is missing.

    `problem` says why an engine cannot be loaded at all; `install` is the command that mends either.
    """

    name: str
    formats: frozenset[str] = frozenset()
    requires: tuple[str, ...] = ()
    version: str | None = None
    install: str = ""
    problem: str = ""


def names() -> tuple[str, ...]:
    """The engines that can be asked for, sorted."""
    return tuple(sorted(_targets()))


def target(name: str) -> str:
    """Where an engine lives, as `module:Class`. Raises `UsageError` for an unknown name."""
    targets = _targets()
    if name not in targets:
        from difflib import get_close_matches

        close = get_close_matches(name, targets, n=1)
        suggestion = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"there is no engine {name!r}", f"{suggestion}known: {', '.join(sorted(targets))}")
    return targets[name]


def get(name: str) -> "Engine":
    """An engine, made anew. Raises `UsageError` for an unknown name, `EngineError` when it cannot be loaded."""
    return load(target(name))


def load(target: str) -> "Engine":
    """The engine at `module:Class`, made anew. Raises `EngineError` when there is none or it fails."""
    module, _, name = target.partition(":")
    try:
        engine = getattr(importlib.import_module(module), name)
        return cast("Engine", engine() if isinstance(engine, type) else engine)
    except Exception as error:  # an engine from outside is foreign code: it may raise anything
        raise EngineError(f"the engine {target} cannot be loaded: {type(error).__name__}: {error}") from error


def available() -> list[EngineInfo]:
    """What is known of each engine, sorted by name; no engine's library is imported."""
    return [_info(name, where) for name, where in sorted(_targets().items())]


def _targets() -> dict[str, str]:
    return {**BUILT_IN, **{name: point.value for name, point in find_points(GROUP).items()}}


def _info(name: str, where: str) -> EngineInfo:
    library = of_engine(name)
    engine: ModelLibrary | Engine
    if library is not None and library.target == where:
        engine = library
    else:
        try:
            engine = load(where)
        except EngineError as error:
            return EngineInfo(name, problem=error.message)
    missing = [module for module in engine.requires if not _present(module)]
    version = None if missing else _version(name, engine.requires)
    install = f"pip install 'infer-bench[{engine.extra}]'" if engine.extra else ""
    problem = f"{', '.join(missing)} is not installed" if missing else ""
    return EngineInfo(name, frozenset(engine.formats), tuple(engine.requires), version, install, problem)


def _present(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _version(name: str, requires: tuple[str, ...]) -> str:
    """The version of the first required module's distribution; several may provide it, as xgboost-cpu does xgboost."""
    if not requires:
        return "built-in"
    library = of_engine(name)
    usual = (*(library.packages if library else ()), requires[0])
    return _first_version(usual) or _first_version(_owners().get(requires[0], ())) or "unknown"


def _first_version(distributions: Sequence[str]) -> str:
    """That of the first distribution that is there; empty without any."""
    import importlib.metadata  # four times as long as Python itself, and most commands name their engines

    for distribution in distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


@functools.cache
def _owners() -> Mapping[str, Sequence[str]]:
    """The distributions of each module. It takes reading the records of all that is installed."""
    import importlib.metadata

    return importlib.metadata.packages_distributions()
