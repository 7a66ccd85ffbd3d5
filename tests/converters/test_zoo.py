"""Saved models of every kind go through the public function, and what it writes is judged by an oracle of its own."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from infer_bench import convert
from infer_bench.converters.base import ConvertOptions
from infer_bench.errors import NotConvertible
from tests.converters.zoo import lightgbm_models, sklearn_models, xgboost_models
from tests.converters.zoo.case import Case, categories, list_cases, reload, write
from tests.converters.zoo.judge import compare, compare_file
from tests.converters.zoo.local import LocalWorker
from tests.converters.zoo.oracle import ask
from tests.converters.zoo.shared import two_of

EXACT, SINGLE, OLD = ConvertOptions(), ConvertOptions(precision="float32"), ConvertOptions(opset_ml=3)
CASES = {
    case.name: case for cases in (lightgbm_models, xgboost_models, sklearn_models) for case in list_cases(cases.cases())
}
FEW = {
    "lgb rf multiclassova": EXACT,
    "lgb early stopping wrapper": SINGLE,
    "lgb categories": EXACT,
    "lgb large categories": EXACT,
    "lgb linear dart": OLD,
    "lgb labels three float": EXACT,
    "lgb spaces and unicode": SINGLE,
    "xgb early stopping forest": EXACT,
    "xgb categories wrapper": SINGLE,
    "xgb gblinear classes": EXACT,
    "xgb vector leaves": OLD,
    "xgb missing -999": EXACT,
    "skl tree nan": EXACT,
    "skl boosting exponential": SINGLE,
    "skl hist categories": EXACT,
    "skl isolation": EXACT,
    "skl linear targets": SINGLE,
    "skl SVC": EXACT,
    "skl KMeans": EXACT,
    "skl tuned forest": OLD,
    "skl voting hard": EXACT,
    "pipe onehot lgbm": EXACT,
    "pipe ordinal xgb": SINGLE,
    "pipe ordinal hist": OLD,
    "pipe skops": EXACT,
}


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infer_bench.measure.convert.round_trip.Worker", LocalWorker)


def save_case(case: Case, folder: Path) -> tuple[Path, Any, Any]:
    model, rows = case.train()
    path = write(model, case.save, folder)
    return path, reload(model, case.save, path), rows


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("name", FEW)
def test_a_converted_file_answers_as_the_library(name: str, tmp_path: Path) -> None:
    path, model, rows = save_case(CASES[name], tmp_path)
    report = convert(str(path), str(tmp_path / "out.onnx"), options=FEW[name])
    assert report.results[0].failed is None
    exact = FEW[name].precision == "exact" and "xgb" not in name
    comparison = compare_file(tmp_path / "out.onnx", model, rows, 1e-12 if exact else 1e-6)
    assert not comparison.wrong
    assert not comparison.warned
    assert comparison.rows > 500
    assert {p.name for p in tmp_path.iterdir()} == {path.name, "out.onnx"}


@pytest.mark.parametrize("name", ["lgb category city", "pipe onehot forest"])
def test_real_workers_convert_too(name: str, tmp_path: Path) -> None:
    path, model, rows = save_case(CASES[name], tmp_path)
    assert convert(str(path), str(tmp_path / "out.onnx")).results[0].failed is None
    assert not compare_file(tmp_path / "out.onnx", model, rows, 1e-12).wrong


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("name", ["skl forest deep", "skl boosting log_loss"])
def test_rows_that_the_library_refuses_get_no_answer(name: str, tmp_path: Path) -> None:
    path, model, rows = save_case(CASES[name], tmp_path)
    convert(str(path), str(tmp_path / "out.onnx"))
    assert compare_file(tmp_path / "out.onnx", model, rows, 1e-12).confident == 0


@pytest.mark.usefixtures("in_process")
def test_categories_that_no_double_tells_apart_are_refused(tmp_path: Path) -> None:
    path, _, _ = save_case(CASES["lgb categories beyond double"], tmp_path)
    with pytest.raises(NotConvertible, match="no double holds"):
        convert(str(path), str(tmp_path / "out.onnx"))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("column", "category", "words"), [("city", "", "the empty string is a category"), ("label", "a", "named 'label'")]
)
def test_inputs_that_could_be_taken_for_others_are_refused(
    column: str, category: str, words: str, tmp_path: Path
) -> None:
    def rows() -> Any:
        table = categories()[["age", "city"]].rename(columns={"city": column})
        return table.assign(**{column: table[column].cat.rename_categories([category, "x", "y", "z"])})

    train = lightgbm_models.booster({"objective": "binary", "cat_smooth": 1}, two_of, rows=rows)
    path, _, _ = save_case(Case("odd", train, "txt"), tmp_path)
    with pytest.raises(NotConvertible, match=words):
        convert(str(path), str(tmp_path / "out.onnx"))


def test_the_oracle_sees_a_difference() -> None:
    model, rows = CASES["lgb binary"].train()
    truth = ask(model, rows)
    right = {"label": truth.labels, "probabilities": truth.values}
    assert compare(truth, right, 1e-12) == ("", 0)
    other = truth.values.copy()
    other[7, 1] += 1e-9
    assert "1 rows" in compare(truth, {**right, "probabilities": other}, 1e-12)[0]
    assert "labels" in compare(truth, {**right, "label": 1 - truth.labels}, 1e-12)[0]
    assert compare(dataclasses.replace(truth, refusals=truth.refusals | True), right, 1e-12)[1] == len(rows)
