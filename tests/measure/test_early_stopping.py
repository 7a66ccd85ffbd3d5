"""Models that were stopped early have two readings: convert follows the file, and validate names the other one."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from infer_bench import convert, validate
from infer_bench.converters.base import ConvertOptions
from infer_bench.errors import NotConvertible
from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.model import ModelSpec, Remark
from infer_bench.report.convert import ConvertReport
from infer_bench.report.validate import ValidateReport
from tests.engines import zoo

RNG = np.random.default_rng(5)
ROWS = RNG.normal(size=(240, 4)).astype(np.float32)
NOISY = (ROWS[:, 0] + RNG.normal(size=240) > 0).astype(int)
FIT = {"eval_set": [(ROWS[120:], NOISY[120:])], "verbose": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier as its wrapper saves it and as its booster does, and what each of both predicts for the rows."""
    place = tmp_path_factory.mktemp("stopped")
    model = xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=3, max_depth=3, learning_rate=0.5, n_jobs=1)
    model.fit(ROWS[:120], NOISY[:120], **FIT)
    model.save_model(place / "wrapped.json")
    model.get_booster().save_model(place / "bare.json")
    np.save(place / "best.npy", model.predict_proba(ROWS)[:, 1])
    np.save(place / "all.npy", model.get_booster().predict(xgboost.DMatrix(ROWS)))
    columns: dict[str, Any] = {f"f{i}": ROWS[:, i] for i in range(4)}
    np.savez(place / "rows.npz", **columns)
    return place


def write(folder: Path, model: str, trees: Any) -> tuple[Path, ConvertReport]:
    path = folder / f"{model}.{trees}.onnx"
    return path, convert(str(folder / model), str(path), options=ConvertOptions(trees=trees))


def run(folder: Path, reference: str, candidate: str, **settings: Any) -> ValidateReport:
    return validate(str(folder / reference), str(folder / candidate), **settings)


@pytest.mark.parametrize(
    ("model", "trees", "meant", "note"),
    [
        ("wrapped.json", "auto", "best", "--trees all"),
        ("wrapped.json", "all", "all", "--trees best"),
        ("bare.json", "auto", "all", "--trees best"),
        ("bare.json", "best", "best", "--trees all"),
    ],
)
def test_a_conversion_has_the_iterations_that_the_file_means(
    folder: Path, model: str, trees: str, meant: str, note: str
) -> None:
    path, report = write(folder, model, trees)
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
    assert note in report.notices[0].message
    against = run(folder, f"{meant}.npy", path.name, data=str(folder / "rows.npz"))
    assert against.verdict is not None
    assert against.verdict.exit_code == 0


@pytest.mark.parametrize(
    ("reference", "candidate", "detail"),
    [
        ("wrapped.json", "bare.json", "all"),
        ("bare.json", "wrapped.json", "up to the best iteration"),
        ("wrapped.json", "wrapped.json.all.onnx", "all"),
        ("all.npy", "wrapped.json", "in the reference, all"),
        ("best.npy", "bare.json", "in the reference, the"),
    ],
)
def test_early_stopping_is_named_between_the_two_readings(
    folder: Path, reference: str, candidate: str, detail: str
) -> None:
    if candidate.endswith(".onnx"):
        write(folder, "wrapped.json", "all")
    rows = {"data": str(folder / "rows.npz")} if reference.endswith(".npy") else {}
    report = run(folder, reference, candidate, **rows)
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    (cause,) = report.results[0].causes
    assert (cause.name, report.results[0].not_explained) == ("early stopping", 0)
    assert detail in cause.detail
    assert "trees=best" in cause.fix
    remarks = [notice for notice in report.notices if notice.code == "early-stopping"]
    assert len(remarks) == len({reference, candidate} & {"wrapped.json", "bare.json"})


def test_of_a_pipeline_the_other_reading_is_named_and_not_written(folder: Path) -> None:
    model = make_pipeline(
        StandardScaler(), xgboost.XGBClassifier(n_estimators=60, early_stopping_rounds=3, max_depth=3, n_jobs=1)
    )
    scaled = StandardScaler().fit(ROWS[:120]).transform(ROWS)
    model.fit(
        ROWS[:120], NOISY[:120], xgbclassifier__eval_set=[(scaled[120:], NOISY[120:])], xgbclassifier__verbose=False
    )
    path = zoo.dump(model, folder / "pipeline.pkl")
    with pytest.raises(NotConvertible, match="--trees all") as refusal:
        convert(str(path), str(folder / "no.onnx"), options=ConvertOptions(trees="all"))
    assert refusal.value.hint
    every = model[-1].get_booster().predict(xgboost.DMatrix(model[:-1].transform(ROWS)))
    np.save(folder / "every.npy", every)
    (result,) = run(folder, "every.npy", path.name, data=str(folder / "rows.npz")).results
    assert [cause.name for cause in result.causes] == ["early stopping"]


def test_all_trees_of_lightgbm_can_be_asked_for_where_a_pickle_holds_them(tmp_path: Path) -> None:
    data = lightgbm.Dataset(ROWS[:120].astype(float), NOISY[:120])
    check = lightgbm.Dataset(ROWS[120:].astype(float), NOISY[120:], reference=data)
    settings = {"objective": "binary", "num_leaves": 5, "learning_rate": 0.5, "verbose": -1, "num_threads": 1}
    stop = [lightgbm.early_stopping(3, verbose=False)]
    booster = lightgbm.train(settings, data, 40, valid_sets=[check], callbacks=stop, keep_training_booster=True)
    assert booster.best_iteration < booster.num_trees()
    path = zoo.dump(booster, tmp_path / "m.pkl")
    report = convert(str(path), str(tmp_path / "all.onnx"), options=ConvertOptions(trees="all"))
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
    (result,) = validate(str(path), str(tmp_path / "all.onnx")).results
    assert {cause.name for cause in result.causes} == {"early stopping"}


def test_a_remark_is_made_once_for_all_that_it_is_true_of() -> None:
    best, every = Remark("early-stopping", "3 of 6 are used", "the rest"), Remark("early-stopping", "all are used")
    remarks = (("a", best), ("b", every), ("c", best), ("a", best))
    specs = [(name, ModelSpec("raw", (), (), remarks=(remark,))) for name, remark in remarks]
    assert [(notice.message, notice.hint) for notice in notices_of(specs)] == [
        ("a, c: 3 of 6 are used", "the rest"),
        ("b: all are used", ""),
    ]
