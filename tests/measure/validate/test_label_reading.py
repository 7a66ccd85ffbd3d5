"""Labels compared with labels where one side gives nothing else: which, under which names, and what is said of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from infer_bench import validate
from infer_bench.errors import DataError
from infer_bench.measure.validate.label_reading import LabelReading, choose_reading
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.saved_predictions import SavedPredictions, load_predictions
from infer_bench.model import Label, ModelSpec
from infer_bench.reporters.registry import render
from infer_bench.stats.agreement.comparison import Comparison, compare
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.predictions import Labels, Predictions

NAN = float("nan")
P = np.array([[0.1], [0.7], [0.4], [0.9]])
"""Probabilities of the second class, of four rows: 0, 1, 0, 1."""


def model(*classes: Label, labels_only: bool = False, outputs: int = 1, is_function: bool = False) -> Predictor:
    """A model `m` with these classes and outputs."""
    task = "raw" if not classes else "binary" if len(classes) == 2 else "multiclass"
    spec = ModelSpec(task, (), ("y",) * outputs, classes, labels_only=labels_only)  # type: ignore[arg-type]
    return cast(Predictor, SimpleNamespace(spec=spec, name="m", is_function=is_function))


def saved(values: Any, folder: Path) -> SavedPredictions:
    np.save(folder / "y.npy", np.asarray(values))
    return load_predictions(str(folder / "y.npy"))


def compare_alone(reading: LabelReading, saved_labels: SavedPredictions, candidate: Predictions) -> Comparison:
    ours, theirs = reading.alone(saved_labels.predictions(0, len(candidate.values)), candidate)
    return compare(ours, theirs, Limits())


def predictions(values: Any, labels: Any = None) -> Predictions:
    return Predictions.unrefused(np.asarray(values, dtype=np.float64), None if labels is None else Labels.of(labels))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1, 0, 0], (0, 1)),
        ([[0], [1], [0], [0]], (0, 1)),
        ([False, True, False, False], (0, 1)),
        ([0.0, 1.0, 0.0, 0.0], (0, 1)),
        ([0.0, 1.0, 0.0, NAN], (0, 1)),
        (["no", "yes", "no", "no"], ("no", "yes")),
        (["no", "yes", "no", "no"], (0, 1)),
        (["0", "1", "0", "0"], (0, 1)),
        ([0, 1, 0, 0], ("no", "yes")),
    ],
)
def test_labels_of_any_type_are_compared_with_labels(labels: Any, classes: Any, tmp_path: Path) -> None:
    """The last of four rows has another label; its numbers are compared with none."""
    reference = saved(labels, tmp_path)
    reading = choose_reading(reference, model(*classes), None)
    assert reading is not None
    own = [classes[int(p > 0.5)] for p in P[:, 0]]
    result = compare_alone(reading, reference, predictions(P, own))
    assert (result.label_changes, result.failing, result.rows, result.outputs) == (1, 1, 4, ())
    assert (result.passing_atol, result.max_abs, result.worst.lines) == (None, 0.0, ())


@pytest.mark.parametrize(
    ("values", "classes"),
    [([0.2, 1.0], (0, 1)), ([0.0, 2.0], (0, 1)), ([[0.2, 0.8], [0.0, 1.0]], (0, 1)), ([3, 4], ()), ([0.5, 2], ())],
)
def test_numbers_are_compared_as_numbers(values: Any, classes: Any, tmp_path: Path) -> None:
    assert choose_reading(saved(values, tmp_path), model(*classes), None) is None


def test_what_is_assumed_of_names_is_said(tmp_path: Path) -> None:
    reading = choose_reading(saved(["b", "a"], tmp_path), model(0, 1), None)
    assert reading is not None
    assert reading.reason == "y.npy holds class labels"
    assert reading.remarks == ("the classes of m were read in their order: 0 as 'a', 1 as 'b'",)
    strange = choose_reading(saved([0, 1, 2, 5], tmp_path), model(0, 1), None)
    assert strange is not None
    assert strange.remarks == ("2, 5 are no classes of m",)
    floats = choose_reading(saved([0.0, 1.0], tmp_path), model(0, 1), None)
    assert floats is not None
    assert floats.reason == "y.npy holds whole numbers, taken for class labels"


def test_a_label_that_is_no_class_never_agrees(tmp_path: Path) -> None:
    reference = saved(["no", "maybe"], tmp_path)
    reading = choose_reading(reference, model("no", "yes"), None)
    assert reading is not None
    assert compare_alone(reading, reference, predictions(P[:2], ["no", "yes"])).label_changes == 1


def test_a_threshold_of_the_user_decides_the_label(tmp_path: Path) -> None:
    reference = saved([0, 1, 1, 1], tmp_path)
    reading = choose_reading(reference, model(0, 1), 0.3)
    assert reading is not None
    assert compare_alone(reading, reference, predictions(P, [0, 1, 0, 1])).failing == 0


@pytest.mark.parametrize(
    ("outputs", "values"),
    [(1, P), (2, np.hstack([1 - P, P])), (3, np.hstack([1 - P, P, 0 * P])), (2, np.hstack([-P, P - 1.0]))],
)
def test_a_model_without_classes_gives_the_place_of_its_largest_output(
    outputs: int, values: Any, tmp_path: Path
) -> None:
    labels = (values > 0.5).astype(int).reshape(-1) if outputs == 1 else values.argmax(axis=1)
    reference = saved(labels, tmp_path)
    reading = choose_reading(reference, model(outputs=outputs), None)
    assert reading is not None
    assert reading.remarks[0].startswith("m names no classes: ")
    assert compare_alone(reading, reference, predictions(values)).failing == 0


def test_what_is_no_probability_has_no_label(tmp_path: Path) -> None:
    """A score of which nobody knows where the second class begins."""
    reference = saved([0, 1, 1], tmp_path)
    reading = choose_reading(reference, model(), None)
    assert reading is not None
    assert compare_alone(reading, reference, predictions([[-2.0], [3.0], [0.8]])).failing == 2


def test_refused_rows_count_and_rows_without_a_number_have_no_label(tmp_path: Path) -> None:
    reference = saved([0, 1, 0, 1], tmp_path)
    reading = choose_reading(reference, model(0, 1), None)
    assert reading is not None
    refusing = Predictions(
        np.array([[0.1], [NAN], [NAN], [0.9]]), np.array([0, 1, 0, 0], np.bool_), Labels.of([0, 1, 0, 1])
    )
    result = compare_alone(reading, reference, refusing)
    assert (result.refusals, result.label_changes, result.failing) == (1, 1, 2)
    assert [line[0] for line in result.worst.lines] == [1]


@pytest.mark.parametrize("reference", ["saved", "model"])
def test_a_model_of_labels_alone_is_compared_with_probabilities_by_labels(reference: str, tmp_path: Path) -> None:
    bare = model(0, 1, labels_only=True)
    if reference == "saved":
        probabilities = saved(P, tmp_path)
        ours, reading = probabilities.predictions(0, 4), choose_reading(probabilities, bare, None)
    else:
        ours, reading = predictions(P, [0, 1, 0, 1]), choose_reading(model(0, 1), bare, None)
    assert reading is not None
    assert (reading.reason, reading.hint) == (
        "m gives labels alone",
        "export the probabilities too, to have them compared",
    )
    result = compare(*reading.alone(ours, predictions([[0.0], [1.0], [0.0], [0.0]], [0, 1, 0, 0])), Limits())
    assert (result.label_changes, result.failing) == (1, 1)
    assert choose_reading(bare, bare, None) is None


def test_text_needs_classes_or_text(tmp_path: Path) -> None:
    texts = saved(["a", "b"], tmp_path)
    with pytest.raises(DataError, match=r"y\.npy holds text, and m gives no classes") as refusal:
        choose_reading(texts, model(), None)
    assert refusal.value.hint == "save its numbers, or compare it with a classifier"
    reading = choose_reading(texts, model(is_function=True), None)
    assert reading is not None
    function = Predictions.unrefused(np.full((2, 1), NAN), Labels.of(["a", "c"], text=True))
    assert compare_alone(reading, texts, function).label_changes == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of two classes with rows, and the labels of its training saved in several ways."""
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    place = tmp_path_factory.mktemp("labels")
    body = "w = Constant<value = float[2,2] {1,-1,2,0.5}>() s = MatMul(x, w) y = Softmax(s)"
    graph = f"g (float[N,2] x) => (float[N,2] y) {{ {body} }}"
    onnx.save(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {graph}'), place / "m.onnx")
    rows = np.random.default_rng(0).normal(size=(32, 2)).astype(np.float32)
    np.save(place / "rows.npy", rows)
    labels = (rows @ np.array([[1, -1], [2, 0.5]])).argmax(axis=1)
    np.save(place / "same.npy", labels)
    labels[[3, 17]] = 1 - labels[[3, 17]]
    pd.DataFrame({"id": range(32), "label": np.where(labels == 1, "yes", "no")}).to_csv(
        place / "other.csv", index=False
    )
    return place


def test_the_report_says_that_labels_alone_were_compared(folder: Path) -> None:
    report = validate(str(folder / "same.npy"), str(folder / "m.onnx"), data=str(folder / "rows.npy"))
    assert report.verdict is not None
    assert (report.verdict.exit_code, report.results[0].output_meaning) == (0, "label")
    assert [(notice.code, notice.message) for notice in report.notices] == [
        ("labels-only", "same.npy holds class labels: only labels were compared, 0 of 32 disagree")
    ]
    text = render(report, "table")
    assert "max |Δ|" not in text
    assert "tolerance" not in text


def test_disagreements_are_counted_and_located(folder: Path) -> None:
    report = validate(str(folder / "other.csv"), str(folder / "m.onnx"), data=str(folder / "rows.npy"))
    assert report.verdict is not None
    result = report.results[0]
    assert (report.verdict.exit_code, result.groups[0].label_changes, result.not_explained) == (4, 2, 2)
    assert result.why == (
        "not explained: labels alone do not say why they differ, first in row 3 of data, row 17 of data"
    )
    assert report.notices[0].message == (
        "other.csv holds class labels: only labels were compared, 2 of 32 disagree; "
        "the classes of m.onnx were read in their order: 0 as 'no', 1 as 'yes'"
    )
