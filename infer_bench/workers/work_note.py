"""A note of whose block it is, in a file that a worker and the coordinator share: it is read also when the worker has
died of that block.
"""

import mmap
import os

NOTE_BYTES = 8
"""One more than the number of the session, 0 where no block is under way."""


class WorkNote:
    """The worker's side of the note; `descriptor` is that of the file, inherited from the coordinator."""

    def __init__(self, descriptor: int) -> None:
        self._map = mmap.mmap(descriptor, NOTE_BYTES)

    def write(self, session: int | None) -> None:
        """Note the session whose block begins; None when the last one has ended."""
        self._map[:] = (0 if session is None else session + 1).to_bytes(NOTE_BYTES, "little")


def clear_note(descriptor: int) -> None:
    """Make the file ready for a worker."""
    os.truncate(descriptor, 0)
    os.truncate(descriptor, NOTE_BYTES)


def read_note(descriptor: int) -> int | None:
    """The session whose block is under way, or was when the worker died."""
    number = int.from_bytes(os.pread(descriptor, NOTE_BYTES, 0), "little")
    return number - 1 if number else None
