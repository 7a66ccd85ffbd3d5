"""What a pickle or joblib file would import, told without importing it."""

import os
import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infer_bench.errors import ModelError
from infer_bench.formats.pickles.streams import BROKEN, BoundedReader, open_pickle
from infer_bench.formats.pickles.symbolic import Symbolic
from infer_bench.formats.pickles.values import Global, Instance

_MALFORMED = (
    pickle.UnpicklingError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    MemoryError,
    RecursionError,
    OverflowError,
    LookupError,
    struct.error,
    *BROKEN,
)
_CUT_OFF = ("truncated", "exhausted", "end-of-stream", "no newline found", "unpack requires")


@dataclass(frozen=True, slots=True)
class PickleScan:
    """What a pickle does, in the order it does it.

    `names` are the globals it imports, `calls` those it calls, `oddities` what no ordinary pickle does. `root` is the
    class of the object it gives (`builtins.dict` for a dict), None when that cannot be told; `root_is_global` says that
    it gives the class or function itself. `joblib` says that arrays stand in the stream as joblib writes them, `size`
    how many bytes it has when decompressed. `sklearn_versions` are those of scikit-learn that saved its estimators.
    """

    names: tuple[str, ...]
    calls: frozenset[str]
    oddities: tuple[str, ...]
    root: str | None
    root_is_global: bool
    joblib: bool
    compression: str
    size: int
    sklearn_versions: tuple[str, ...] = ()

    @property
    def globals(self) -> frozenset[str]:
        """The globals it imports."""
        return frozenset(self.names)


def scan(path: str | os.PathLike[str]) -> PickleScan:
    """Run the file symbolically. Raises `ModelError` when it is no whole pickle.

    `UnsafePickle` is raised when it refers to what lies outside of the file.
    """
    result, broken = examine(path)
    if broken is not None:
        raise broken
    return result


def examine(path: str | os.PathLike[str]) -> tuple[PickleScan, ModelError | None]:
    """As `scan`, but what was seen before the file broke is returned beside the error."""
    source, packed, file = open_pickle(path)
    with file:
        machine = Symbolic(source)
        root, broken = _execute(machine, Path(path).name)
    return _summary(machine, root, packed, source), broken


def _execute(machine: Symbolic, name: str) -> tuple[Any, ModelError | None]:
    try:
        return machine.load(), None
    except ModelError as error:
        return None, error
    except EOFError:
        return None, ModelError(f"{name} ends early: it is truncated")
    except _MALFORMED as error:
        if machine.cut_off or any(word in str(error) for word in _CUT_OFF):
            return None, ModelError(f"{name} ends early: it is truncated")
        return None, ModelError(f"{name} is not a well-formed pickle: {type(error).__name__}: {error}"[:300])


def _summary(machine: Symbolic, root: Any, packed: str, source: BoundedReader) -> PickleScan:
    return PickleScan(
        names=tuple(machine.names),
        calls=frozenset(machine.calls),
        oddities=tuple(dict.fromkeys(machine.oddities)),
        root=_class_name(root),
        root_is_global=isinstance(root, Global),
        joblib=machine.arrays > 0,
        compression=packed,
        size=source.position,
        sklearn_versions=tuple(machine.versions),
    )


def _class_name(value: Any) -> str | None:
    if isinstance(value, Global):
        return value.name
    if isinstance(value, Instance):
        return value.name if value.maker is not None else None
    return f"builtins.{type(value).__name__}"
