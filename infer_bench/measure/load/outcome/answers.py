"""Every answer beside what the model predicts."""

import numpy as np

from infer_bench.engines.session import to_canonical
from infer_bench.errors import EngineError
from infer_bench.measure.load.recorded_answers import AnswerCounts, RecordedAnswer
from infer_bench.measure.load.reference import ExpectedPredictions
from infer_bench.report.load import AnswerComparison
from infer_bench.typing import Floats


def compare_answers(counts: AnswerCounts, expected: ExpectedPredictions, batch: int) -> AnswerComparison:
    """How many answers differ from the model's by more than its tolerance, and by how much the worst."""
    different = total = 0
    worst: float | None = None
    for payload, answers in counts.items():
        rows = (payload * batch + np.arange(batch)) % len(expected.values)
        for answer, count in answers.items():
            delta, differs = _compare(answer, expected, expected.values[rows])
            total += count
            different += count * differs
            worst = delta if delta is not None and (worst is None or delta > worst) else worst
    return AnswerComparison(expected.model, total, different, worst, expected.atol)


def _compare(answer: RecordedAnswer, expected: ExpectedPredictions, own: Floats) -> tuple[float | None, bool]:
    """The largest difference of a request's rows (None where their forms differ), and whether it is one."""
    if not answer or len(answer) % len(own):
        return None, True
    try:
        values = to_canonical(np.asarray(answer).reshape(len(own), -1), expected.spec)
    except EngineError:
        return None, True
    if values.shape != own.shape:
        return None, True
    both_nan = np.isnan(values) & np.isnan(own)
    delta = np.where(both_nan | (values == own), 0.0, np.abs(values - own))
    delta = np.where(np.isnan(delta), np.inf, delta)
    tolerance = expected.atol + expected.rtol * np.where(np.isfinite(own), np.abs(own), 0.0)
    return float(delta.max(initial=0.0)), bool((delta > tolerance).any())
