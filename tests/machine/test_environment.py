"""What is read of the machine, from fake /proc and /sys trees."""

import importlib.metadata
import os
from pathlib import Path
from typing import Any

import pytest

from infer_bench.machine import cgroups, environment
from infer_bench.machine.environment import (
    describe,
    find_double_installs,
    find_versions,
    thread_environment,
    throttled_ns,
)

V2 = "sys/fs/cgroup"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


GROUP = {"proc/self/cgroup": "0::/a/b"}
LEGACY = {"proc/self/cgroup": "4:memory:/m\n3:cpu,cpuacct:/a/b\n0::/"}
QUOTAS: dict[str, tuple[dict[str, str], float | None]] = {
    "nothing readable": ({}, None),
    "no limit": ({**GROUP, f"{V2}/a/b/cpu.max": "max 100000"}, None),
    "own limit": ({**GROUP, f"{V2}/a/b/cpu.max": "150000 100000"}, 1.5),
    "a parent is tighter": ({**GROUP, f"{V2}/a/b/cpu.max": "400000 100000", f"{V2}/a/cpu.max": "50000 100000"}, 0.5),
    "a parent's alone": ({**GROUP, f"{V2}/a/b/cpu.max": "max 100000", f"{V2}/a/cpu.max": "200000 100000"}, 2.0),
    "the host's path is not mounted": ({"proc/self/cgroup": "0::/x/y", f"{V2}/cpu.max": "300000 100000"}, 3.0),
    "a path above the mount": ({"proc/self/cgroup": "0::/../../x", f"{V2}/cpu.max": "300000 100000"}, 3.0),
    "hybrid": ({**GROUP, f"{V2}/unified/a/cpu.max": "100000 100000"}, 1.0),
    "garbage": ({**GROUP, f"{V2}/a/b/cpu.max": "a b c", f"{V2}/a/cpu.max": "0 0"}, None),
    "a broken membership": ({"proc/self/cgroup": "nonsense", f"{V2}/cpu.max": "100000 100000"}, None),
    "version 1": (
        {**LEGACY, f"{V2}/cpu/a/b/cpu.cfs_quota_us": "250000", f"{V2}/cpu/a/b/cpu.cfs_period_us": "100000"},
        2.5,
    ),
    "version 1, a parent's": (
        {
            **LEGACY,
            f"{V2}/cpu,cpuacct/a/b/cpu.cfs_quota_us": "-1",
            f"{V2}/cpu,cpuacct/a/b/cpu.cfs_period_us": "100000",
            f"{V2}/cpu,cpuacct/cpu.cfs_quota_us": "50000",
            f"{V2}/cpu,cpuacct/cpu.cfs_period_us": "100000",
        },
        0.5,
    ),
}


@pytest.mark.parametrize("name", QUOTAS)
def test_the_tightest_quota_on_the_way_up_counts(name: str, tmp_path: Path) -> None:
    files, quota = QUOTAS[name]
    assert cgroups.cpu_quota(tree(tmp_path, files)) == quota


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({**GROUP, f"{V2}/a/b/memory.max": "max", f"{V2}/a/memory.max": "1048576"}, 1048576),
        ({**LEGACY, f"{V2}/memory/m/memory.limit_in_bytes": "9223372036854771712"}, None),
        ({**LEGACY, f"{V2}/memory/m/memory.limit_in_bytes": "2097152"}, 2097152),
    ],
)
def test_the_memory_limit(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    root = tree(tmp_path, files)
    assert cgroups.memory_limit(root) == limit
    if limit is not None:
        assert describe((), root).memory_bytes == limit


@pytest.mark.parametrize(
    ("files", "held_ns"),
    [
        ({}, 0),
        ({**GROUP, f"{V2}/a/b/cpu.stat": "usage_usec 5\nthrottled_usec 12"}, 12_000),
        ({**GROUP, f"{V2}/a/b/cpu.stat": "throttled_usec 0", f"{V2}/a/cpu.stat": "throttled_usec 7"}, 7_000),
        ({**LEGACY, f"{V2}/cpu/a/b/cpu.stat": "nr_throttled 3\nthrottled_time 12345"}, 12_345),
        ({**GROUP, f"{V2}/a/b/cpu.stat": "throttled_usec many"}, 0),
    ],
)
def test_throttled_time_is_in_ns_in_both_versions(files: dict[str, str], held_ns: int, tmp_path: Path) -> None:
    assert throttled_ns(tree(tmp_path, files)) == held_ns


@pytest.mark.parametrize(
    ("quota", "affinity", "effective"), [("50000 100000", 4, 0.5), ("max 100000", 3, 3.0), ("800000 100000", 8, 8.0)]
)
def test_effective_cpus_are_the_least_of_count_affinity_and_quota(
    quota: str, affinity: int, effective: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(affinity)), raising=False)
    machine = describe((), tree(tmp_path, {**GROUP, f"{V2}/a/b/cpu.max": quota}))
    assert (machine.cpus_logical, machine.cpus_affinity, machine.cpus_effective) == (8, affinity, effective)


@pytest.mark.parametrize(
    ("cpuinfo", "model"),
    [
        ("processor\t: 0\nmodel name\t: Fine CPU  @ 3GHz\nflags: x", "Fine CPU @ 3GHz"),
        ("processor\t: 0\ncpu\t\t: POWER9, altivec", "POWER9, altivec"),
        ("Hardware\t: BCM2711", "BCM2711"),
    ],
)
def test_the_cpu_is_named_whatever_the_architecture_calls_it(cpuinfo: str, model: str, tmp_path: Path) -> None:
    assert describe((), tree(tmp_path, {"proc/cpuinfo": cpuinfo})).cpu_model == model


def test_a_machine_without_proc_sys_or_posix_calls_is_still_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sched_getaffinity", "getloadavg", "sysconf"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    machine = describe((), tmp_path)
    assert (machine.cpus_effective, machine.memory_bytes, machine.load_average_1m) == (1.0, 0, None)
    assert (machine.cpus_quota, machine.cpu_governor, machine.container) == (None, None, False)
    assert machine.cpu_model


@pytest.mark.parametrize(
    "files", [{".dockerenv": ""}, {"run/.containerenv": ""}, {"proc/1/cgroup": "0::/kubepods/pod1"}]
)
def test_containers_are_recognised(files: dict[str, str], tmp_path: Path) -> None:
    assert describe((), tree(tmp_path, files)).container


def test_the_governor_is_read(tmp_path: Path) -> None:
    files = {"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave"}
    assert describe((), tree(tmp_path, files)).cpu_governor == "powersave"


def test_packages_are_given_by_version_and_absent_or_broken_ones_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "Metadata-Version: 2.1\nName: good\nVersion: 1.2\n"
    tree(tmp_path, {"good-1.2.dist-info/METADATA": f"{header}\nVersion: 9", "broken-1.dist-info/METADATA": ""})
    tree(tmp_path, {"bare-1.dist-info/METADATA": "Name: bare\n\nVersion: 9", "old.egg-info/PKG-INFO": header})
    monkeypatch.syspath_prepend(tmp_path)
    assert find_versions(["good", "old", "broken", "bare", "absent"]) == {"good": "1.2", "old": "1.2"}


def test_versions_are_those_that_the_installed_packages_say() -> None:
    assert find_versions(["numpy", "pytest"]) == {
        name: importlib.metadata.version(name) for name in ("numpy", "pytest")
    }


@pytest.mark.parametrize(
    ("installed", "pairs"),
    [
        (("onnxruntime", "xgboost"), ()),
        (("onnxruntime", "onnxruntime-gpu"), (("onnxruntime", "onnxruntime-gpu"),)),
        (("xgboost-cpu", "xgboost"), (("xgboost", "xgboost-cpu"),)),
    ],
)
def test_double_installs(installed: tuple[str, ...], pairs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_find_version", lambda name: "1" if name in installed else None)
    assert find_double_installs() == pairs


@pytest.mark.parametrize("threads", [1, 4])
def test_every_thread_variable_is_set_to_the_number(threads: int) -> None:
    variables = thread_environment(threads)
    assert {variables[name] for name in environment.THREAD_VARIABLES} == {str(threads)}
    assert (variables.get("OMP_WAIT_POLICY") == "PASSIVE") is (threads > 1)


def test_no_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        thread_environment(0)
