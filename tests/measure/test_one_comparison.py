"""`bench`, its gate, `convert` and `validate` say the same of the same predictions."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infer_bench.data import Table
from infer_bench.gates.limits import GateLimits
from infer_bench.measure.bench.results import difference
from infer_bench.measure.convert.compare import TOLERANCES, Criterion, compare_group
from infer_bench.measure.gate.metrics import PairedMetrics
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.report import group_result
from infer_bench.report.convert import CheckedGroup
from infer_bench.report.validate import ValidateGroup
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions

NAN, INF = float("nan"), float("inf")
RELATIVE = Criterion("relative", TOLERANCES["float32"])
REFERENCE = np.array([[0.1, 0.9], [0.5, 0.5], [NAN, 0.2], [INF, 1.0], [0.3, 0.7], [0.0, 1.0]])
CANDIDATE = np.array([[0.1, 0.9], [0.25, 0.75], [NAN, 0.2], [-INF, 1.0], [NAN, 0.7], [0.0, 1.0]])
LABELS = (["yes", "no", "no", 1, "yes", True], ["yes", "yes", "yes", 1.0, "no", 1])


def predictions(values: Any, labels: Any = None, refusals: Any = ()) -> Predictions:
    mask = np.isin(np.arange(len(values)), np.array(refusals, dtype=np.int64))
    coded = None if labels is None else Labels.of(labels)
    return Predictions(np.where(mask[:, None], NAN, values), mask, coded)


def candidate_of(engine: str) -> Any:
    model = SimpleNamespace(path="model")
    return SimpleNamespace(engine=SimpleNamespace(name=engine), key=("model", engine), label=engine, model=model)


def bench(reference: Predictions, candidate: Predictions, labels: Any) -> dict[str, Any]:
    """What `bench` and its gate say, which is the same."""
    base, new = candidate_of("lightgbm"), candidate_of("onnxruntime")
    measurements = Measurements([base, new], [1])
    ours, theirs = measurements
    ours.predictions, ours.labels = reference.values, labels and labels[0]
    theirs.predictions, theirs.labels = candidate.values, labels and labels[1]
    (gate,) = PairedMetrics([Pair(new, base)], measurements, GateLimits({})).collect()
    delta = difference(theirs, ours)
    assert (gate.max_abs_delta, gate.label_changes) == (delta.get("max_abs_delta"), delta.get("label_changes"))
    assert (gate.mismatches, gate.rows_compared) == (delta.get("non_finite_mismatches", 0), delta.get("delta_rows", 0))
    return delta


def validated(reference: Predictions, candidate: Predictions) -> ValidateGroup:
    group = GroupComparison("data", Limits())
    group.add(reference, candidate, 0, Table({"a": np.zeros(len(reference.values))}).take)
    return group_result(group, ("p", "q"))


def said_by_all(reference: Any, candidate: Any, labels: Any) -> tuple[dict[str, Any], CheckedGroup, ValidateGroup]:
    ours, theirs = labels or (None, None)
    one, other = predictions(reference, ours), predictions(candidate, theirs)
    return bench(one, other, labels), compare_group("data", one, other, RELATIVE), validated(one, other)


def test_deltas_labels_and_what_is_not_finite_are_the_same_four_times() -> None:
    by_bench, by_convert, by_validate = said_by_all(REFERENCE, CANDIDATE, LABELS)
    assert by_bench["max_abs_delta"] == by_convert.max_abs_delta == by_validate.max_abs_delta == 0.25
    assert by_bench["label_changes"] == by_convert.label_changes == by_validate.label_changes == 1
    assert by_convert.non_finite_mismatches == by_validate.non_finite_mismatches == 2
    assert by_bench["non_finite_mismatches"] == sum(output.non_finite_mismatches for output in by_validate.outputs) == 2
    assert by_bench["delta_rows"] == by_convert.rows == by_validate.rows == 6


def test_another_number_of_outputs_is_no_agreement_anywhere() -> None:
    wide = np.hstack([REFERENCE, REFERENCE])
    by_bench, by_convert, by_validate = said_by_all(wide, CANDIDATE[:, :1], None)
    assert by_bench == {"delta_note": "1 output a row where the reference gives 4"}
    assert by_convert.non_finite_mismatches == by_validate.refusals == by_validate.failing == 6
    assert by_validate.note == "an answer has 1 column where the reference's has 4"


@pytest.mark.parametrize("swapped", [False, True])
def test_two_probabilities_beside_one_are_the_same_answer_four_times(swapped: bool) -> None:
    pair, single = np.array([[0.25, 0.75], [0.5, 0.5], [NAN, NAN]]), np.array([[0.75], [0.625], [NAN]])
    by_bench, by_convert, by_validate = said_by_all(*((single, pair) if swapped else (pair, single)), None)
    assert by_bench["max_abs_delta"] == by_convert.max_abs_delta == by_validate.max_abs_delta == 0.125
    assert (by_bench["delta_note"], by_bench["delta_rows"], by_validate.note) == ("", 3, "")
    assert (by_validate.failing, by_validate.refusals, by_convert.non_finite_mismatches) == (1, 0, 0)


def test_two_outputs_that_are_no_probabilities_are_other_outputs_four_times() -> None:
    """Two scores, or a regression of two targets of which some rows happen to add up to 1."""
    scores, single = np.array([[0.25, 0.75], [0.3, 1.2], [-2.0, 3.0]]), np.array([[0.75], [1.2], [3.0]])
    by_bench, by_convert, by_validate = said_by_all(scores, single, None)
    assert by_bench == {"delta_note": "1 output a row where the reference gives 2"}
    assert by_convert.non_finite_mismatches == by_validate.refusals == by_validate.failing == 2
    assert by_validate.note == "an answer has 1 column where the reference's has 2, and the two are no probabilities"


@pytest.mark.parametrize("labels", [None, LABELS])
def test_no_difference_is_none_anywhere(labels: Any) -> None:
    same = None if labels is None else (labels[0], labels[0])
    by_bench, by_convert, by_validate = said_by_all(REFERENCE, REFERENCE.copy(), same)
    changes = None if labels is None else 0
    assert (by_bench["max_abs_delta"], by_bench["label_changes"], by_bench["delta_note"]) == (0.0, changes, "")
    assert replace(by_convert, rows=0) == CheckedGroup("data", 0, 0.0, 0.0, 0)
    assert (by_validate.failing, by_validate.label_changes, by_validate.passing_atol) == (0, changes, 0.0)


def test_refused_rows_are_counted_apart_and_never_compared() -> None:
    reference = predictions(REFERENCE, None, (0, 1, 2))
    candidate = predictions(CANDIDATE, None, (1, 5))
    by_convert, by_validate = compare_group("data", reference, candidate, RELATIVE), validated(reference, candidate)
    assert by_convert.max_abs_delta == by_validate.max_abs_delta == 0.0
    assert (by_convert.refused, by_convert.answered_though_refused) == (3, 2)
    assert (by_validate.refusals, by_validate.refused_by_both) == (3, 1)
    assert by_convert.non_finite_mismatches == by_validate.non_finite_mismatches + 1 == 3
