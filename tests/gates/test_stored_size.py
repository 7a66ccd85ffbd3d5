"""So few stored processes that no later run could be judged by them."""

import math

import pytest

from infer_bench.errors import UsageError
from infer_bench.gates.stored_size import ALPHA, PROCESSES, check_stored_size, least_processes
from infer_bench.stats.decisions.mann_whitney import critical


@pytest.mark.parametrize("checks", [1, 2, 3, 7, 40])
def test_the_least_number_is_where_the_test_begins_to_tell(checks: int) -> None:
    least = least_processes(checks)
    assert critical(PROCESSES, least, ALPHA / checks) is not None
    assert critical(PROCESSES, least - 1, ALPHA / checks) is None
    assert math.comb(PROCESSES + least, least) >= 100 * checks


def test_too_few_are_refused_with_how_many_it_takes() -> None:
    check_stored_size(3, 1)
    with pytest.raises(UsageError, match="in one process can never tell a regression: it takes 3") as caught:
        check_stored_size(1, 1)
    assert caught.value.hint == "--processes 3 or more; without it there are 9"
    with pytest.raises(UsageError, match=r"of 3 results in 3 processes .* it takes 4"):
        check_stored_size(3, 3)
