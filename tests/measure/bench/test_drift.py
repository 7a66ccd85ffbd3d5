"""Requests that get slower or faster within a process."""

from typing import Any

import numpy as np
import pytest

from infer_bench.measure.bench.drift import DRIFT, note_drift
from infer_bench.measure.bench.in_use import InUse
from tests.measure.bench.test_notices import CALM, RISE, STEADY, process, row

SPELL = np.repeat([1.0] * 5 + [1.5] * 4 + [1.0] * 3, 50)


def drift_of(*processes: Any, rows: Any = "rotate") -> list[str]:
    return [f"{n.code}: {n.message} ({n.hint})" for n in note_drift(row(*processes), InUse(rows=rows))]


@pytest.mark.parametrize(
    ("course", "words"),
    [(RISE, "% longer at the end"), (RISE[::-1], "% shorter at the end")],
)
def test_a_course_that_all_processes_share_is_said(course: Any, words: str) -> None:
    (said,) = drift_of(*(process((CALM * course).astype(int), i, reference_ns=STEADY) for i in range(3)))
    assert said.startswith(DRIFT)
    assert words in said
    assert "rows that stand in the order of their cost" in said


@pytest.mark.parametrize(
    "processes",
    [
        [process(CALM, i, reference_ns=STEADY) for i in range(3)],
        [process((CALM * SPELL).astype(int), i, reference_ns=STEADY) for i in range(3)],
        [process((CALM * (RISE if i else RISE[::-1])).astype(int), i, reference_ns=STEADY) for i in range(3)],
        [process((CALM * RISE).astype(int), i, reference_ns=50_000 * RISE[::50]) for i in range(3)],
        [process((CALM * RISE).astype(int), i, reference_ns=STEADY, queued=0.4) for i in range(3)],
    ],
    ids=["calm", "a slow spell", "both directions", "the machine as well", "a machine that others use"],
)
def test_what_is_no_candidate_s_course_is_not(processes: Any) -> None:
    assert drift_of(*processes) == []
