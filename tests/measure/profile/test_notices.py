"""What is said of a profiler that did not see all, or saw more than one thread."""

import pytest

from infer_bench.measure.profile.notices import note_profiler
from infer_bench.measure.profile.settings import ProfileSettings


@pytest.mark.parametrize(
    ("was_ended", "others", "codes"),
    [(False, 0.05, []), (False, 0.4, ["other-threads"]), (True, 0.4, ["profiler-ended"])],
)
def test_what_the_profiler_could_not_tell_is_said(was_ended: bool, others: float, codes: list[str]) -> None:
    notices = list(note_profiler("service:predict", ProfileSettings(), was_ended=was_ended, others=others))
    assert [notice.code for notice in notices] == codes
    assert all("service:predict" in notice.message and "cprofile" in notice.message for notice in notices)
