"""Rows from JSON: what a model is fed, and what a function is handed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.data import Dataset, conform
from infer_bench.data.json_rows import read_records
from infer_bench.engines.callable import CallableSession
from infer_bench.errors import DataError
from infer_bench.model import Feature, ModelSpec
from infer_bench.typing import ABSENT, Columns
from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.requests import SetRows
from infer_bench.workers.timing.runner import requests_of

RECORDS: list[dict[str, Any]] = [
    {"whole": 1, "float": 0.5, "flag": True, "text": "x", "mixed": 1, "nested": [1, {"a": None}]},
    {"whole": -2, "float": 1e300, "flag": False, "text": None, "mixed": None, "nested": []},
    {"whole": 2**62, "float": -0.0, "flag": True, "text": "é", "later": 2.5, "mixed": 0.5, "nested": {}},
]
LAYOUTS = {
    "list": json.dumps(RECORDS),
    "pretty": json.dumps(RECORDS, indent=2),
    "lines": "\n".join(map(json.dumps, RECORDS)),
    "lines of another system": "\r\n".join(map(json.dumps, RECORDS)) + "\r\n\r\n",
    "one after the other": "\n".join(json.dumps(record, indent=1) for record in RECORDS),
    "marked": "\ufeff  \n" + json.dumps(RECORDS),
}


def open_text(folder: Path, text: str) -> Dataset:
    (folder / "rows").write_text(text, encoding="utf-8")
    return Dataset.open(folder / "rows")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_records_become_columns(layout: str, tmp_path: Path) -> None:
    data = open_text(tmp_path, LAYOUTS[layout])
    assert (data.rows, set(data.columns)) == (3, {*RECORDS[0], "later"})
    columns = data.head(3).columns
    assert [columns[name].dtype.char for name in ("whole", "float", "flag", "text")] == ["l", "d", "?", "O"]
    assert columns["whole"].tolist() == [1, -2, 2**62]
    assert columns["later"].tolist() == [ABSENT, ABSENT, 2.5]
    assert [batch.rows for batch in data.batches(2)] == [2, 1]


def crossed(columns: Columns) -> Columns:
    """As a worker gets them."""
    body, arrays = pack(SetRows(columns))
    return unpack(SetRows, json.loads(json.dumps(body)), arrays).columns


@pytest.mark.parametrize("batch", [1, 3])
def test_a_function_is_handed_the_very_records(batch: int, tmp_path: Path) -> None:
    data = open_text(tmp_path, LAYOUTS["list"])
    session = CallableSession(lambda record: 0.0, "m:f", as_list=False)
    records = [r for request in requests_of(crossed(data.head(3).columns), batch) for r in session.preprocess(request)]
    assert records == RECORDS
    assert list(map(types, records)) == list(map(types, RECORDS))


def types(record: Mapping[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in record.items()}


def test_a_function_may_change_what_is_nested(tmp_path: Path) -> None:
    data = open_text(tmp_path, json.dumps([{"values": [3, 1, 2]}, {"values": [4]}]))
    session = CallableSession(lambda record: record["values"].pop(), "m:f", as_list=False)
    for batch in (1, 2):
        requests = requests_of(data.head(2).columns, batch)
        for _ in range(2):
            outputs = [value for request in requests for value in session.predict(session.preprocess(request))]
            assert outputs == [2, 4]


SPEC = ModelSpec(
    "regression",
    (
        Feature("a"),
        Feature("b"),
        Feature("text", "string"),
        Feature("known", "category", ("x", "y")),
        Feature("coded", "category", (1, 2)),
    ),
    ("output",),
)


def fitted(folder: Path, *records: Mapping[str, Any]) -> dict[str, list[Any]]:
    table = conform(open_text(folder, json.dumps(records)).head(9), SPEC)
    return {name: column.tolist() for name, column in table.columns.items()}


def test_a_model_is_fed_numbers_and_text(tmp_path: Path) -> None:
    first = {"a": 1, "b": None, "text": "é", "known": "x", "coded": 2}
    columns = fitted(tmp_path, first, {"b": 2, "known": None}, {"a": 0.5, "b": True, "text": None, "coded": None})
    np.testing.assert_array_equal(columns["a"], [1.0, np.nan, 0.5])
    np.testing.assert_array_equal(columns["b"], [np.nan, 2.0, 1.0])
    np.testing.assert_array_equal(columns["coded"], [2.0, np.nan, np.nan])
    assert columns["text"] == ["é", None, None]
    assert columns["known"] == ["x", None, None]


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "lists": ({"a": [1, 2]}, "column 'a' holds lists where the model takes a value"),
    "objects": ({"a": {"0": 1}}, "column 'a' holds objects where the model takes a value"),
    "text": ({"a": "one"}, "column 'a' holds text .'one'. where the model takes a number"),
    "too large": ({"a": 10**400}, "column 'a' holds a number beyond"),
    "number for text": ({"a": 1, "text": 2.5}, "column 'text' holds numbers where the model takes text"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_no_model_takes_is_said(name: str, tmp_path: Path) -> None:
    record, reason = UNFIT[name]
    whole: dict[str, Any] = dict.fromkeys(SPEC.feature_names)
    with pytest.raises(DataError, match=reason) as caught:
        fitted(tmp_path, whole | record, whole)
    assert "\n" not in str(caught.value)


def test_a_column_of_both_kinds_is_refused_by_a_model(tmp_path: Path) -> None:
    whole: dict[str, Any] = dict.fromkeys(SPEC.feature_names)
    with pytest.raises(DataError, match="holds text in some rows and numbers in others"):
        fitted(tmp_path, whole | {"a": 1}, whole | {"a": "1"})


FAULTS: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("[]", "holds no record"),
    "numbers among records": ('[{"a": 1}, 2]', "record 2 of .*rows is no object"),
    "no keys": ("[{}]", "record 1 of .*rows is no object with keys"),
    "cut off": ('[{"a": 1},', "it is no JSON"),
    "a broken line": ('{"a": 1}\n{"a": }\n', "it is no JSON: .* line 2 column 7"),
    "deep": ("[" * 100_000, "it is no JSON"),
    "not closed": ("{", "it is no JSON"),
    "ragged": ("[[1, 2], [3]]", "no lists of numbers of one length"),
    "cube": ("[[[1], [2]]]", "3-dimensional"),
    "latin": (b'[{"a": "\xe9"}]', "it is no JSON: .*utf-8"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_one_line(name: str, tmp_path: Path) -> None:
    content, reason = FAULTS[name]
    (tmp_path / "rows").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError, match=reason) as caught:
        Dataset.open(tmp_path / "rows").head(5)
    assert "\n" not in str(caught.value)


def test_lists_of_numbers_are_rows_without_names(tmp_path: Path) -> None:
    data = open_text(tmp_path, "[[1, 2.5], [3, null]]")
    assert data.columns == ("f0", "f1")
    np.testing.assert_array_equal(data.head(2).columns["f1"], [2.5, np.nan])
    assert open_text(tmp_path, "[1, 2, 3]").head(3).columns["f0"].tolist() == [1, 2, 3]


def test_one_object_is_one_record(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"a": 1, "b": [1, 2]}')
    assert read_records(tmp_path / "record.json") == [{"a": 1, "b": [1, 2]}]


def test_worst_rows_of_records_are_plain(tmp_path: Path) -> None:
    table = open_text(tmp_path, LAYOUTS["list"]).head(3)
    assert table.record(0) == RECORDS[0] | {"nested": '[1, {"a": null}]'}
