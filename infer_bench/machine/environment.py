"""What this machine and this interpreter are: what a measurement can be compared with, and what can disturb it."""

import os
import platform
import subprocess
import sys
from collections.abc import Collection, Iterable
from importlib import metadata
from pathlib import Path

from infer_bench.libraries import RIVALS
from infer_bench.machine import cgroups
from infer_bench.machine.files import read_text
from infer_bench.report.common import Environment

METADATA_FILES = ("METADATA", "PKG-INFO", "")
"""Of a wheel, of an older installation, and of one that is a single file."""
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


def describe(packages: Iterable[str], root: Path = Path("/")) -> Environment:
    """This machine and interpreter, with the versions of those `packages` (distribution names) that are installed.

    Never raises: what cannot be read is left out, "unknown" or None. `root` is where /proc and /sys are looked for.
    """
    logical = os.cpu_count() or 1
    affinity = _affinity(logical)
    quota = cgroups.cpu_quota(root)
    return Environment(
        os=f"{platform.system()} {platform.release()}".strip(),
        machine=platform.machine(),
        cpu_model=_cpu_model(root),
        cpus_logical=logical,
        cpus_affinity=affinity,
        cpus_quota=quota,
        cpus_effective=float(min(logical, affinity, quota if quota is not None else logical)),
        memory_bytes=_memory(root),
        python=platform.python_version(),
        executable=sys.executable or "unknown",
        packages=find_versions(packages),
        load_average_1m=_load_average(),
        cpu_governor=read_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or None,
        container=_in_container(root),
        cpu_mhz=_clock(root),
    )


def count_usable_cpus(bound: Collection[int] = (), root: Path = Path("/")) -> int:
    """How many processes that are bound to the CPUs `bound`, of all where it is empty, can work at the same time."""
    logical = os.cpu_count() or 1
    quota = cgroups.cpu_quota(root)
    return max(1, int(min(len(bound) or logical, _affinity(logical), quota or logical)))


def find_versions(packages: Iterable[str]) -> dict[str, str]:
    """Name -> version of those distributions that are installed, importing none; broken metadata counts as absent."""
    by_name = {name: _find_version(name) for name in packages}
    return {name: version for name, version in by_name.items() if version}


def find_double_installs() -> tuple[tuple[str, str], ...]:
    """Pairs of installed distributions that overwrite each other's files."""
    return tuple((one, other) for one, other in RIVALS if _find_version(one) and _find_version(other))


def throttled_ns(root: Path = Path("/")) -> int:
    """How long this process's cgroup has been held back by its CPU quota since it was made; 0 where unknown."""
    return cgroups.throttled_ns(root)


def thread_environment(threads: int) -> dict[str, str]:
    """The variables that fix the number of threads of every numeric library; they work only when set before any import.

    `OMP_WAIT_POLICY=PASSIVE` and `KMP_BLOCKTIME=0` let idle OpenMP threads sleep, which a service that shares its cores
    needs: spinning threads on a contended core turn microseconds into milliseconds. With one thread there is nothing to
    wait for. `OMP_DYNAMIC`, `MKL_DYNAMIC` off: exactly as many as asked.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    variables = dict.fromkeys(THREAD_VARIABLES, str(threads))
    variables |= {"OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE"}
    if threads > 1:
        variables |= {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
    return variables


def _find_version(name: str) -> str | None:
    """The version, None when the distribution is absent or its metadata holds none.

    `metadata.version` reads the whole description as an e-mail, which takes three times as long.
    """
    try:
        distribution = metadata.distribution(name)
        text = next(filter(None, map(distribution.read_text, METADATA_FILES)), "")
    except (metadata.PackageNotFoundError, ValueError, OSError):
        return None
    header = text.partition("\n\n")[0].splitlines()
    return next((line.partition(":")[2].strip() for line in header if line.lower().startswith("version:")), None)


def _affinity(logical: int) -> int:
    if not hasattr(os, "sched_getaffinity"):
        return logical
    try:
        return len(os.sched_getaffinity(0)) or logical
    except OSError:
        return logical


def _cpu_model(root: Path) -> str:
    """/proc/cpuinfo on Linux (its keys differ by architecture), sysctl on macOS, else what `platform` knows."""
    for line in read_text(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("model name", "cpu model", "hardware", "cpu") and value.strip():
            return " ".join(value.split())
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string") or platform.machine() or "unknown"
    return platform.processor() or os.environ.get("PROCESSOR_IDENTIFIER") or platform.machine() or "unknown"


def _clock(root: Path) -> int | None:
    limit = read_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq")
    if limit.isdigit():
        return round(int(limit) / 1000)
    for line in read_text(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "cpu mhz" and value.strip().replace(".", "", 1).isdigit():
            return round(float(value))
    return None


def _sysctl(name: str) -> str:
    command = ["/usr/sbin/sysctl", "-n", name]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _memory(root: Path) -> int:
    """Bytes this process can have: the machine's or the cgroup's limit, whichever is less; 0 when unknown."""
    machine = _physical_memory()
    limit = cgroups.memory_limit(root)
    if limit is None:
        return machine
    return min(machine, limit) if machine else limit


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        text = _sysctl("hw.memsize") if sys.platform == "darwin" else ""
        return int(text) if text.isdigit() else 0


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def _in_container(root: Path) -> bool:
    """Docker and Podman leave a marker file; other runtimes show in the first process's cgroup or environment."""
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return True
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return True
    groups = read_text(root / "proc/1/cgroup") + read_text(root / "proc/self/cgroup")
    return any(word in groups for word in ("docker", "kubepods", "containerd", "libpod", "lxc"))
