"""skops files: a zip of arrays and a JSON schema that names the types; they too are opened only when all are known."""

import os
import zipfile
from pathlib import Path
from typing import Any

from infer_bench.errors import MissingDependency, ModelError, UnsafePickle
from infer_bench.formats.pickles.allowed import ALLOWED


def load_skops(path: str | os.PathLike[str], allow_pickle: bool = False) -> Any:
    """The object in a skops file.

    Raises `UnsafePickle` naming the first type that is not on the list, unless `allow_pickle`.
    """
    try:
        from skops import io
    except ImportError:
        raise MissingDependency("skops", "sklearn") from None
    name = Path(path).name
    try:
        unknown = sorted(io.get_untrusted_types(file=path))
        unlisted = [kind for kind in unknown if kind not in ALLOWED]
        if unlisted and not allow_pickle:
            raise UnsafePickle(
                f"{name} holds the type {unlisted[0]}, which is not on the list of known classes",
                "pass --allow-pickle only if you trust who made the file",
            )
        return io.load(path, trusted=unknown)
    except (ModelError, MemoryError):
        raise
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise ModelError(f"cannot read {name}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a type's own loading may raise anything
        raise ModelError(f"{name} cannot be loaded by skops: {type(error).__name__}: {error}"[:300]) from None
