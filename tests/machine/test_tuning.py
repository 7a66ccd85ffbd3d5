"""Settings of kernel and CPU, from fake /proc and /sys trees."""

from pathlib import Path
from typing import Any

import pytest

from infer_bench.machine.environment import describe
from infer_bench.machine.tuning import read_tuning
from tests.machine.test_environment import GROUP, V2, tree

CPU = "sys/devices/system/cpu"
TREES: dict[str, tuple[dict[str, str], str, Any]] = {
    "turbo on, Intel": ({f"{CPU}/intel_pstate/no_turbo": "0"}, "turbo", True),
    "turbo off, Intel": ({f"{CPU}/intel_pstate/no_turbo": "1"}, "turbo", False),
    "turbo on": ({f"{CPU}/cpufreq/boost": "1"}, "turbo", True),
    "turbo unknown": ({}, "turbo", None),
    "turbo garbled": ({f"{CPU}/cpufreq/boost": "?"}, "turbo", None),
    "huge pages": ({"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never"}, "huge_pages", "madvise"),
    "huge pages garbled": ({"sys/kernel/mm/transparent_hugepage/enabled": "always"}, "huge_pages", None),
    "layouts random": ({"proc/sys/kernel/randomize_va_space": "2"}, "aslr", 2),
    "layouts fixed": ({"proc/sys/kernel/randomize_va_space": "0"}, "aslr", 0),
    "layouts unknown": ({}, "aslr", None),
    "bare metal": ({"proc/cpuinfo": "flags\t: fpu sse"}, "hypervisor", ""),
    "a guest": ({"proc/cpuinfo": "flags\t: fpu hypervisor"}, "hypervisor", "of unknown make"),
    "a named guest": (
        {"proc/cpuinfo": "flags\t: fpu hypervisor", "sys/class/dmi/id/product_name": "KVM"},
        "hypervisor",
        "KVM",
    ),
    "a CPU that does not say": ({"proc/cpuinfo": "Features\t: fp"}, "hypervisor", None),
    "no cpuinfo": ({}, "hypervisor", None),
    "throttled": ({**GROUP, f"{V2}/a/cpu.stat": "throttled_usec 7"}, "throttled_ns", 7_000),
}


@pytest.mark.parametrize("name", TREES)
def test_what_is_set(name: str, tmp_path: Path) -> None:
    files, field, value = TREES[name]
    assert getattr(read_tuning(tree(tmp_path, files)), field) == value


def test_thread_variables_that_are_set_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    variables = read_tuning(tmp_path).thread_variables
    assert variables["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in variables


@pytest.mark.parametrize(
    ("files", "clock"),
    [
        ({f"{CPU}/cpu0/cpufreq/scaling_max_freq": "3600000", "proc/cpuinfo": "cpu MHz\t: 800.0"}, 3_600),
        ({"proc/cpuinfo": "processor\t: 0\ncpu MHz\t\t: 2593.906"}, 2_594),
        ({"proc/cpuinfo": "cpu MHz\t: fast"}, None),
        ({}, None),
    ],
)
def test_the_clock(files: dict[str, str], clock: int | None, tmp_path: Path) -> None:
    assert describe((), tree(tmp_path, files)).cpu_mhz == clock
