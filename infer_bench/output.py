"""Where results go: a file that is whole or untouched, or stdout."""

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from infer_bench.errors import OutputError, UsageError
from infer_bench.stdout import write_stdout

__all__ = ["OutputFile", "check_outputs", "write_stdout"]

PROBE_BYTES = 65536
"""What must fit on the disk before a measurement is begun."""


class OutputFile:
    """A file to be written several times, each time as a whole; `-` is stdout.

        with OutputFile("report.json") as output:      # an unwritable path or a full disk is said here
            for round in rounds:
                output.write_atomic(...)               # a reader sees the old bytes or the new ones

    Nothing is created before the first write, and an existing file stays as it is until then. stdout, a pipe or a
    device cannot be replaced, so it gets the last bytes at the end, also when an exception passes through.

    Raises:
        OutputError: the path cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self._path: Path | None = None
        self._stream = self.name == "-"
        self._last: bytes | None = None

    def __enter__(self) -> "OutputFile":
        if self._stream:
            return self
        try:
            self._path = Path(os.path.realpath(self.name))
            self._stream = _is_stream(self._path)
            if self._stream:
                _append(self._path, b"")
            else:
                self._probe(self._path)
        except (OSError, ValueError) as error:
            raise self._failure(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        data, self._last = self._last, None
        if data is None:
            return
        if kind is None:
            self._flush(data)
        else:  # the first error is the one to tell
            with contextlib.suppress(OutputError):
                self._flush(data)

    def write_atomic(self, data: bytes) -> None:
        """Make `data` the whole content. What was there stays until all of it is on the disk."""
        if self._stream or self._path is None:
            self._last = data
            return
        try:
            temporary = _name_temporary(self._path)
            try:
                _create(temporary, data, _read_mode(self._path))
                os.replace(temporary, self._path)
            finally:
                with contextlib.suppress(OSError):
                    temporary.unlink()
        except OSError as error:
            raise self._failure(error) from None

    def _probe(self, path: Path) -> None:
        if path.is_dir() or self.name.endswith("/"):
            raise IsADirectoryError(21, "it is a folder")
        if not path.parent.is_dir():
            raise NotADirectoryError(20, f"there is no folder {path.parent}")
        temporary = _name_temporary(path)
        try:
            _create(temporary, b"\n" * PROBE_BYTES, None)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def _flush(self, data: bytes) -> None:
        if self._path is None:
            write_stdout(data.decode())
            return
        try:
            _append(self._path, data)
        except BrokenPipeError:
            pass  # the reader has seen enough
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or str(error)
        name = self.name or "a file without a name"
        return OutputError(f"cannot write {name}: {reason}", "name a file in a folder that can be written")


def check_outputs(outputs: Mapping[str, str | None], inputs: Iterable[str | None]) -> None:
    """See that no output, each under the option that names it, takes the place of an input or of another output.

    Raises `UsageError` for one that does, or that has no name.
    """
    owners = {os.path.realpath(name): name for name in inputs if name and os.path.isfile(name)}
    for option, name in outputs.items():
        if name is None or name == "-":
            continue
        if not name:
            raise UsageError(f"{option} names no file", "is the variable set that it is taken from?")
        path = os.path.realpath(name)
        if path in owners:
            raise UsageError(f"{option} would overwrite {owners[path]}", "name another file")
        if not _is_stream(Path(path)):
            owners[path] = f"what else is written to {name}"


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _name_temporary(path: Path) -> Path:
    import secrets

    return path.parent / f".infer-bench-{os.getpid()}-{secrets.token_hex(4)}.tmp"


def _read_mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _create(path: Path, data: bytes, mode: int | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(descriptor, "wb") as file:
        if mode is not None:
            os.chmod(path, mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _append(path: Path, data: bytes) -> None:
    # unbuffered: even an empty write reaches the device, and /dev/full says so
    with open(path, "ab", buffering=0) as file:
        rest = memoryview(data)
        count = file.write(rest) or 0
        while count < len(rest):
            rest = rest[count:]
            count = file.write(rest) or 0
