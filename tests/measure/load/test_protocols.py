"""Loads of services that speak other protocols than `/predict`, on loopback."""

import json
from pathlib import Path
from typing import Any

import pytest

from infer_bench.engines.http.protocols.choose import ProtocolChoice
from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.load.run import load
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.report.load import LoadResult
from tests.stub_service import Exchange, Handler, predict, serve
from tests.stub_tensors import METADATA, answer_tensors

pytest.importorskip("uvloop")


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1.5,2\n2.5,3\n")
    return str(path)


def run(handler: Handler, path: str, data: str | None, choice: ProtocolChoice, **more: Any) -> LoadResult:
    settings = LoadSettings(rate=400.0, duration_s=0.05, warmup_s=0.0, timeout_s=600.0, protocol=choice, **more)
    with serve(handler) as url:
        (result,) = load(url + path, data=data, settings=settings).results
    return result


@pytest.mark.parametrize("path", ["/v2/models/m", "/v2/models/m/infer", "/v2/models/m/versions/1/"])
def test_a_model_of_the_open_inference_protocol(path: str, rows: str) -> None:
    result = run(answer_tensors, path, rows, ProtocolChoice(), batch=2)
    assert (result.protocol, result.samples, result.errors) == ("oip", 20, {})
    assert result.target.endswith("/infer")


def test_tensors_as_bytes(rows: str) -> None:
    result = run(answer_tensors, "/v2/models/m", rows, ProtocolChoice("oip-binary"), batch=2)
    assert (result.protocol, result.errors) == ("oip-binary", {})


def test_no_model_is_named(rows: str) -> None:
    with pytest.raises(UsageError, match="names no model"):
        run(answer_tensors, "/v2/health/ready", rows, ProtocolChoice())


def test_a_model_that_is_not_there(rows: str) -> None:
    with pytest.raises(CannotRun, match="404: unknown model"):
        run(lambda e: e.reply_json({"error": "unknown model"}, "404 Not Found"), "/v2/models/x", rows, ProtocolChoice())


def test_a_template_and_where_its_answer_is(rows: str, tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text('{"features": {"first": "$.a"}, "id": "$$1"}')
    contents: list[Any] = []

    def handle(exchange: Exchange) -> None:
        contents.append(json.loads(exchange.content))
        exchange.reply_json({"score": {"value": 0.5}})

    result = run(handle, "/score", rows, ProtocolChoice(None, str(template), "$.score.value"))
    assert (result.protocol, result.errors) == ("json", {})
    assert contents[0] == {"features": {"first": 1.5}, "id": "$1"}
    with pytest.raises(CannotRun, match=r"there is no \$\.score\.other"):
        run(handle, "/score", rows, ProtocolChoice(None, str(template), "$.score.other"))


def test_a_template_without_a_place_needs_no_rows(rows: str, tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text('{"ping": 1}')
    assert run(lambda e: e.reply_json("pong"), "/ping", None, ProtocolChoice(None, str(template))).errors == {}
    with pytest.raises(UsageError, match="no rows"):
        run(predict, "/predict", None, ProtocolChoice())


def test_a_token_is_sent_and_told_to_nobody(rows: str) -> None:
    tokens: set[str | None] = set()

    def handle(exchange: Exchange) -> None:
        tokens.add(exchange.head.get("authorization"))
        predict(exchange)

    settings = LoadSettings(rate=400.0, duration_s=0.05, warmup_s=0.0, timeout_s=600.0, token="s3cret")
    with serve(handle) as url:
        report = load(url, data=rows, settings=settings)
    assert tokens == {"Bearer s3cret"}
    assert "s3cret" not in repr(report) + repr(settings)


def test_choices_that_do_not_go_together() -> None:
    for wrong in (("predict", "t.json", None), ("json", None, None), (None, None, "$.a")):
        with pytest.raises(UsageError):
            ProtocolChoice(*wrong)


def test_columns_of_a_matrix_are_told_by_name_where_the_service_tells_them(rows: str) -> None:
    tensors: list[Any] = []

    def handle(exchange: Exchange) -> None:
        if exchange.method == "GET":
            inputs = [{"name": "b"}, {"name": "a"}]
            exchange.reply_json({**METADATA, "inputs": inputs} if "model-info" in exchange.path else METADATA)
            return
        tensors.extend(json.loads(exchange.content)["inputs"])
        answer_tensors(exchange)

    assert run(handle, "/v2/models/m", rows, ProtocolChoice()).errors == {}
    assert tensors[0]["data"] == [2.0, 1.5]


def test_truth_values_are_sent_as_numbers_where_the_service_takes_numbers(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"a": true, "b": true, "c": 1}\n{"a": null, "b": false, "c": 2}\n')
    contents: set[bytes] = set()

    def handle(exchange: Exchange) -> None:
        if exchange.method == "GET":
            exchange.reply_json({"inputs": [{"name": "a", "dtype": "float64"}, {"name": "b", "dtype": "bool"}]})
            return
        contents.add(exchange.content)
        predict(exchange)

    assert run(handle, "/predict", str(rows), ProtocolChoice()).errors == {}
    assert contents == {b'{"a":1,"b":true,"c":1}', b'{"a":null,"b":false,"c":2}'}
