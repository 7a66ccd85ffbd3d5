"""From JSON to rows, and from what is wrong to a sentence."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.model import Feature, ModelSpec
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.rows.reader import RowReader

MIXED = ModelSpec("binary", (Feature("a"), Feature("n", "integer"), Feature("f", "boolean")), ("output",))
TEXTS = ModelSpec("binary", (Feature("a"), Feature("c", "category", ("x", "y")), Feature("s", "string")), ("output",))
ODD = ModelSpec("binary", (Feature('a"b\\'), Feature("é")), ("output",))


def refusal(reader: RowReader, content: Any) -> str:
    with pytest.raises(RequestFault) as caught:
        reader.read(json.dumps(content).encode())
    return caught.value.message


def test_numbers_become_a_matrix() -> None:
    rows = RowReader(MIXED).read(b'[{"a": 1, "n": 2.0, "f": true}, {"f": 0, "n": null, "a": -0.5}]')
    assert rows.matrix is not None
    np.testing.assert_array_equal(rows.matrix, [[1.0, 2.0, 1.0], [-0.5, np.nan, 0.0]])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"a": 1, "n": 1.5, "f": True}, "column 'n' takes whole numbers"),
        ({"a": 1, "n": 1, "f": 2}, "column 'f' takes true and false"),
        ({"a": 1, "n": True, "f": True}, "column 'n': expected a whole number or null, got a boolean"),
        ({"a": 1, "n": 10**400, "f": True}, "a number is too large for a double"),
        ({"a": 1, "n": 1}, "the column 'f' is missing"),
    ],
)
def test_a_column_takes_what_it_says(record: Any, message: str) -> None:
    assert refusal(RowReader(MIXED), record) == message


def test_texts_stay_records() -> None:
    rows = RowReader(TEXTS).read(b'{"a": 1, "c": "x", "s": null}')
    assert rows.matrix is None
    assert rows.records == [{"a": 1.0, "c": "x", "s": None}]
    assert refusal(RowReader(TEXTS), {"a": 1, "c": "x", "s": 3}) == "column 's': expected text or null, got a number"
    expected = "column 'c': expected a number or text or null, got a list"
    assert refusal(RowReader(TEXTS), {"a": 1, "c": [], "s": "x"}) == expected
    sparse = RowReader(TEXTS, sparse=True)
    assert sparse.read(b'{"c": "x"}').records == [{"c": "x"}]
    assert refusal(sparse, [{"a": 1}, {}]) == "the record holds none of the columns (record 2)"


@pytest.mark.parametrize("sparse", [False, True])
def test_names_may_hold_anything(sparse: bool) -> None:
    reader = RowReader(ODD, sparse=sparse)
    rows = reader.read(json.dumps({'a"b\\': 1, "é": 2}).encode())
    np.testing.assert_array_equal(rows.matrix, [[1.0, 2.0]])
    assert refusal(reader, [{'a"b\\': "x", "é": 1}]).startswith("column 'a\"b\\\\' of record 1: expected a number")
    if sparse:
        assert refusal(reader, {"f0": 1, "é": 1}) == "the model has no column 'f0'"
    else:
        assert refusal(reader, {"f0": 1, "é": 1}) == "the column 'a\"b\\\\' is missing"


@pytest.mark.parametrize(
    "reader", [RowReader(MIXED), RowReader(TEXTS, sparse=True), RowReader(ODD), RowReader(ModelSpec("raw", (), ("o",)))]
)
@given(
    body=st.binary(max_size=60)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_bytes_are_rows_or_a_fault(reader: RowReader, body: bytes) -> None:
    fault = None
    try:
        assert reader.read(body).count > 0
    except RequestFault as error:
        fault = error
    assert fault is None or (400 <= fault.status < 500 and "\n" not in fault.message)
