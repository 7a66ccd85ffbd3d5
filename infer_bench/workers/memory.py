"""Resident memory of this process."""

import sys
from pathlib import Path


def resident(status: Path = Path("/proc/self/status")) -> tuple[int, int]:
    """(now, peak) in bytes. From /proc where there is one: there, `ru_maxrss` would hold the parent's peak as well,
    since it survives fork and exec. Elsewhere the peak stands for both.
    """
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return _usage()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return kilobytes["VmRSS"] * 1024, kilobytes["VmHWM"] * 1024


def _usage() -> tuple[int, int]:
    if sys.platform == "win32":
        return 0, 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes on macOS, kilobytes elsewhere
    return peak, peak
