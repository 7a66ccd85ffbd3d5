"""Rows that the reference refuses: among the probes there is nothing to compare, in the user's rows they differ."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skl2onnx import to_onnx
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from infer_bench import convert, validate
from infer_bench.report.validate import ValidateGroup, ValidateReport

ROWS = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
TARGET = (ROWS[:, 0] + ROWS[:, 1] > 0).astype(int)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that refuse NaN with their exports, which answer it, and rows with and without NaN."""
    place = tmp_path_factory.mktemp("refusing")
    models: dict[str, Any] = {"boosting": GradientBoostingClassifier(n_estimators=5), "vectors": SVC(probability=True)}
    for name, model in models.items():
        with warnings.catch_warnings(action="ignore"):  # probabilities of vectors are going away
            save(place / f"{name}.pkl", model.fit(ROWS, TARGET))
            graph = to_onnx(model, ROWS[:1], options={"zipmap": False})
        (place / f"{name}.onnx").write_bytes(graph.SerializeToString())
    write_rows(place / "some.npz", ROWS, [3, 90])
    write_rows(place / "every.npz", ROWS, slice(None))
    many = np.random.default_rng(1).normal(size=(3_000, 3))
    write_rows(place / "many.npz", many, [10, 2_500])
    return place


def save(path: Path, model: Any) -> Path:
    path.write_bytes(pickle.dumps(model))
    return path


def write_rows(path: Path, rows: Any, missing: Any) -> None:
    rows = rows.copy()
    rows[missing, 1] = np.nan
    columns: dict[str, Any] = {f"x{i}": rows[:, i] for i in range(3)}
    np.savez(path, **columns)


def run(folder: Path, reference: str, candidate: str, data: str = "", **settings: Any) -> ValidateReport:
    rows: dict[str, Any] = {"data": str(folder / data)} if data else {}
    return validate(str(folder / reference), str(folder / candidate), **rows, **settings)


def outcome(report: ValidateReport) -> tuple[str, int]:
    assert report.verdict is not None
    return report.verdict.status, report.verdict.exit_code


def group_of(report: ValidateReport, name: str) -> ValidateGroup:
    return next(group for group in report.results[0].groups if group.name == name)


@pytest.mark.parametrize("name", ["boosting", "vectors"])
def test_probes_that_only_the_candidate_answers_are_counted_and_no_difference(folder: Path, name: str) -> None:
    report = run(folder, f"{name}.pkl", f"{name}.onnx")
    assert outcome(report) == ("pass", 0)
    group = group_of(report, "NaN")
    assert (group.failing, group.refusals, group.answered_though_refused) == (0, 0, group.rows)
    (notice,) = [notice for notice in report.notices if notice.code == "answers-refused"]
    assert f"{name}.onnx answers probes that the reference refuses ({group.rows} NaN" in notice.message
    assert "--strict" in notice.hint


def test_with_strict_they_differ(folder: Path) -> None:
    report = run(folder, "boosting.pkl", "boosting.onnx", strict=True)
    assert outcome(report) == ("different", 4)
    assert group_of(report, "NaN").failing == group_of(report, "NaN").rows
    assert not [notice for notice in report.notices if notice.code == "answers-refused"]


def test_in_the_user_s_rows_they_differ(folder: Path) -> None:
    report = run(folder, "boosting.pkl", "boosting.onnx", "some.npz", probes="off")
    assert outcome(report) == ("different", 4)
    assert (group_of(report, "data").failing, group_of(report, "data").refusals) == (2, 2)


def test_what_the_candidate_refuses_and_the_reference_answers_differs(folder: Path) -> None:
    report = run(folder, "boosting.onnx", "boosting.pkl")
    assert outcome(report) == ("different", 4)
    assert group_of(report, "NaN").refusals == group_of(report, "NaN").rows


def test_nothing_is_the_same_where_the_reference_refuses_every_row(folder: Path) -> None:
    report = run(folder, "boosting.pkl", "boosting.pkl", "every.npz", probes="off")
    assert outcome(report) == ("failed", 6)
    assert "refuses every row" in str(report.results[0].failed)
    assert "NaN" in str(report.results[0].failed)


@pytest.mark.usefixtures("few_probes")
def test_categories_that_the_reference_refuses_are_no_difference(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"a": random.normal(size=120), "city": random.choice(["Bonn", "Lima", "Oslo"], 120)})
    target = frame.a + (frame.city == "Lima") > 0.3
    for name in ("error", "ignore"):
        encoder = make_column_transformer((OneHotEncoder(handle_unknown=name), ["city"]), remainder="passthrough")
        save(tmp_path / f"{name}.pkl", make_pipeline(encoder, LogisticRegression()).fit(frame, target))
    assert outcome(run(tmp_path, "error.pkl", "ignore.pkl")) == ("pass", 0)
    report = run(tmp_path, "error.pkl", "ignore.pkl", strict=True)
    assert group_of(report, "unseen categories").failing > 0
    assert outcome(run(tmp_path, "ignore.pkl", "error.pkl")) == ("different", 4)


def test_a_conversion_is_compared_around_the_rows_that_the_original_refuses(folder: Path, tmp_path: Path) -> None:
    report = convert(str(folder / "boosting.pkl"), str(tmp_path / "m.onnx"), data=str(folder / "many.npz"))
    assert report.verdict is not None
    assert report.verdict.exit_code == 0
    (group,) = [group for group in report.results[0].groups if group.name == "data"]
    assert (group.rows, group.refused, group.answered_though_refused) == (3_000, 2, 0)
