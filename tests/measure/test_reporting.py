"""When a report is saved on the way: as often as it is cheap, and the first time at once."""

from typing import Any

from infer_bench.measure.reporting import SAVING_SHARE, PartialSaves
from tests.fakes import FakeClock

COST_NS = 3_000_000
START_NS = FakeClock().now


def count_saves(times: list[int], cost_ns: int = COST_NS) -> list[int]:
    """The times, of those at which it was called, at which a report was saved."""
    clock, saves = FakeClock(), list[int]()

    def build() -> Any:
        clock.spend(cost_ns)

    partial_saves = PartialSaves(build, lambda _: saves.append(at), clock)
    for at in times:
        clock.spend(max(0, at - clock.now))
        partial_saves()
    return saves


def test_the_first_round_is_safe_at_once_and_later_ones_when_it_is_worth_it() -> None:
    next_ns = START_NS + COST_NS + round(COST_NS / SAVING_SHARE)
    assert count_saves([START_NS, START_NS + 1, next_ns - 1, next_ns, next_ns + 1]) == [START_NS, next_ns]


def test_what_costs_nothing_is_done_every_time() -> None:
    assert count_saves([5000, 6000, 7000], cost_ns=0) == [5000, 6000, 7000]


def test_no_report_is_built_for_nobody() -> None:
    def refuse() -> Any:
        raise AssertionError

    PartialSaves(refuse, None)()
