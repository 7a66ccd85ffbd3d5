"""The SHA-256 of data files, found while others work: a long file takes seconds to hash."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

from infer_bench.errors import DataError


class Digest:
    """The hashes of files; `start` begins in the background what `value` waits for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        self._lock = threading.Lock()
        self._values: dict[int, str] = {}

    def start(self, files: Sequence[int] | None = None) -> None:
        """Begin to hash all files, or those with these places, in a thread that ends with the process."""
        places = range(len(self._files)) if files is None else files
        threading.Thread(target=self._quietly, args=(tuple(places),), daemon=True).start()

    def _quietly(self, places: Sequence[int]) -> None:
        try:
            for place in places:
                self.value_of(place)
        except DataError:
            return  # whoever asks for the value is told

    @property
    def known(self) -> str:
        """The hash of all, or nothing while it is not yet found."""
        return self.value() if len(self._values) == len(self._files) else ""

    def value(self) -> str:
        """The hash of all, in hexadecimal. Raises `DataError` when a file can no longer be read."""
        return join_hashes([file.name for file in self._files], [self.value_of(i) for i in range(len(self._files))])

    def value_of(self, place: int) -> str:
        """The hash of one file's bytes. Raises `DataError` when it can no longer be read."""
        with self._lock:
            if place not in self._values:
                self._values[place] = _hash(self._files[place])
            return self._values[place]


def join_hashes(names: Sequence[str], hashes: Sequence[str]) -> str:
    """The hash of files: that of the only one, or the SHA-256 of lines of each file's hash and name."""
    if len(hashes) == 1:
        return hashes[0]
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in zip(names, hashes, strict=True))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def hash_ends(path: str | Path, size: int = 1 << 16) -> str:
    """A quick mark of a file's content: the SHA-256 of its first and last bytes. Raises `DataError`."""
    try:
        with open(path, "rb") as stream:
            ends = hashlib.sha256(stream.read(size))
            stream.seek(-min(size, stream.seek(0, 2)), 2)
            ends.update(stream.read())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    return ends.hexdigest()


def _hash(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
