"""Answers beside a model's predictions."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from infer_bench.measure.load.outcome.answers import compare_answers
from infer_bench.measure.load.outcome.verdict import conclude
from infer_bench.measure.load.recorded_answers import AnswerCounts, flatten_answer
from infer_bench.measure.load.reference import ExpectedPredictions
from infer_bench.model import ModelSpec
from infer_bench.report.load import AnswerComparison
from tests.measure.load.generator.results import make_result

BINARY = ModelSpec("binary", (), ("yes",), ("no", "yes"))
EXPECTED = ExpectedPredictions("m.txt", BINARY, np.array([[0.25], [0.5], [np.nan]]), 1e-4, 0.0)


def compare(*answers: tuple[int, Any], batch: int = 1) -> AnswerComparison:
    counts: AnswerCounts = {}
    for payload, predictions in answers:
        counts.setdefault(payload, Counter())[flatten_answer(predictions)] += 1
    return compare_answers(counts, EXPECTED, batch)


def test_answers_within_the_tolerance_are_the_same() -> None:
    comparison = compare((0, [[0.25]]), (0, [[0.25]]), (1, [[0.50005]]), (2, [[None]]))
    assert (comparison.answers, comparison.different) == (4, 0)
    assert comparison.max_abs_delta == pytest.approx(5e-5)


@pytest.mark.parametrize("answer", [(0, [[0.26]]), (0, [[None]]), (2, [[0.1]]), (1, [[0.2, 0.3, 0.5]]), (1, [])])
def test_another_number_or_form_differs(answer: tuple[int, Any]) -> None:
    assert compare((0, [[0.25]]), answer).different == 1


def test_two_columns_of_a_binary_model_are_read_as_one() -> None:
    assert compare((0, [[0.75, 0.25]])).different == 0
    assert compare((0, [[0.25, 0.75]])).different == 1


def test_rows_of_a_request_take_turns() -> None:
    assert compare((0, [[0.25], [0.5]]), (1, [[None], [0.25]]), batch=2).different == 0
    assert compare((0, [[0.5], [0.25]]), batch=2).different == 1


def test_a_difference_ends_with_its_own_code() -> None:
    for different, code in ((0, 0), (1, 4)):
        comparison = AnswerComparison("m.txt", 10, different, 0.1, 1e-4)
        assert conclude([make_result(comparison=comparison)]).exit_code == code
