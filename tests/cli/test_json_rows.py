"""JSON is rows for every command, whatever the model."""

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from infer_bench.cli.main import run
from infer_bench.report.serialize import load_report
from tests.cli.gating import TO_FILE, WIDE, load_saved, sessions, until_decided

pytestmark = pytest.mark.usefixtures("fake_engines")
RECORDS = [{"a": 0.5, "b": 1, "other": [1]}, {"a": None, "b": 2}, {"b": -1.5}, {"a": 2, "b": 0}]


@pytest.fixture
def json_rows() -> str:
    Path("rows.json").write_text("\n".join(map(json.dumps, RECORDS)))
    return "rows.json"


def test_a_bench_reads_them(json_rows: str) -> None:
    assert run(["bench", "tests.fakes:do", "-d", json_rows, "-e", "fake", "--rounds", "1", *TO_FILE]) == 0
    assert load_saved().settings["rows_cycled"] == len(RECORDS)
    assert load_saved().settings["rows_source"] == "rows.json"


def test_a_gate_reads_them(json_rows: str) -> None:
    assert until_decided(sessions, json_rows, "new", "old", *WIDE, "--max-delta", "0", *TO_FILE) == 0
    assert load_saved().results[-1].non_finite_mismatches == 0


def count_keys(record: dict[str, object]) -> float:
    """A function that tells a missing key from null, and what is nested from both."""
    return len(record) + 10 * isinstance(record.get("other"), list) + 100 * ("a" in record and record["a"] is None)


@pytest.mark.parametrize("command", ["bench", "validate"])
def test_a_function_is_handed_the_records(json_rows: str, command: str) -> None:
    function = "tests.cli.test_json_rows:count_keys"
    np.save("expected.npy", [13.0, 102.0, 1.0, 2.0])
    sides = {"bench": [function, "--rounds", "1"], "validate": ["expected.npy", function, "--atol", "0", "--rtol", "0"]}
    assert run([command, *sides[command], "-d", json_rows]) == 0


def test_a_model_is_converted_and_compared_on_them() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    joblib.dump(LinearRegression().fit(frame, frame.sum(axis=1)), "sum.joblib")
    frame.to_json("rows.json", orient="records", lines=True)
    frame.sum(axis=1).to_frame("prediction").to_json("expected.jsonl", orient="records", lines=True)
    assert run(["convert", "sum.joblib", "-d", "rows.json", "-o", "sum.onnx", *TO_FILE]) == 0
    groups = {group.name: group.rows for group in load_report(Path("report.json")).results[0].groups}
    assert groups["data"] == 40
    assert run(["validate", "expected.jsonl:prediction", "sum.onnx", "-d", "rows.json"]) == 0


def test_columns_by_row_number_are_no_records(capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame(RECORDS)[["a", "b"]].to_json("rows.json")
    assert run(["bench", "tests.fakes:do", "-d", "rows.json", "-e", "fake", "--rounds", "1"]) == 6
    assert 'DataFrame.to_json(orient="records")' in capsys.readouterr().err
