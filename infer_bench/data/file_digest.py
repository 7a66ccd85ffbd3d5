"""The SHA-256 of a data file, found while others work: a long file takes seconds to hash."""

import hashlib
import threading
from pathlib import Path

from infer_bench.errors import DataError


class Digest:
    """The hash of a file's bytes; `start` begins in the background what `value` waits for."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._value = ""

    def start(self) -> None:
        """Begin to hash, in a thread that ends with the process."""
        threading.Thread(target=self._quietly, daemon=True).start()

    def _quietly(self) -> None:
        try:
            self.value()
        except DataError:
            return  # whoever asks for the value is told

    @property
    def known(self) -> str:
        """The hash, or nothing while it is not yet found."""
        return self._value

    def value(self) -> str:
        """The hash, in hexadecimal. Raises `DataError` when the file can no longer be read."""
        with self._lock:
            if not self._value:
                try:
                    with self._file.open("rb") as stream:
                        self._value = hashlib.file_digest(stream, "sha256").hexdigest()
                except OSError as error:
                    raise DataError(f"cannot read {self._file}: {error.strerror}") from None
            return self._value
