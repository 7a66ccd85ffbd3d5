"""How kernel and CPU are set, as far as that can be read. Nothing here raises or changes anything."""

import os
from pathlib import Path

from infer_bench.machine import cgroups
from infer_bench.machine.environment import THREAD_VARIABLES
from infer_bench.machine.files import read_text
from infer_bench.report.doctor import Tuning

_CPU = "sys/devices/system/cpu"
_WAITING = ("OMP_WAIT_POLICY", "OMP_PROC_BIND", "OMP_DYNAMIC", "KMP_BLOCKTIME", "KMP_AFFINITY", "GOMP_CPU_AFFINITY")


def read_tuning(root: Path = Path("/")) -> Tuning:
    """What is set here. `root` is where /proc and /sys are looked for."""
    return Tuning(
        turbo=_turbo(root),
        huge_pages=_selected_word(read_text(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        aslr=_number(read_text(root / "proc/sys/kernel/randomize_va_space")),
        hypervisor=_hypervisor(root),
        throttled_ns=cgroups.throttled_ns(root),
        thread_variables={name: os.environ[name] for name in (*THREAD_VARIABLES, *_WAITING) if name in os.environ},
    )


def _turbo(root: Path) -> bool | None:
    off = _number(read_text(root / _CPU / "intel_pstate/no_turbo"))
    if off is not None:
        return off == 0
    on = _number(read_text(root / _CPU / "cpufreq/boost"))
    return None if on is None else on == 1


def _selected_word(text: str) -> str | None:
    """The word in brackets: `always [madvise] never`."""
    return text.partition("[")[2].partition("]")[0] or None


def _hypervisor(root: Path) -> str | None:
    """The CPU says whether there is one (x86); firmware says which."""
    info = read_text(root / "proc/cpuinfo")
    if not info:
        return None
    product = read_text(root / "sys/class/dmi/id/product_name") or read_text(root / "sys/class/dmi/id/sys_vendor")
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "")
    if "hypervisor" in flags.split():
        return product or "of unknown make"
    return "" if flags else None


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
