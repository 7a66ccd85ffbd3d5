"""Opening a pickle or joblib file: only when everything it imports is on the list, or when the user trusts it."""

import functools
import hashlib
import os
import pickle
from pathlib import Path
from typing import Any, ClassVar

from infer_bench.errors import MissingDependency, ModelError, UnsafePickle
from infer_bench.formats.pickles.allowed import ALLOWED, CALLABLE, modern, permitted
from infer_bench.formats.pickles.arrays import ArrayData, check_frame
from infer_bench.formats.pickles.scanning import PickleScan, examine
from infer_bench.formats.pickles.streams import open_pickle
from infer_bench.formats.pickles.symbolic import ARRAY_WRAPPER, PythonUnpickler
from infer_bench.formats.pickles.versions import broken_by_version
from infer_bench.libraries import of_module

MOST_REASON = 120
_HINT = "a pickle is code: pass --allow-pickle only if you trust who made the file"


def check(path: str | os.PathLike[str], allow_pickle: bool = False) -> PickleScan:
    """The file's scan. Raises `UnsafePickle`, naming the first global that is not on the list, unless `allow_pickle`.

    A file that is no whole pickle raises `ModelError`.
    """
    content, broken = examine(path)
    if not allow_pickle:
        _refuse(content, Path(path).name)
    if broken is not None:
        raise broken
    return content


def load(path: str | os.PathLike[str], allow_pickle: bool = False) -> Any:
    """The object in a pickle or joblib file. Raises as `load_scanned`."""
    return load_scanned(path, allow_pickle)[0]


def load_scanned(path: str | os.PathLike[str], allow_pickle: bool = False) -> tuple[Any, PickleScan]:
    """The object in a pickle or joblib file, and the file's scan.

    Without `allow_pickle` the file is checked first, and each import is checked again when it happens, those of nested
    pickles included. Raises `UnsafePickle` or `ModelError`; `MissingDependency` when a library it needs is absent.
    """
    before, name = _digest(path), Path(path).name
    content = check(path, allow_pickle)
    if _digest(path) != before:
        raise ModelError(f"{name} changed while it was read")
    try:
        return _load_any(path, content) if allow_pickle else _load_listed(path), content
    except ModuleNotFoundError as error:
        reason = f"there is no module {error.name}"
        of_version = broken_by_version(name, content, reason) if _is_sklearn(error.name) else None
        raise of_version or _missing(path, error) from None
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a pickle may raise anything
        reason = _shorten(f"{type(error).__name__}: {error}")
        if _is_of("xgboost", type(error).__module__):
            hint = "in the XGBoost that saved it, save_model(...) it as .json, which newer ones read"
            raise ModelError(f"{name} was saved by an XGBoost that the one here cannot read: {reason}", hint) from None
        other = ModelError(f"{name} cannot be unpickled here: {reason}", "is it of another version?")
        raise broken_by_version(name, content, reason) or other from None


def _is_sklearn(module: str | None) -> bool:
    return _is_of("sklearn", module) and module != "sklearn"


def _is_of(package: str, module: str | None) -> bool:
    return (module or "").partition(".")[0] == package


def _shorten(reason: str) -> str:
    """The first line, without what an error shows of an array's type."""
    line = " ".join(reason.splitlines()[:1])
    return line if len(line) <= MOST_REASON else f"{line[:MOST_REASON].rstrip()}…"


def _refuse(content: PickleScan, name: str) -> None:
    for entry in content.names:
        if entry not in ALLOWED:
            raise UnsafePickle(
                f"{name} is a pickle that imports {entry}, which is not on the list of known classes", _HINT
            )
    for entry in content.names:
        if entry in content.calls and entry not in CALLABLE:
            raise UnsafePickle(f"{name} is a pickle that calls {entry}, which ordinary models do not", _HINT)
    if content.oddities:
        raise UnsafePickle(f"{name} is no ordinary pickle: {content.oddities[0]}", _HINT)


def _load_any(path: str | os.PathLike[str], content: PickleScan) -> Any:
    if content.joblib:
        try:
            import joblib
        except ImportError:
            raise MissingDependency("joblib", "sklearn") from None
        return joblib.load(path)
    source, _, file = open_pickle(path)
    with file:
        return pickle.Unpickler(source).load()  # noqa: S301 - the user said that the file is trusted


def _load_listed(path: str | os.PathLike[str]) -> Any:
    source, _, file = open_pickle(path)
    with file:
        return _Restricted(source).load()


class _Restricted(PythonUnpickler):  # type: ignore[misc]
    """Imports and calls only what is on the list, and reads joblib's arrays where they stand."""

    dispatch: ClassVar[dict[int, Any]] = dict(PythonUnpickler.dispatch)

    def __init__(self, source: Any) -> None:
        super().__init__(source)
        self._source = source
        self._callable: list[Any] = []

    def find_class(self, module: str, name: str) -> Any:
        """A global that is on the list; joblib's description of an array is replaced by our own."""
        full = ".".join(modern(module, name))
        if not permitted(module, name):
            raise UnsafePickle(f"the pickle imports {full}: not on the list of known classes", _HINT)
        if full == ARRAY_WRAPPER:
            return ArrayData
        imported = super().find_class(module, name)
        if full in CALLABLE:
            self._callable.append(imported)
        return imported

    def load_reduce(self) -> None:
        """As ever, when the function may be called."""
        self._check_call(self.stack[-2])
        super().load_reduce()

    def _instantiate(self, kind: Any, args: Any) -> None:
        self._check_call(kind)
        super()._instantiate(kind, args)

    def _check_call(self, function: Any) -> None:
        if not any(function is entry for entry in self._callable):
            raise UnsafePickle(f"the pickle calls {function!r}, which ordinary models do not", _HINT)

    def load_build(self) -> None:
        """As ever, and then the array's data, which follows."""
        target, state = self.stack[-2], self.stack[-1]
        if isinstance(target, functools.partial) and not (isinstance(state, tuple) and state[:1] == (target.func,)):
            raise UnsafePickle("the pickle puts another function into a functools.partial", _HINT)
        super().load_build()
        described = self.stack[-1]
        if isinstance(described, ArrayData):
            check_frame(self)
            nested = described.dtype.hasobject
            self.stack[-1] = _Restricted(self._source).load() if nested else described.read(self._source)

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.REDUCE[0]] = load_reduce


def _digest(path: str | os.PathLike[str]) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None


def _missing(path: str | os.PathLike[str], error: ModuleNotFoundError) -> ModelError | MissingDependency:
    top = (error.name or "").split(".")[0]
    library = of_module(top)
    extra = library.extra if library is not None else "data" if top == "pandas" else ""
    if extra and error.name == top:
        return MissingDependency(top, extra)
    return ModelError(
        f"{Path(path).name} needs the module {error.name}, which is not here", "is it of another version?"
    )
