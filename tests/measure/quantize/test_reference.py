"""What counts as a difference, a flip, a limit that is met."""

import numpy as np
import pytest

from infer_bench.errors import DataError, EngineError
from infer_bench.measure.quantize.limits import check_limits, outcome_of, rows_to_tell
from infer_bench.measure.quantize.reference import largest_delta, read_reference
from infer_bench.measure.quantize.settings import QuantizeLimits
from infer_bench.report.quantize import Flips

PROBABILITIES = np.array([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1]], dtype=np.float32)


def test_differences_that_are_none_and_such_that_are_all() -> None:
    values = np.array([1.0, np.nan, np.inf, -np.inf])
    assert largest_delta(values, values.copy()) == 0.0
    assert largest_delta(values, np.array([1.5, np.nan, np.inf, -np.inf])) == 0.5
    assert largest_delta(values, np.array([1.0, 0.0, np.inf, -np.inf])) == np.inf
    assert largest_delta(values, np.array([1.0, np.nan, -np.inf, -np.inf])) == np.inf
    assert largest_delta(np.array([1, 2]), np.array([1, 5])) == 3.0
    with pytest.raises(EngineError, match="other shapes"):
        largest_delta(values, values[:3])


def test_labels_beside_probabilities_flip_and_differ_by_nothing() -> None:
    outputs = {"label": np.array([0, 1, 0]), "p": PROBABILITIES}
    reference = read_reference(outputs, None, flips_limited=False)
    assert reference.deltas({"label": np.array([1, 1, 0]), "p": PROBABILITIES}) == {"p": 0.0}
    alone = read_reference({"label": np.array([0, 1])}, None, flips_limited=False)
    assert alone.deltas({"label": np.array([1, 1])}) == {"label": 1.0}
    assert read_reference({"label": np.array(["a"])}, None, flips_limited=False).compared_outputs == ()


def test_flips_are_split_by_what_is_true() -> None:
    reference = read_reference({"p": PROBABILITIES}, np.array([0, 1, 1]), flips_limited=False)
    flips = reference.flips({"p": PROBABILITIES[:, ::-1]})
    assert flips == Flips(3, 3, 2, 1, 1.0)
    assert reference.quality({"p": PROBABILITIES}) is not None


def test_what_looks_like_no_class_scores_is_not_taken_for_some() -> None:
    numbers = {"y": np.array([[3.0, -2.0], [1.0, 7.0]])}
    assert read_reference(numbers, None, flips_limited=False).scores is None
    assert read_reference(numbers, None, flips_limited=True).scores == "y"
    assert read_reference({"y": np.array([[0.2], [0.9]])}, None, flips_limited=False).scores == "y"
    both = {"boxes": np.array([[3.0, 9.0, 2.0]]), "p": np.array([[0.2, 0.8]])}
    assert read_reference(both, None, flips_limited=True).scores == "p"
    with pytest.raises(DataError, match="tells classes"):
        read_reference({"y": np.array([[3.5], [9.0]])}, np.array([0, 1]), flips_limited=False)


@pytest.mark.parametrize(
    ("labels", "codes"), [(["no", "yes", "yes"], [0, 1, 1]), ([1, 2, 2], [0, 1, 1]), ([False, True, True], [0, 1, 1])]
)
def test_labels_are_numbered_in_order(labels: list[object], codes: list[int]) -> None:
    truth = read_reference({"p": PROBABILITIES}, np.asarray(labels), flips_limited=False).truth
    assert truth is not None
    assert truth.tolist() == codes
    with pytest.raises(DataError, match="3 different labels and the model has 2"):
        read_reference({"p": PROBABILITIES}, np.array(["a", "b", "c"]), flips_limited=False)


def test_a_share_is_met_broken_or_cannot_be_told() -> None:
    limits = QuantizeLimits(max_flips=0.01)
    for count, rows, outcome in ((0, 897, "pass"), (5, 897, "undecided"), (40, 897, "broken"), (0, 50, "undecided")):
        (check,) = check_limits(limits, 0.0, Flips(rows, count), 0.01)
        assert check.outcome == outcome
        assert check.low <= check.value <= check.high
    (check,) = check_limits(QuantizeLimits(max_drop=0.005), 0.0, Flips(897, 20, 6, 14, 0.1), 0.05)
    assert check.outcome == "undecided"
    (check,) = check_limits(QuantizeLimits(max_delta=0.1), 0.2, None, 0.01)
    assert check.outcome == "broken"
    assert outcome_of(()) == "pass"


def test_the_rows_that_it_takes_are_as_many_as_it_takes() -> None:
    for limits in (QuantizeLimits(max_flips=0.01), QuantizeLimits(max_drop=0.01)):
        rows = rows_to_tell(limits, 0.01)
        for count, outcome in ((rows, "pass"), (rows - 2, "undecided")):
            (check,) = check_limits(limits, 0.0, Flips(count, 0, 0, 0, 1.0), 0.01)
            assert check.outcome == outcome
