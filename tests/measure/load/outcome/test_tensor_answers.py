"""A network's answers beside a model's outputs for the same requests."""

from collections import Counter

import numpy as np
import pytest

from infer_bench.measure.load.expected_outputs import ExpectedOutputs
from infer_bench.measure.load.outcome.tensor_answers import compare_tensor_answers
from infer_bench.measure.load.recorded_answers import AnswerCounts, record_outputs
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.report.load import AnswerComparison
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions, Yardstick
from infer_bench.typing import Array

SCORES = np.random.default_rng(0).normal(size=(4, 1, 64)).astype(np.float32)
WORDS = np.array([["a", "é"]], dtype=object)


def outputs_of(place: int, **changes: Array) -> dict[str, Array]:
    return {"scores": SCORES[place], "ids": np.full((1, 2), place), "words": WORDS, **changes}


def expect(max_delta: float | None = None, *, refused: int = -1) -> ExpectedOutputs:
    """Four requests in two blocks."""
    expected = ExpectedOutputs("net.onnx", ValidateSettings(atol=max_delta).limits())
    for start in (0, 2):
        columns = {name: [outputs_of(start + i)[name] for i in range(2)] for name in outputs_of(0)}
        exact = {"scores": [SCORES[start + i].astype(np.float64) * (1 + 3e-8) for i in range(2)]}
        yardstick = None if max_delta else Yardstick(exact, [exact, exact], np.ones(2))
        refusals = np.array([start + i == refused for i in range(2)])
        expected.add(NamedPredictions(columns, refusals, "no", yardstick))
    return expected


def compare(*answers: tuple[int, dict[str, Array]], expected: ExpectedOutputs | None = None) -> AnswerComparison:
    counts: AnswerCounts = {}
    for payload, outputs in answers:
        counts.setdefault(payload, Counter())[record_outputs(outputs)] += 2
    return compare_tensor_answers(counts, expected or expect())


def test_answers_that_are_the_same_but_for_rounding() -> None:
    near = outputs_of(3, scores=np.nextafter(SCORES[3], np.float32(9)))
    comparison = compare(*((i, outputs_of(i)) for i in range(4)), (3, near))
    assert (comparison.answers, comparison.different, comparison.outputs) == (10, 0, ())
    assert comparison.max_abs_delta is not None
    assert 0 < comparison.max_abs_delta < 1e-6


def test_every_output_is_compared_and_each_answer_counts_as_often_as_it_was_given() -> None:
    for name, other in (
        ("scores", SCORES[1] + np.float32(1e-4)),
        ("ids", np.array([[1, 2]])),
        ("ids", np.array([[1, 1, 1]])),
        ("words", np.array([["a", "b"]], dtype=object)),
    ):
        comparison = compare(*((i, outputs_of(i)) for i in range(4)), (1, outputs_of(1, **{name: other})))
        assert (comparison.answers, comparison.different, comparison.outputs) == (10, 2, (name,))


def test_an_answer_in_anothers_place_or_without_an_output_or_to_what_the_model_refuses_differs() -> None:
    assert compare((0, outputs_of(1)), (1, outputs_of(1))).different == 2
    lacking = {"scores": SCORES[0], "ids": np.zeros((1, 2), np.int64)}
    assert (compare((0, lacking)).different, compare((0, lacking)).outputs) == (2, ("words",))
    assert compare((2, outputs_of(2)), (3, outputs_of(3)), expected=expect(refused=3)).different == 2


def test_a_tolerance_of_ones_own_decides() -> None:
    other = outputs_of(2, scores=SCORES[2] + np.float32(1e-4))
    assert compare((2, other), expected=expect(1e-3)).different == 0
    assert compare((2, other), expected=expect(1e-5)).different == 2


def test_answers_for_which_there_is_no_room_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infer_bench.measure.load.recording.MOST_BYTES", 100)
    recording = Recording([])
    recording.answers = {}
    for value in (0, 0, 1, 2):
        recording.keep(0, record_outputs({"y": np.full(50, value, np.uint8)}))
    assert recording.left_out == 1
    assert sum(recording.answers[0].values()) == 3
