"""`validate` on real models in real workers: wrong conversions differ, right ones do not, and what is not a model."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench import convert, validate
from infer_bench.errors import DataError, UsageError
from infer_bench.measure.validate import opening, user_rows
from infer_bench.report.validate import ValidateReport
from tests.measure.validate.causes.cases import lightgbm_text, table, xgboost_json

FEATURES = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models with plain and with exact conversions, and rows that float32 can hold."""
    place = tmp_path_factory.mktemp("models")
    (place / "trees.txt").write_text(lightgbm_text("binary"))
    (place / "ova.txt").write_text(lightgbm_text("multiclassova"))
    (place / "boosted.json").write_text(xgboost_json())
    (place / "softmax.json").write_text(softmax_json())
    for name in ("trees.txt", "boosted.json"):
        convert(str(place / name), str(place / f"{name}.exact.onnx"))
    for name in ("trees", "ova"):
        plain_lightgbm(place / f"{name}.txt", place / f"{name}.plain.onnx")
    for name in ("boosted", "softmax"):
        plain_xgboost(place / f"{name}.json", place / f"{name}.plain.onnx")
    plain_sklearn(place)
    rows = table("binary")[0].astype(np.float32).astype(np.float64)
    columns: dict[str, Any] = {f"Column_{i}": rows[:, i] for i in range(FEATURES)}
    np.savez(place / "rows.npz", **columns)
    unnamed: dict[str, Any] = {f"f{i}": np.nan_to_num(rows[:, i]) for i in range(FEATURES)}
    np.savez(place / "unnamed.npz", **unnamed)
    return place


def softmax_json() -> str:
    import xgboost

    x, y = table("multiclass")
    settings = {"objective": "multi:softmax", "num_class": 3, "max_depth": 2, "nthread": 1}
    return bytes(xgboost.train(settings, xgboost.DMatrix(x, y), 4).save_raw("json")).decode()


def plain_lightgbm(model: Path, output: Path) -> None:
    import lightgbm
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    inputs = [("input", FloatTensorType([None, FEATURES]))]
    graph = convert_lightgbm(
        lightgbm.Booster(model_file=str(model)), initial_types=inputs, target_opset=15, zipmap=False
    )
    output.write_bytes(graph.SerializeToString())


def plain_xgboost(model: Path, output: Path) -> None:
    import xgboost
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    inputs = [("input", FloatTensorType([None, FEATURES]))]
    graph = convert_xgboost(xgboost.Booster(model_file=str(model)), initial_types=inputs, target_opset=15)
    output.write_bytes(graph.SerializeToString())


def plain_sklearn(place: Path) -> None:
    """A linear model, which converts right, and one whose labels and one whose missing values are lost."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import TunedThresholdClassifierCV

    x, y = table("binary")
    full = np.nan_to_num(x)
    models: dict[str, Any] = {
        "linear": LogisticRegression().fit(full, y),
        "tuned": TunedThresholdClassifierCV(LogisticRegression(), scoring="recall", cv=2).fit(full, y),
        "forest": RandomForestClassifier(4, max_depth=4, random_state=0).fit(x, y),
    }
    for name, model in models.items():
        (place / f"{name}.pkl").write_bytes(pickle.dumps(model))
        graph = to_onnx(model, full[:1].astype(np.float32), options={"zipmap": False})
        (place / f"{name}.plain.onnx").write_bytes(graph.SerializeToString())


def run(
    folder: Path, reference: str, candidate: str, *, data: str | None = "rows.npz", **settings: Any
) -> ValidateReport:
    part = None if data is None else str(folder / data)
    return validate(str(folder / reference), str(folder / candidate), data=part, **settings)


@pytest.mark.parametrize(
    ("reference", "candidate", "data", "cause"),
    [
        ("trees.txt", "trees.plain.onnx", "rows.npz", "threshold cast"),
        ("trees.txt", "trees.plain.onnx", None, "threshold cast"),
        ("ova.txt", "ova.plain.onnx", None, "missing link"),
        ("softmax.json", "softmax.plain.onnx", None, "missing link"),
        ("forest.pkl", "forest.plain.onnx", None, "missing handling"),
        ("tuned.pkl", "tuned.plain.onnx", "unnamed.npz", "label rule"),
    ],
)
def test_a_wrong_conversion_differs_and_is_explained(
    folder: Path, reference: str, candidate: str, data: str | None, cause: str
) -> None:
    report = run(folder, reference, candidate, data=data)
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("different", 4)
    assert cause in {found.name for found in report.results[0].causes}
    assert report.results[0].worst


@pytest.mark.parametrize(
    ("reference", "candidate", "data"),
    [
        ("trees.txt", "trees.txt.exact.onnx", "rows.npz"),
        ("trees.txt", "trees.txt.exact.onnx", None),
        ("boosted.json", "boosted.json.exact.onnx", "rows.npz"),
        ("boosted.json", "boosted.plain.onnx", None),
        ("linear.pkl", "linear.plain.onnx", "unnamed.npz"),
    ],
)
def test_a_right_conversion_is_the_same(folder: Path, reference: str, candidate: str, data: str | None) -> None:
    report = run(folder, reference, candidate, data=data)
    assert report.verdict is not None
    assert report.verdict.exit_code == 0, report.verdict.reasons
    result = report.results[0]
    assert (result.causes, result.not_explained, result.different) == ((), 0, False)
    assert result.smallest_passing_atol is not None
    assert result.smallest_passing_atol < 1e-5
    assert "float" in result.reference.fed
    names = [group.name for group in result.groups]
    assert names.count("data") == (data is not None)
    assert {"drawn", "NaN", "zero", "one at a time", "shuffled columns"} <= set(names)


def test_two_engines_on_one_model(folder: Path) -> None:
    engines = ["lightgbm:feed=dataframe", "lightgbm:feed=ndarray", "onnxruntime"]
    report = validate(str(folder / "trees.txt"), engines=engines, data=str(folder / "rows.npz"), probes="off")
    assert [result.candidate.title for result in report.results] == ["trees.txt", "trees.txt as ONNX"]
    assert [result.candidate.engine for result in report.results] == engines[1:]
    assert [group.name for result in report.results for group in result.groups] == ["data", "data"]
    assert report.verdict is not None
    assert report.verdict.exit_code == 0


def test_saved_predictions_are_a_reference(folder: Path, tmp_path: Path) -> None:
    import lightgbm
    from pyarrow import parquet
    from pyarrow import table as arrow

    part = np.load(folder / "rows.npz")
    rows = np.stack([part[name] for name in part.files], axis=1)
    predictions = np.asarray(lightgbm.Booster(model_file=str(folder / "trees.txt")).predict(rows))
    np.save(tmp_path / "answers.npy", predictions)
    parquet.write_table(
        arrow({"id": np.arange(len(predictions)), "wrong": predictions + 0.25}), tmp_path / "answers.parquet"
    )
    same = validate(str(tmp_path / "answers.npy"), str(folder / "trees.txt"), data=str(folder / "rows.npz"))
    other = validate(
        f"{tmp_path / 'answers.parquet'}:wrong", str(folder / "trees.txt"), data=str(folder / "rows.npz"), atol=0.01
    )
    assert same.verdict is not None
    assert other.verdict is not None
    assert (same.verdict.exit_code, other.verdict.exit_code) == (0, 4)
    assert [group.name for group in same.results[0].groups] == ["data"]
    assert other.results[0].smallest_passing_atol == pytest.approx(0.25)
    with pytest.raises(DataError, match="which column"):
        validate(str(tmp_path / "answers.parquet"), str(folder / "trees.txt"), data=str(folder / "rows.npz"))


def test_saved_probabilities_of_both_classes_are_those_of_the_second(folder: Path, tmp_path: Path) -> None:
    """As `predict_proba` gives them."""
    import lightgbm

    part = np.load(folder / "rows.npz")
    rows = np.stack([part[name] for name in part.files], axis=1)
    positive = np.asarray(lightgbm.Booster(model_file=str(folder / "trees.txt")).predict(rows))
    np.save(tmp_path / "both.npy", np.stack([1 - positive, positive], axis=1))
    np.save(tmp_path / "turned.npy", np.stack([positive, 1 - positive], axis=1))
    for name, code in (("both.npy", 0), ("turned.npy", 4)):
        report = validate(str(tmp_path / name), str(folder / "trees.txt"), data=str(folder / "rows.npz"))
        assert report.verdict is not None
        assert report.verdict.exit_code == code


def test_a_candidate_that_cannot_be_opened_fails_and_the_others_are_compared(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(
        (folder / "trees.plain.onnx").read_bytes().replace(b"TreeEnsembleClassifier", b"TreeEnsembleClassifies")
    )
    models = [str(folder / name) for name in ("trees.txt", "trees.txt.exact.onnx")]
    report = validate(*models, str(broken), probes="only")
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)
    assert [bool(result.failed) for result in report.results] == [False, True]


def test_rows_are_limited_and_rounded_as_asked(folder: Path) -> None:
    report = run(folder, "trees.txt", "trees.txt.exact.onnx", probes="off", rows=7, input_dtype="float32")
    assert report.results[0].groups[0].rows == 7


@pytest.mark.parametrize(
    "settings",
    [{"atol": -1.0}, {"rtol": float("nan")}, {"rows": 0}, {"worst": -1}, {"probes": "some"}, {"threads": 0}],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        validate("a", "b", **settings)


@pytest.mark.parametrize("shared", [True, False])
def test_batches_are_answered_alike_with_and_without_shared_memory(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """Several batches, the last one short, each row with its own answer."""
    monkeypatch.setattr(user_rows, "LEAST_ROWS", 64)
    monkeypatch.setattr(user_rows, "BATCH_BYTES", 1)
    if not shared:
        monkeypatch.setattr(opening, "shared_tables", lambda count: ())
    report = validate(
        str(folder / "trees.txt"), str(folder / "boosted.json"), data=str(folder / "rows.npz"), probes="off", worst=500
    )
    rows = dict(np.load(folder / "rows.npz"))
    (group,) = report.results[0].groups
    assert group.rows == len(rows["Column_0"])
    worst = report.results[0].worst
    assert len({line.row for line in worst}) == len(worst) > 64
    for line in worst:
        assert repr(list(line.features.values())) == repr([float(rows[n][line.row]) for n in line.features])


@pytest.mark.parametrize(
    ("reference", "candidate", "cause"),
    [
        ("trees.txt.exact.onnx", "trees.plain.onnx", "threshold cast"),
        ("trees.plain.onnx", "trees.txt.exact.onnx", "threshold cast"),
        ("trees.txt.exact.onnx", "few.onnx", "truncated iterations"),
        ("trees.txt.exact.onnx", "trees.txt.exact.onnx", None),
    ],
)
def test_causes_are_named_of_one_onnx_file_against_another(
    folder: Path, reference: str, candidate: str, cause: str | None
) -> None:
    few = folder / "few.onnx"
    if not few.exists():
        import lightgbm

        lightgbm.Booster(model_str=lightgbm_text("binary")).save_model(folder / "few.txt", num_iteration=5)
        convert(str(folder / "few.txt"), str(few))
    (result,) = validate(str(folder / reference), str(folder / candidate)).results
    assert result.different is (cause is not None)
    assert {found.name for found in result.causes} == ({cause} if cause else set())
    assert result.not_explained == 0
