"""What remembers its answers is told by requests that nobody asked yet."""

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.bench.repeated_rows import note_repeated_rows, remembers_rows
from infer_bench.workers.timing.changed_rows import change_numbers, time_changed_rows
from infer_bench.workers.timing.loop import Stages
from infer_bench.workers.timing.requests import ChangedRowTimes
from tests.fakes import FakeClock

RECORDS = [{"a": i + 0.5, "n": i, "id": float(i)} for i in range(21)]


def stages(clock: FakeClock, *, memory: bool) -> Stages:
    """A model of 1 ms a request, or of 10 µs where it remembers the answer."""
    answers: dict[tuple[Any, ...], float] = {}

    def predict(record: dict[str, Any]) -> float:
        key = tuple(record.values())
        clock.spend(10_000 if memory and key in answers else 1_000_000)
        return answers.setdefault(key, 1.0)

    return Stages(dict, predict, float)


@pytest.mark.parametrize("memory", [False, True])
def test_a_model_that_remembers_rows_is_told_from_one_that_does_not(memory: bool) -> None:
    clock = FakeClock(10)
    times = time_changed_rows(stages(clock, memory=memory), RECORDS, clock, 10**9)
    assert len(times.repeated) == len(RECORDS)
    assert remembers_rows(times) == memory


def test_it_ends_with_its_time_and_says_nothing_of_few_pairs() -> None:
    clock = FakeClock(10)
    times = time_changed_rows(stages(clock, memory=True), RECORDS, clock, 6_000_000)
    assert len(times.repeated) == 2
    assert not remembers_rows(times)
    none = time_changed_rows(stages(clock, memory=True), [{"n": 1, "text": "a"}], clock, 10**9)
    assert none.repeated.size == 0
    assert not remembers_rows(none)


def test_calls_that_slices_end_with_are_not_remembered() -> None:
    clock, calls = FakeClock(10), itertools.count()

    def predict(record: dict[str, Any]) -> float:
        clock.spend(8_000_000 if next(calls) % 5 == 2 else 1_000_000)  # the first changed one of every turn
        return 1.0

    assert not remembers_rows(time_changed_rows(Stages(dict, predict, float), RECORDS, clock, 10**9))


@pytest.mark.parametrize(("timed_ns", "is_noted"), [(10_000, True), (990_000, False)])
def test_a_cache_that_holds_none_of_the_timed_rows_is_not_noted(timed_ns: int, is_noted: bool) -> None:
    clock: Any = FakeClock(10)
    measurement: Any = SimpleNamespace(
        changed_rows=time_changed_rows(stages(clock, memory=True), RECORDS, clock, 10**9),
        candidate=SimpleNamespace(label="callable"),
        samples=lambda part: [[np.full(10, 2 * timed_ns)]],
        calls=2,
    )
    assert bool(list(note_repeated_rows([measurement], several=False))) is is_noted


def test_rows_that_the_machine_slows_now_and_then_are_not_remembered() -> None:
    times = np.full(21, 1_000)
    assert not remembers_rows(ChangedRowTimes(times, np.where(np.arange(21) % 3, times, 90_000)))


def test_only_fractions_change_and_by_little() -> None:
    changed = change_numbers({"a": -0.5, "b": 2.0, "n": 3, "x": float("nan"), "t": "1.5", "u": None}, 2)
    assert changed is not None
    assert changed["a"] != -0.5
    assert changed["a"] == pytest.approx(-0.5, rel=1e-14)
    assert {name: value for name, value in changed.items() if name not in ("a", "x")} == {
        "b": 2.0,
        "n": 3,
        "t": "1.5",
        "u": None,
    }
    assert change_numbers({"b": 2.0, "n": 3}, 1) is None
