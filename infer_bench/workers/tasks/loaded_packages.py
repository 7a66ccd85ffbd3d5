"""Which packages a worker has imported, and how large they are where they are installed."""

import importlib.metadata
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infer_bench.workers.protocol import Request

OWN = "infer-bench"


@dataclass(frozen=True, slots=True)
class LoadedPackages:
    """Bytes of the installed files by distribution; what belongs to none, such as the standard library, is left out."""

    bytes_by_name: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ListPackages(Request[LoadedPackages]):
    """List the distributions of which a module has been imported."""

    title = "packages"


def list_packages(_: ListPackages) -> LoadedPackages:
    """Of infer-bench itself nothing, nor of modules that were kept from being imported."""
    imported = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
    owners = importlib.metadata.packages_distributions()
    names = sorted({name for module in imported for name in owners.get(module, ()) if name != OWN})
    return LoadedPackages({name: _measure_files(name) for name in names})


def _measure_files(name: str) -> int:
    files = importlib.metadata.distribution(name).files or ()
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file())
