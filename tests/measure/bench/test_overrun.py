"""What is said of a run that took longer than its budget."""

import pytest

from infer_bench.measure.bench.overrun import note_overrun
from infer_bench.measure.schedule.budget import Budget
from tests.fakes import FakeClock
from tests.measure.fake_layouts import S


@pytest.mark.parametrize(
    ("start_s", "end_s", "text"),
    [
        (4, 11, ""),
        (
            4,
            13,
            "the run took 13 s with a budget of 10 s: starting took 4 s, and the least that is measured",
        ),
        (14, 15, "the run took 15 s with a budget of 10 s: starting took 14 s"),
    ],
)
def test_a_run_that_took_far_longer_than_its_budget_says_so_and_what_its_starts_took(
    start_s: int, end_s: int, text: str
) -> None:
    clock = FakeClock()
    budget = Budget(8 * S, clock, begin_ns=clock.now)
    clock.spend(start_s * S)
    budget.note_start()
    clock.spend((end_s - start_s) * S)
    budget.note_start()  # of a later layout
    assert [notice.message.startswith(text) for notice in note_overrun(budget, 10.0)] == [True] * bool(text)
    assert note_overrun(budget, None) == ()


def test_a_run_without_a_budget_and_one_of_measuring_alone_say_nothing() -> None:
    clock = FakeClock()
    budget = Budget(S, clock)
    clock.spend(9 * S)
    assert note_overrun(None, 1.0) == note_overrun(budget, 1.0) == ()
