"""Networks: a difference is measured in multiples of what float32 rounds, and not by its size alone."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from infer_bench import convert, validate
from tests.faulty_networks import FEATURES, save_network

KINDS = ("split", "bias", "no bias", "float16")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("networks")
    paths = {kind: save_network(folder / f"{kind.replace(' ', '-')}.onnx", kind) for kind in ("plain", *KINDS)}
    rows = np.random.default_rng(1).normal(size=(400, FEATURES)).astype(np.float32)
    rows[200:] *= 1_000
    pd.DataFrame(rows, columns=[f"c{i}" for i in range(FEATURES)]).to_parquet(folder / "rows.parquet")
    return {kind: str(path) for kind, path in paths.items()} | {"rows": str(folder / "rows.parquet")}


@pytest.fixture(scope="module")
def results(files: dict[str, str]) -> dict[str, Any]:
    report = validate(files["plain"], *(files[kind] for kind in KINDS), data=files["rows"])
    assert report.verdict is not None
    assert report.verdict.exit_code == 4
    return dict(zip(KINDS, report.results, strict=True))


def test_sums_in_another_order_are_the_same_on_rows_of_any_size(results: dict[str, Any]) -> None:
    result = results["split"]
    assert (result.different, result.by_rounding) == (False, True)
    data = result.groups[0]
    assert data.max_abs_delta > 1e-6
    assert data.rounding.ratio < 4
    assert 0 < data.rounding.reference_rmse < 1e-4


@pytest.mark.parametrize("kind", ["bias", "no bias", "float16"])
def test_faults_below_the_usual_tolerance_are_differences(kind: str, results: dict[str, Any]) -> None:
    result = results[kind]
    assert result.different
    ratios = {group.name: group.rounding.ratio for group in result.groups if group.rounding}
    assert ratios["drawn"] > 32
    drawn = next(group for group in result.groups if group.name == "drawn")
    assert kind == "no bias" or drawn.max_abs_delta < 1e-4


def test_a_tolerance_that_is_given_decides_and_rounding_is_named(files: dict[str, str]) -> None:
    loose = validate(files["plain"], files["float16"], atol=0.1).results[0]
    assert (loose.different, loose.by_rounding, loose.groups[0].rounding is not None) == (False, False, True)
    strict = validate(files["plain"], files["split"], data=files["rows"], atol=1e-9, probes="off").results[0]
    assert [cause.name for cause in strict.causes] == ["rounding"]
    assert strict.not_explained == 0


def test_where_onnx_runtime_has_no_kernels_of_float64_onnx_computes_it(tmp_path: Path) -> None:
    paths = [str(save_network(tmp_path / f"{kind}.onnx", kind, "Erf")) for kind in ("plain", "split", "float16")]
    report = validate(*paths)
    assert [(result.different, result.by_rounding) for result in report.results] == [(False, True), (True, True)]


def test_a_reference_in_float16_is_compared_by_tolerance(files: dict[str, str]) -> None:
    report = validate(files["float16"], files["plain"])
    assert not report.results[0].by_rounding
    message = next(notice.message for notice in report.notices if notice.code == "no-float64")
    assert (
        message
        == "what the reference rounds is not known (parts of the network work in float16): the tolerance decides"
    )


def test_of_trees_and_of_graphs_in_double_nothing_is_said(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4))
    for estimator in (DecisionTreeClassifier(max_depth=3), LogisticRegression()):
        joblib.dump(estimator.fit(rows, rows[:, 0] > 0), tmp_path / "model.joblib")
        convert(str(tmp_path / "model.joblib"), str(tmp_path / "model.onnx"))
        report = validate(str(tmp_path / "model.onnx"), str(tmp_path / "model.joblib"))
        assert not {notice.code for notice in report.notices} & {"no-float64", "rounding"}
        assert (report.results[0].different, report.results[0].by_rounding) == (False, False)
