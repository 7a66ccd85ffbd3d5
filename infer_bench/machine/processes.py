"""What the kernel tells of other processes and of the memory that is left for them."""

import os
from pathlib import Path

from infer_bench.machine import cgroups
from infer_bench.machine.files import read_text


def resident_bytes(pid: int, root: Path = Path("/")) -> int:
    """The resident memory of a process; 0 where it cannot be read."""
    fields = read_text(root / f"proc/{pid}/statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 1 and fields[1].isdigit() else 0


def storage_read_bytes(pid: int, root: Path = Path("/")) -> int:
    """What a process has caused to be read from a disk, not from memory; 0 where it cannot be read."""
    return _read_number(root / f"proc/{pid}/io", "read_bytes")


def available_memory_bytes(root: Path = Path("/")) -> int:
    """What processes can have without others losing theirs, by the kernel's estimate; 0 where it cannot be read.

    At most the cgroup's limit.
    """
    available = _read_number(root / "proc/meminfo", "MemAvailable") * 1024
    limit = cgroups.memory_limit(root)
    return available if limit is None else min(available, limit)


def _read_number(path: Path, name: str) -> int:
    """The number behind `name:` in a file of such lines; 0 without one."""
    for line in read_text(path).splitlines():
        key, _, value = line.partition(":")
        number = value.split()[:1]
        if key.strip() == name and number and number[0].isdigit():
            return int(number[0])
    return 0
