"""The frozen types of a part: what a report on some of the rows holds for others to be added to it. See `common`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartFile:
    """A data file: its name, its size, and the rows of each of its row groups (of blocks in a format without them).

    `sha256` is known to the part that has the first rows of the file, and `ends_sha256`, of its ends of 64 KiB, to all.
    """

    name: str
    bytes: int
    row_groups: tuple[int, ...]
    ends_sha256: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RowGroups:
    """Row groups `first` to `last` of the file with this place among the files, which hold so many rows."""

    file: int
    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class Part:
    """Part `index` of `of`, from 1 on: which rows it has of which files, and what came of them.

    `models`, `engines` and `data` are as they were given to the command that made it. `state` holds what adds up
    exactly: MessagePack, deflated, in base64.
    """

    index: int
    of: int
    first_row: int | None
    rows: int
    row_groups: tuple[RowGroups, ...]
    files: tuple[PartFile, ...]
    models: tuple[str, ...]
    engines: tuple[str, ...]
    data: str
    state: str
    elapsed_ns: int = 0
