"""The doctor's list: which facts are notes or problems, and that each of those says what to do."""

from dataclasses import replace
from typing import Any

import pytest

from infer_bench.measure.doctor.findings import list_findings
from infer_bench.report.doctor import Doctor, Finding, Library, Noise, Providers, Timer, Tuning
from tests.reports import ENVIRONMENT

MACHINE = replace(ENVIRONMENT, cpus_affinity=4, cpus_quota=None, cpus_effective=4.0, cpu_governor="performance")
NOISE = Noise(4, 24, 50_000, 0.01, 0.008, 900_000, 0.002, 0.03, 9)
CALM = Doctor(
    tool_version="0.1.0",
    created_at="",
    environment=MACHINE,
    tuning=Tuning(turbo=False, huge_pages="madvise", aslr=2, hypervisor=""),
    libraries=(Library("callable", "built-in"), Library("lightgbm", "4.7.0"), Library("torch", None, "pip install x")),
    providers=Providers(("CPUExecutionProvider",)),
    double_installs=(),
    timer=Timer(30, 40),
    noise=NOISE,
)


def with_machine(**changes: Any) -> Doctor:
    return replace(CALM, environment=replace(MACHINE, **changes))


def with_tuning(**changes: Any) -> Doctor:
    return replace(CALM, tuning=replace(CALM.tuning, **changes))


def with_noise(**changes: Any) -> Doctor:
    return replace(CALM, noise=replace(NOISE, **changes))


CASES: dict[str, tuple[Doctor, str, str, str]] = {
    "no engine": (replace(CALM, libraries=()), "engines", "note", ""),
    "a broken engine": (
        replace(CALM, libraries=(Library("mine", None, problem="it raises"),)),
        "broken-engine",
        "problem",
        "it raises",
    ),
    "a broken runtime": (replace(CALM, providers=Providers(problem="no libgomp")), "providers", "problem", "libgomp"),
    "two installs": (replace(CALM, double_installs=(("a", "b"),)), "double-install", "problem", "a and b"),
    "a quota": (with_machine(cpus_quota=1.5, cpus_effective=1.5), "cpus", "note", "a quota of 1.5: 1.5 effective"),
    "an affinity": (with_machine(cpus_affinity=2, cpus_effective=2.0), "cpus", "note", "2 by affinity"),
    "variables": (
        with_tuning(thread_variables={"OMP_NUM_THREADS": "8"}),
        "thread-variables",
        "note",
        "OMP_NUM_THREADS=8",
    ),
    "throttling": (with_tuning(throttled_ns=2_500_000_000), "quota-throttling", "note", "2.5 s"),
    "load": (with_machine(load_average_1m=3.0), "load", "note", "3.00 on 4 CPUs"),
    "little memory": (with_machine(memory_bytes=500_000_000), "memory", "note", "0.5 GB"),
    "a slow governor": (with_machine(cpu_governor="powersave"), "governor", "note", "powersave"),
    "turbo": (with_tuning(turbo=True), "turbo", "note", "on"),
    "a guest": (with_tuning(hypervisor="KVM"), "virtual", "note", "KVM"),
    "one layout": (with_tuning(aslr=0), "aslr", "note", "off"),
    "a slow clock": (replace(CALM, timer=Timer(30, 400)), "timer", "note", "400 ns"),
    "a very slow clock": (replace(CALM, timer=Timer(30, 2_000)), "timer", "problem", "2,000 ns"),
    "a coarse clock": (replace(CALM, timer=Timer(15_000_000, 40)), "timer", "problem", "15,000,000 ns"),
    "noise not measured": (replace(CALM, noise=None, noise_problem="it hung"), "noise", "problem", "it hung"),
    "blocks vary": (with_noise(between_blocks=0.2), "noise", "note", "20.0 %"),
    "pauses": (with_noise(longest_pause_ns=12_000_000), "pauses", "note", "12.00 ms"),
    "coarse": (with_noise(resolvable=0.11), "resolvable", "note", "11.0 %"),
    "very coarse": (with_noise(resolvable=0.5), "resolvable", "problem", "50.0 %"),
}


def by_code(doctor: Doctor) -> dict[str, Finding]:
    return {finding.code: finding for finding in list_findings(doctor)}


def test_a_calm_machine_has_nothing_but_ok() -> None:
    assert {finding.mark for finding in list_findings(CALM)} == {"ok"}
    assert all(not finding.hint for finding in list_findings(CALM))


@pytest.mark.parametrize("name", CASES)
def test_each_fact_is_marked_told_and_mended(name: str) -> None:
    doctor, code, mark, words = CASES[name]
    finding = by_code(doctor)[code]
    assert (finding.mark, bool(finding.hint)) == (mark, name != "a broken engine")
    assert words in finding.text
    others = {other.mark for key, other in by_code(doctor).items() if key != code}
    assert others == {"ok"} or name == "a broken engine"


def test_noise_that_was_left_out_is_no_problem() -> None:
    finding = by_code(replace(CALM, noise=None, noise_problem="left out (--quick)"))["noise"]
    assert (finding.mark, finding.hint) == ("ok", "")


def test_what_cannot_be_known_is_not_claimed() -> None:
    unknown = replace(
        CALM,
        tuning=Tuning(),
        providers=None,
        environment=replace(MACHINE, load_average_1m=None, memory_bytes=0, cpu_governor=None, container=False),
    )
    assert {"turbo", "aslr", "huge-pages", "virtual", "load", "memory", "providers"} & set(by_code(unknown)) == set()
    assert "cannot be seen" in by_code(unknown)["governor"].text


def test_engines_are_listed_with_their_versions_and_the_missing_ones() -> None:
    assert by_code(CALM)["engines"].text == "lightgbm 4.7.0; not installed: torch"
    assert by_code(CALM)["providers"].text == "onnxruntime offers CPU"
