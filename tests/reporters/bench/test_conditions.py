"""The line above a bench's table."""

from dataclasses import replace

import pytest

from infer_bench.reporters.bench.columns import describe_conditions
from tests import reports


@pytest.mark.parametrize(
    ("starts_ns", "text"),
    [([[5, 6, 7]], "3 cold starts"), ([[5]], "1 cold start"), ([[5, 0], [5, 6]], "1 to 2 cold starts"), ([[0]], "")],
)
def test_it_says_of_how_many_starts_a_cold_start_is_the_median(starts_ns: list[list[int]], text: str) -> None:
    one = reports.result("lightgbm")
    process = one.processes[0] if one.processes else reports.processes(p50=1000)[0]
    results = tuple(
        replace(one, processes=tuple(replace(process, cold_start_ns=ns, rounds=()) for ns in starts))
        for starts in starts_ns
    )
    last = describe_conditions(reports.report(*results, settings={"rounds": 60}), results).split(" · ")[-1]
    assert last == text if text else "cold" not in last
