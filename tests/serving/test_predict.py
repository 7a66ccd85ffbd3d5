"""POST /predict on real models: what it answers, and what it refuses."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.serving import application
from infer_bench.serving.paths.batcher import Batcher
from tests.engines.zoo import NAMES, SavedModel, records
from tests.serving.client import ask, ask_together, counters, predict

FUNCTION = """
async def score(record):
    if "end" in record:
        raise KeyboardInterrupt
    return {"score": record["a"] * 2}
"""
RECORD = dict.fromkeys(NAMES, 1.0)


def as_json(model: SavedModel) -> list[dict[str, Any]]:
    """The model's rows, NaN as null."""
    rows = records(model.table)
    return [{name: None if value != value else value for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("engine", ["lightgbm", "xgboost", "sklearn", "onnxruntime", "catboost"])
def test_it_answers_as_the_library_does(engine: str, zoo: Callable[[str], SavedModel]) -> None:
    model = zoo(engine)
    app = application(model.model.path, allow_pickle=True)
    rows = as_json(model)
    body = predict(app, rows).json()
    np.testing.assert_allclose(body["predictions"], model.output, atol=max(model.tolerance, 1e-12))
    one = predict(app, rows[0]).json()
    np.testing.assert_allclose(one["predictions"], model.output[:1], atol=max(model.tolerance, 1e-12))
    assert body["path"] == one["path"] == "primary"
    assert set(one["latency_us"]) == {"preprocess", "predict", "postprocess"}
    assert all(value >= 0 for value in one["latency_us"].values())


def test_a_long_body_is_read_as_any_other(binary_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    short = predict(binary_app, RECORD).json()["predictions"]
    monkeypatch.setattr("infer_bench.serving.endpoints.inference.LONG_BYTES", 1)
    assert predict(binary_app, RECORD).json()["predictions"] == short
    assert predict(binary_app, {}).status_code == 422


def test_requests_that_come_together_go_together(binary: SavedModel) -> None:
    app = application(binary.model.path)
    app.service.batcher._row_ns = 1.0
    rows = as_json(binary)[:8]
    bodies: list[Any] = [*rows, rows[:3]]
    responses = ask_together(app, bodies)
    predictions = [row for response in responses for row in response.json()["predictions"]]
    np.testing.assert_array_equal(predictions, np.concatenate([binary.output[:8], binary.output[:3]]))
    numbers = counters(app)
    assert numbers["infer_bench_batch_requests_sum"] == 9
    assert numbers["infer_bench_batch_requests_count"] < 9


def test_a_call_that_was_interrupted_is_not_what_a_row_takes(binary_app: Any) -> None:
    batcher = Batcher(binary_app.service.paths, limit=1, row_ns=50_000.0, count=lambda *_: None)
    batcher._learn(20e6)
    assert batcher._row_ns == pytest.approx(140_000.0)
    for _ in range(20):
        batcher._learn(2e6)
    assert batcher._row_ns == pytest.approx(2e6, rel=0.05)
    batcher.close()


def test_a_request_that_the_model_refuses_costs_no_other_its_answer(tmp_path: Path) -> None:
    import joblib
    from sklearn.linear_model import LogisticRegression

    rows = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
    joblib.dump(LogisticRegression().fit(rows, [0, 0, 1, 1]), tmp_path / "model.joblib")
    app = application(str(tmp_path / "model.joblib"))
    good, bad = {"f0": 1.0, "f1": 1.0}, {"f0": None, "f1": 1.0}
    responses = ask_together(app, [good, bad, good])
    assert [response.status_code for response in responses] == [200, 422, 200]
    assert "NaN" in responses[1].json()["error"]
    assert responses[1].json()["columns"] == ["f0", "f1"]


def test_labels_are_text_where_the_classes_are(animals: Path) -> None:
    app = application(str(animals))
    body = predict(app, [{"f0": 3, "f1": 0}, {"f0": 0, "f1": 3}, {"f0": -3, "f1": -3}]).json()
    assert body["labels"] == ["cat", "dog", "eel"]
    assert np.shape(body["predictions"]) == (3, 3)
    assert ask(app, "GET", "/model-info").json()["classes"] == ["cat", "dog", "eel"]


def test_a_category_is_its_text(categories: Path) -> None:
    app = application(str(categories))
    body = predict(app, [{"size": 0.0, "colour": "red"}, {"size": 0.0, "colour": "blue"}]).json()
    assert body["predictions"][0][0] > 0.5 > body["predictions"][1][0]
    one = predict(app, {"size": 0.0, "colour": "red"}).json()
    assert one["predictions"][0] == body["predictions"][0]
    assert predict(app, {"size": 0.0, "colour": ["red"]}).status_code == 422
    (_, colour) = ask(app, "GET", "/model-info").json()["inputs"]
    assert colour == {"name": "colour", "dtype": "object", "shape": [-1], "categories": ["blue", "red"]}


def test_rows_that_hold_only_missing_values_are_rows(categories: Path) -> None:
    app = application(str(categories), sparse=True)
    one = predict(app, {"colour": None}).json()["predictions"]
    assert predict(app, [{"colour": None}, {"colour": None}]).json()["predictions"] == one * 2
    assert predict(app, [{"size": None}, {"colour": None}]).json()["predictions"] == one * 2


def test_a_function_is_handed_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "served_function.py").write_text(FUNCTION)
    monkeypatch.chdir(tmp_path)
    app = application("served_function:score")
    assert predict(app, [{"a": 1}, {"a": 2.5}]).json()["predictions"] == [[2.0], [5.0]]
    refusal = predict(app, {"b": 1})
    assert refusal.status_code == 422
    assert "KeyError" in refusal.json()["error"]
    assert predict(app, {"a": 1, "end": True}).json()["error"] == "the model's code raised KeyboardInterrupt"
    app.close()


def test_a_value_that_is_no_number_is_null(animals: Path) -> None:
    assert predict(application(str(animals)), {"f0": None, "f1": 0}).json()["predictions"] == [[None, None, None]]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "the body is no JSON"),
        (b"\x00\xff\xfe", 400, "the body is no JSON"),
        (b'{"age": NaN}', 400, "the body is no JSON"),
        (b'{"age": Infinity}', 400, "the body is no JSON"),
        (b"[" * 100_000, 400, "expected an object, got a list"),
        (b'{"x": ' + b"[" * 100_000, 400, "the body is nested too deeply"),
        (b"3", 400, "expected an object or a list of objects, got a number"),
        (b"[]", 422, "the list of records is empty"),
        (b"{}", 422, "the column 'age' is missing"),
        (json.dumps([RECORD, {**RECORD, "debt": "x"}]).encode(), 422, "column 'debt' of record 2: expected a number"),
        (json.dumps({**RECORD, "debt": True}).encode(), 422, "expected a number or null, got a boolean"),
        (json.dumps({**RECORD, "debt": 10**400}).encode(), 422, "column 'debt': number out of range"),
        (json.dumps({**RECORD, "debt": [1.0]}).encode(), 422, "expected a number or null, got a list"),
    ],
)
def test_what_is_wrong_is_one_sentence(binary_app: Any, body: bytes, status: int, message: str) -> None:
    response = ask(binary_app, "POST", "/predict", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert message in response.json()["error"]
    assert "\n" not in response.json()["error"]
    if status == 422 and body != b"[]":
        assert response.json()["columns"] == list(NAMES)


def test_other_keys_are_left_out_and_the_last_of_two_counts(binary_app: Any) -> None:
    plain = predict(binary_app, RECORD).json()["predictions"]
    assert predict(binary_app, {**RECORD, "id": "7", "note": {"a": []}}).json()["predictions"] == plain
    twice = json.dumps(RECORD).replace("{", '{"age": 99, ').encode()
    response = ask(binary_app, "POST", "/predict", content=twice)
    assert response.json()["predictions"] == plain


def test_sparse_records_are_those_of_bench(binary: SavedModel) -> None:
    app = application(binary.model.path, sparse=True)
    whole = predict(app, {**dict.fromkeys(NAMES), "age": 1.0}).json()["predictions"]
    assert predict(app, {"age": 1.0}).json()["predictions"] == whole
    stranger = predict(app, {"age": 1.0, "agee": 2.0})
    assert (stranger.status_code, stranger.json()["error"]) == (422, "the model has no column 'agee'")
    assert predict(app, {}).json()["error"] == "the record holds none of the columns"


def test_only_json_is_read(binary_app: Any) -> None:
    form = ask(
        binary_app, "POST", "/predict", content=b"age=1", headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert form.status_code == 415
    packed = ask(binary_app, "POST", "/predict", json=RECORD, headers={"content-encoding": "br"})
    assert packed.status_code == 415
    assert ask(binary_app, "POST", "/predict", content=json.dumps(RECORD).encode()).status_code == 200


def compress_bare(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", compress_bare)]
)
def test_a_body_may_be_compressed(binary: SavedModel, encoding: str, compress: Callable[[bytes], bytes]) -> None:
    app = application(binary.model.path, max_body_bytes=10_000)
    headers = {"content-encoding": encoding}
    whole = compress(json.dumps(RECORD).encode())
    assert ask(app, "POST", "/predict", content=whole, headers=headers).status_code == 200
    assert ask(app, "POST", "/predict", content=whole[:-6], headers=headers).status_code == 400
    assert "goes on" in ask(app, "POST", "/predict", content=whole + whole, headers=headers).json()["error"]
    assert ask(app, "POST", "/predict", content=b"{}", headers=headers).status_code == 400
    assert ask(app, "POST", "/predict", content=compress(b"[" * 10_000_000)[:9_000], headers=headers).status_code == 413


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/predict", 405), ("GET", "/nothing", 404)])
def test_there_is_nothing_else(binary_app: Any, method: str, path: str, status: int) -> None:
    response = ask(binary_app, method, path)
    assert response.status_code == status
    assert path in response.json()["error"]
