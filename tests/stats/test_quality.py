"""Accuracy, F1 and AUC are scikit-learn's, ties, rare and missing classes included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from infer_bench.stats.quality import accuracy, auc, f1_macro


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(8, 60))
def test_they_are_those_of_scikit_learn(seed: int, classes: int, rows: int) -> None:
    generator = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), generator.integers(0, classes, rows)])
    scores = np.round(generator.random((len(truth), classes)), 1) + 0.05
    scores /= scores.sum(axis=1, keepdims=True)
    predicted = scores.argmax(axis=1)
    assert accuracy(truth, predicted) == accuracy_score(truth, predicted)
    average = "binary" if classes == 2 else "macro"
    assert f1_macro(truth, predicted, classes) == pytest.approx(f1_score(truth, predicted, average=average))
    expected = roc_auc_score(truth, scores[:, 1] if classes == 2 else scores, multi_class="ovr")
    assert auc(truth, scores) == pytest.approx(expected)


def test_a_class_without_rows_has_no_area() -> None:
    scores = np.array([[0.2, 0.8, 0.0], [0.7, 0.2, 0.1]])
    assert auc(np.array([1, 0]), scores) is None
    assert auc(np.array([0, 0]), scores[:, :2]) is None
    assert f1_macro(np.array([0, 0]), np.array([0, 0]), 2) == 0.0
