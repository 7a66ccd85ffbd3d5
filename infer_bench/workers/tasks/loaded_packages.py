"""Which packages a worker needed to open its model, and how large they are where they are installed."""

import contextlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infer_bench.workers.protocol import Request

OWN = "infer-bench"
_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class LoadedPackages:
    """Bytes of the installed files by distribution; what belongs to none, such as the standard library, is left out."""

    bytes_by_name: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ListPackages(Request[LoadedPackages]):
    """List the distributions that were imported and that `modules` (top-level names) or what these require come from.

    What a library imports only because it happens to be there, such as pandas or PyTorch, is no need.
    """

    title = "packages"
    modules: tuple[str, ...]


def list_packages(request: ListPackages) -> LoadedPackages:
    """Of infer-bench itself nothing, nor of modules that were kept from being imported."""
    owners = importlib.metadata.packages_distributions()
    imported = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
    there = {_normalise(name): name for module in imported for name in owners.get(module, ()) if name != OWN}
    needed = _close(_normalise(name) for module in request.modules for name in owners.get(module, ()))
    return LoadedPackages({there[name]: _measure_files(there[name]) for name in sorted(there.keys() & needed)})


def _close(names: Iterable[str]) -> set[str]:
    """The distributions with all that they require, extras left out."""
    needed, pending = set[str](), list(names)
    while pending:
        name = pending.pop()
        if name in needed:
            continue
        needed.add(name)
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            pending += map(_read_name, filter(_is_plain, importlib.metadata.requires(name) or ()))
    return needed


def _is_plain(requirement: str) -> bool:
    """Whether it holds without an extra; one for another platform is not imported here."""
    return "extra" not in requirement.partition(";")[2]


def _read_name(requirement: str) -> str:
    name = _NAME.match(requirement)
    return _normalise(name[0]) if name else ""


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _measure_files(name: str) -> int:
    files = importlib.metadata.distribution(name).files or ()
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file())
