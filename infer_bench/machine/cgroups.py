"""The limits of Linux control groups, version 1 and 2: CPU quota, memory, and time spent held back.

`os.cpu_count` and `sched_getaffinity` both miss a quota. A limit on any group above binds too, so each is walked up to
the root. `root` is the folder that holds `proc` and `sys`. Nothing here raises: what cannot be read is no limit.
"""

from collections.abc import Iterator
from pathlib import Path

from infer_bench.machine.files import read_text

_UNLIMITED = 1 << 60
"""Version 1 writes "no memory limit" as the largest multiple of the page size below 2^63."""


def cpu_quota(root: Path) -> float | None:
    """CPUs' worth of time a period, the tightest on the way up; None without a quota."""
    unified = (_ratio(read_text(folder / "cpu.max")) for folder in _folders(root, ""))
    legacy = (
        _ratio(f"{read_text(folder / 'cpu.cfs_quota_us')} {read_text(folder / 'cpu.cfs_period_us')}")
        for folder in _folders(root, "cpu")
    )
    quotas = [quota for quota in (*unified, *legacy) if quota is not None]
    return min(quotas, default=None)


def memory_limit(root: Path) -> int | None:
    """Bytes, the tightest on the way up; None without a limit."""
    unified = (read_text(folder / "memory.max") for folder in _folders(root, ""))
    legacy = (read_text(folder / "memory.limit_in_bytes") for folder in _folders(root, "memory"))
    limits = [int(text) for text in (*unified, *legacy) if text.isdigit() and 0 < int(text) < _UNLIMITED]
    return min(limits, default=None)


def throttled_ns(root: Path) -> int:
    """Time that the groups of this process were held back by a quota (the largest on the way up); 0 when unknown."""
    unified = (1_000 * _statistic(folder, "throttled_usec") for folder in _folders(root, ""))
    legacy = (_statistic(folder, "throttled_time") for folder in _folders(root, "cpu"))
    return max((*unified, *legacy), default=0)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's group of a controller ("" is version 2), from its own up to the mount's top.

    Inside a container the path is that of the host and may not exist under the mount: the top always counts.
    """
    path = _membership(root, controller)
    if path is None:
        return
    for top in _mounts(root, controller):
        folder = top.joinpath(*(part for part in path.split("/") if part not in ("", "..")))
        while folder != top:
            yield folder
            folder = folder.parent
        yield top


def _membership(root: Path, controller: str) -> str | None:
    """The group's path in /proc/self/cgroup, whose lines read `id:controllers:path`."""
    for line in read_text(root / "proc/self/cgroup").splitlines():
        fields = line.split(":", 2)
        if len(fields) == 3 and controller in fields[1].split(","):
            return fields[2]
    return None


def _mounts(root: Path, controller: str) -> list[Path]:
    """Where the hierarchy is usually mounted; a hybrid system keeps version 2 under `unified`."""
    base = root / "sys/fs/cgroup"
    names = ("cpu", "cpu,cpuacct", "cpuacct,cpu") if controller == "cpu" else (controller or "unified",)
    folders = [base / name for name in names if (base / name).is_dir()]
    return [base, *folders] if not controller else folders[:1]


def _ratio(text: str) -> float | None:
    """`quota period` as CPUs; "max" and -1 mean no quota."""
    fields = text.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    quota, period = int(fields[0]), int(fields[1])
    return quota / period if quota > 0 and period > 0 else None


def _statistic(folder: Path, name: str) -> int:
    for line in read_text(folder / "cpu.stat").splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.strip().isdigit():
            return int(value)
    return 0
