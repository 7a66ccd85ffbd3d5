"""Stored baselines: what may be compared, and every way that their file can be broken."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import CannotRun, NotComparable
from infer_bench.gates.baseline import check_comparable, load_baseline
from infer_bench.gates.fingerprint import find_differences, fingerprint
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.report.common import Report
from infer_bench.report.gate import Gate, Side
from infer_bench.report.serialize import dump
from tests.reports import CREDIT, ENVIRONMENT, SETTINGS, credit, report

MACHINE = replace(ENVIRONMENT, packages={**ENVIRONMENT.packages, "numpy": "2.1.0", "pandas": "2.3.0", "onnx": "1.18"})
BASE = replace(
    report(settings={"rows_sha256": "0a" * 32, "batches": [1], "affinity": []}),
    environment=replace(MACHINE, cpu_governor="performance", cpu_mhz=2_400),
)
Change = Callable[[BenchReport], BenchReport]


def machine(**changes: Any) -> Change:
    return lambda base: replace(base, environment=replace(base.environment, **changes))


def setting(**changes: Any) -> Change:
    return lambda base: replace(base, settings=base.settings | changes)


def library(name: str, version: str) -> Change:
    return lambda base: machine(packages={**base.environment.packages, name: version})(base)


def results(change: Callable[[BenchResult], BenchResult]) -> Change:
    return lambda base: replace(base, results=tuple(map(change, base.results)))


HARD: dict[str, tuple[Change, str]] = {
    "operating system": (machine(os="Darwin 6.1"), "operating system Darwin here, Linux in the baseline"),
    "instruction set": (machine(machine="aarch64"), "instruction set aarch64 here, x86_64"),
    "CPU": (machine(cpu_model="Other CPU"), "CPU model Other CPU here, Some CPU @ 2.40GHz"),
    "quota": (machine(cpus_effective=2.0), "effective CPUs 2 here, 1.5 in"),
    "container": (machine(container=True), "in a container yes here, no in"),
    "Python": (machine(python="3.12.1"), "Python 3.12 here, 3.11 in"),
    "engine's version": (library("lightgbm", "4.8.0"), "libraries lightgbm 4.8.0 here, lightgbm 4.7.0 in"),
    "numpy's version": (library("numpy", "2.2.0"), "numpy 2.2.0 here, numpy 2.1.0"),
    "pandas's version": (library("pandas", "3.0.0"), "pandas 3.0.0 here, pandas 2.3.0"),
    "another build of the engine": (library("onnxruntime-gpu", "1.31.1"), "onnxruntime-gpu 1.31.1 here, nothing else"),
    "threads": (setting(threads=2), "threads 2 here, 1 in"),
    "scenario": (setting(scenario="offline"), "scenario offline here, single_stream"),
    "batch sizes": (setting(batches=[1, 1000, 64]), "batch sizes 1, 64, 1000 here, 1 in"),
    "rows mode": (setting(rows_mode="same"), "rows same here, rotate in"),
    "rows": (setting(rows_sha256="0b" * 32), f"rows' hash {'0b' * 6} here, {'0a' * 6} in"),
    "rows not recorded": (setting(rows_sha256=None), "rows' hash not recorded here"),
    "affinity": (setting(affinity=[0]), "CPUs bound to 0 here, none in"),
    "model": (
        results(lambda row: replace(row, model=replace(CREDIT, sha256="ee" * 32))),
        f"models' hashes lightgbm {'ee' * 6} here, lightgbm {'ab' * 6} in",
    ),
    "options": (
        results(lambda row: replace(row, options={**row.options, "threads": "3"})),
        "candidates lightgbm:feed=dataframe (threads=3), lightgbm:feed=ndarray (threads=3)",
    ),
    "a candidate more": (
        lambda base: replace(base, results=(*base.results, replace(base.results[0], candidate="lightgbm:x=y"))),
        "candidates lightgbm:x=y (feed=dataframe) here, nothing else in",
    ),
    "a candidate less": (
        lambda base: replace(base, results=base.results[::2]),
        "candidates nothing else here, lightgbm:feed=ndarray (feed=ndarray) in",
    ),
    "schema": (lambda base: replace(base, schema_version=2), "schema version 2 here, 1 in"),
}
SOFT: dict[str, tuple[Change, str]] = {
    "patch of Python": (machine(python="3.11.10"), "baseline-python"),
    "infer-bench": (lambda base: replace(base, tool_version="0.2.0"), "baseline-tool"),
    "kernel": (machine(os="Linux 6.2"), "baseline-kernel"),
    "governor": (machine(cpu_governor="powersave"), "baseline-governor"),
    "clock": (machine(cpu_mhz=3_000), "baseline-clock"),
    "clock unknown": (machine(cpu_mhz=None), "baseline-clock"),
    "load": (machine(load_average_1m=6.0), "baseline-load"),
    "memory": (machine(memory_bytes=32_000_000_000), "baseline-memory"),
}
NEITHER: dict[str, Change] = {
    "nothing": lambda base: base,
    "a little load": machine(load_average_1m=0.9),
    "a little memory": machine(memory_bytes=ENVIRONMENT.memory_bytes * 99 // 100),
    "a library that no candidate uses": library("scikit-learn", "1.7"),
    "where the interpreter is": machine(executable="/elsewhere/python"),
    "where the model is": results(lambda row: replace(row, model=replace(row.model, path="/elsewhere/m.txt"))),
    "how long it ran": setting(rounds=None, budget_s=90, processes=9, seed=3),
    "where the rows were": setting(rows_source="copy.parquet"),
    "the order of candidates": lambda base: replace(base, results=base.results[::-1]),
    "figures": results(lambda row: replace(row, request=None, processes=())),
}


@pytest.mark.parametrize("name", HARD)
def test_a_hard_field_makes_it_not_comparable_and_both_values_are_named(name: str) -> None:
    change, words = HARD[name]
    with pytest.raises(NotComparable) as error:
        check_comparable(change(BASE), BASE)
    assert error.value.exit_code == 5
    assert words in error.value.message
    assert ";" not in error.value.message
    assert "--against" in error.value.hint
    with pytest.raises(NotComparable):
        check_comparable(BASE, change(BASE))


@pytest.mark.parametrize("name", SOFT)
def test_a_soft_field_is_a_notice_with_a_hint(name: str) -> None:
    change, code = SOFT[name]
    (notice,) = check_comparable(change(BASE), BASE)
    assert (notice.code, bool(notice.hint)) == (code, True)
    assert " here, " in notice.message


@pytest.mark.parametrize("name", NEITHER)
def test_what_does_not_matter_is_not_said(name: str) -> None:
    assert check_comparable(NEITHER[name](BASE), BASE) == ()


def test_every_hard_field_that_differs_is_named_at_once() -> None:
    changes = [HARD[name] for name in ("CPU", "threads", "rows", "model", "Python")]
    ours = BASE
    for change, _ in changes:
        ours = change(ours)
    with pytest.raises(NotComparable) as error:
        check_comparable(ours, BASE)
    assert all(words in error.value.message for _, words in changes)


def test_of_a_candidate_that_both_have_only_the_options_that_differ_are_named() -> None:
    def threads(number: str) -> BenchReport:
        row = replace(BASE.results[0], candidate="engine", options={"feed": "ndarray", "threads": number, "x": "1"})
        return replace(BASE, results=(row,))

    with pytest.raises(NotComparable, match=r"candidates engine \(threads=2\) here, engine \(threads=1\) in the"):
        check_comparable(threads("2"), threads("1"))


def test_what_neither_recorded_is_not_taken_to_be_alike() -> None:
    old = replace(BASE, settings=SETTINGS)
    hard, _ = find_differences(fingerprint(old), fingerprint(old))
    assert [difference.name for difference in hard] == ["rows_sha256"]


def test_default_candidates_that_the_baseline_lacks_may_yet_be_left_out() -> None:
    baseline = replace(BASE, results=BASE.results[:2])
    assert check_comparable(BASE, baseline, defaults=True) == ()
    with pytest.raises(NotComparable, match="candidates"):
        check_comparable(baseline, BASE, defaults=True)
    with pytest.raises(NotComparable, match="candidates"):
        check_comparable(replace(BASE, results=credit()[2:]), baseline, defaults=True)


def test_a_function_may_use_any_library() -> None:
    ours = replace(BASE, results=(replace(BASE.results[0], engine="callable", candidate="m:f", options={}),))
    with pytest.raises(NotComparable, match=r"onnx 1\.19 here"):
        check_comparable(library("onnx", "1.19")(ours), ours)


def text(change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads(dump(BASE))
    change(document)
    return json.dumps(document).encode()


def of_convert() -> bytes:
    return dump(Report("convert", "1", "", {}, ENVIRONMENT, ()))


def paired_report() -> bytes:
    return dump(replace(BASE, gate=Gate("sessions", 1, 1, 0.01, 0.05, 0, 0, Side("a", "b"))))


def without_samples(document: dict[str, Any]) -> None:
    for row in document["results"]:
        row["processes"] = []


def all_failed(document: dict[str, Any]) -> None:
    for row in document["results"]:
        row["failed"] = "the worker was killed"


def first_round(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document["results"][0]["processes"][0]["rounds"][0].update(changes)


def swallowed(document: dict[str, Any]) -> None:
    for result in document["results"]:
        for r in (r for process in result["processes"] for r in process["rounds"]):
            r["request_ns"] = [result["request"]["floor_ns"]] * len(r["request_ns"])


BROKEN: dict[str, tuple[bytes, str]] = {
    "no time taken": (text(swallowed), "holds no valid sample"),
    "empty": (b"", "is empty"),
    "cut off": (dump(BASE)[:5_000], "is cut off"),
    "not JSON": (b"p50: 3 ms\n", "is not JSON"),
    "binary": (bytes(range(256)), "is not JSON"),
    "other JSON": (b'{"p50": 3}', "is not a report"),
    "a list": (b"[]", "is not a report"),
    "a newer schema": (text(lambda d: d.update(schema_version=99)), "schema version 99"),
    "another command's": (of_convert(), "is a report of convert, not of bench"),
    "the doctor's": (text(lambda d: d.update(command="doctor")), "holds no results"),
    "an unknown command's": (text(lambda d: d.update(command="dance")), "unknown command"),
    "interrupted": (text(lambda d: d.update(complete=False)), "was interrupted"),
    "no results": (text(lambda d: d.update(results=[])), "holds no valid sample"),
    "no samples": (text(without_samples), "holds no valid sample"),
    "all failed": (text(all_failed), "holds no valid sample"),
    "a wrong type": (text(lambda d: d["results"][0].update(batch="one")), "is not a report"),
    "a time below zero": (text(first_round(request_ns=[5, -1])), "no clock gives"),
    "a time beyond all": (text(first_round(request_ns=[5, 10**30])), "no clock gives"),
    "no calls a sample": (text(first_round(calls_per_sample=0)), "no clock gives"),
    "an impossible floor": (text(lambda d: d["results"][0]["request"].update(floor_ns=-5)), "no clock gives"),
    "of a paired gate": (paired_report(), "is from a paired gate"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_baseline_that_cannot_be_used_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    content, words = BROKEN[name]
    (tmp_path / "base.json").write_bytes(content)
    with pytest.raises(CannotRun, match=words) as error:
        load_baseline(tmp_path / "base.json")
    assert error.value.exit_code == 6
    assert "base.json" in error.value.message
    assert error.value.hint
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["missing.json", ""])
def test_a_baseline_that_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun):
        load_baseline(tmp_path / name)


def test_a_sound_baseline_is_read(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_bytes(dump(BASE))
    assert load_baseline(str(tmp_path / "base.json")) == BASE


def test_one_failed_candidate_does_not_spoil_the_rest(tmp_path: Path) -> None:
    first, *rest = BASE.results
    baseline = replace(BASE, results=(replace(first, failed="killed"), *rest))
    (tmp_path / "base.json").write_bytes(dump(baseline))
    assert load_baseline(tmp_path / "base.json").results[0].failed == "killed"
