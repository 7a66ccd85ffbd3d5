"""Which starts are timed, which overlap, and what was started ahead ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from infer_bench.engines import registry
from infer_bench.machine.processes import available_memory_bytes, resident_bytes, storage_read_bytes
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.schedule import starts
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.starts import COLD_BYTES, LEAST_WAIT_S, StartPlan, can_start_twice
from infer_bench.measure.settings import Settings
from tests.fakes import FakeClock
from tests.machine.test_environment import tree
from tests.measure.fake_layouts import S, candidate

PAGE = 4096


def of_library(engine: str = "lightgbm", **options: str) -> Candidate:
    return replace(candidate(engine), engine=registry.get(engine), options=options)


def counts_of(root: Path, settings: Settings, candidates: list[Candidate] | None = None) -> list[int]:
    """What a plan says of each layout when the process 7 has started once in each that is timed."""
    plan = StartPlan(candidates or [of_library()], settings, None, root)
    counts = []
    for index in range(settings.processes):
        counts.append(plan.count_layouts(index))
        if not counts[-1]:
            plan.note_timed(index, 7)
    return counts


def machine(root: Path, *, read_bytes: int = 0, pages: int = 1000, free_kib: int = 1_000_000) -> Path:
    files = {
        "proc/7/statm": f"9999 {pages} 10 1 0 5 0",
        "proc/7/io": f"rchar: 123\nread_bytes: {read_bytes}",
        "proc/meminfo": f"MemTotal: 99 kB\nMemAvailable: {free_kib} kB",
    }
    return tree(root, files)


@pytest.fixture(autouse=True)
def _two_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "count_usable_cpus", lambda *_: 2)


@pytest.mark.parametrize(
    ("processes", "counts"), [(1, [0]), (2, [0, 1]), (3, [0, 2, 1]), (5, [0, 0, 2, 2, 1])], ids=str
)
def test_a_third_of_the_starts_is_timed_and_the_others_overlap(
    tmp_path: Path, processes: int, counts: list[int]
) -> None:
    assert counts_of(machine(tmp_path), Settings(processes=processes)) == counts


def test_a_start_that_read_the_disk_is_timed_again(tmp_path: Path) -> None:
    assert counts_of(machine(tmp_path, read_bytes=COLD_BYTES + 1), Settings()) == [0, 0, 1]


def test_processes_start_in_turn_where_little_memory_is_free_or_nobody_says_how_much(tmp_path: Path) -> None:
    assert counts_of(machine(tmp_path / "full", free_kib=4 * 1000 * PAGE // 1024), Settings()) == [0, 0, 0]
    assert counts_of(machine(tmp_path / "free", free_kib=8 * 1000 * PAGE // 1024), Settings()) == [0, 2, 1]
    assert counts_of(tmp_path / "silent", Settings()) == [0, 0, 0]


def test_processes_start_in_turn_on_one_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "count_usable_cpus", lambda *_: 1)
    assert counts_of(machine(tmp_path), Settings()) == [0, 0, 0]


@pytest.mark.parametrize(("index", "free_kib", "waits"), [(0, 16_000, True), (1, 16_000, False), (0, 15_999, False)])
def test_what_was_started_ahead_waits_for_layouts_that_overlap_where_memory_allows_it(
    tmp_path: Path, index: int, free_kib: int, waits: bool
) -> None:
    plan = StartPlan([of_library()], Settings(), None, machine(tmp_path, free_kib=free_kib))
    assert plan.lets_wait(index, [7]) == waits


def test_what_was_started_ahead_does_not_wait_for_what_never_overlaps(tmp_path: Path) -> None:
    root = machine(tmp_path)
    assert not StartPlan([of_library()], Settings(processes=1), None, root).lets_wait(0, [7])
    assert not StartPlan([of_library("callable")], Settings(), None, root).lets_wait(0, [7])
    assert not StartPlan([of_library()], Settings(), None, root).lets_wait(0, [])


@pytest.mark.parametrize(("spent_s", "count", "left_s"), [(1, 0, 7.5), (5, 1, 3.5), (20, 1, LEAST_WAIT_S)])
def test_a_budget_ends_the_starts_and_times_none_where_it_is_late(
    tmp_path: Path, spent_s: int, count: int, left_s: float
) -> None:
    clock = FakeClock()
    plan = StartPlan([of_library()], Settings(budget_s=10), Budget(9 * S, clock, clock.now), machine(tmp_path))
    plan.note_timed(0, 7)
    clock.spend(spent_s * S)
    assert (plan.count_layouts(0), plan.count_layouts(1)) == (count, 0)
    assert plan.left_s == pytest.approx(left_s)
    slow, quick = of_library(feed="dataframe"), of_library("onnxruntime", feed="ndarray")
    assert plan.order([slow, quick]) == [quick, slow]


@pytest.mark.parametrize(("start_s", "count"), [(0, 0), (3, 0), (4, 1)])
def test_starts_that_a_budget_does_not_hold_in_turn_overlap(tmp_path: Path, start_s: int, count: int) -> None:
    clock, pair = FakeClock(), [of_library(), of_library("onnxruntime")]
    budget = Budget(10 * S, clock, clock.now)
    clock.spend(S)
    plan = StartPlan(pair, Settings(budget_s=10), budget, machine(tmp_path), start_ns=start_s * S)
    assert (plan.count_layouts(0), plan.count_layouts(1)) == (count, 0)


def test_the_least_budgets_bound_no_start(tmp_path: Path) -> None:
    clock = FakeClock()
    plan = StartPlan([of_library()], Settings(budget_s=1), Budget(S, clock, clock.now), machine(tmp_path))
    clock.spend(20 * S)
    assert (plan.count_layouts(0), plan.count_layouts(1), plan.left_s) == (0, 0, None)


def test_nobody_starts_twice_whose_second_process_may_take_something_from_the_first(tmp_path: Path) -> None:
    function = of_library("callable")
    others = [candidate("fake"), function, of_library("torch", device="cuda"), of_library("torch", compile="yes")]
    others += [of_library("onnxruntime", providers="cuda"), of_library("lleaves"), of_library("http")]
    assert not any(map(can_start_twice, others))
    assert all(map(can_start_twice, [of_library(), of_library("onnxruntime", providers="cpu"), of_library("torch")]))
    assert counts_of(machine(tmp_path), Settings(), [of_library(), function]) == [0, 0, 0]


def test_what_the_kernel_does_not_tell_counts_as_nothing(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/7/statm": "", "proc/7/io": "read_bytes: many", "proc/meminfo": "MemFree: 1 kB"})
    assert (resident_bytes(7, root), storage_read_bytes(7, root), available_memory_bytes(root)) == (0, 0, 0)
