"""Health, model, numbers, token, bodies."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infer_bench.errors import CannotRun, ModelError, UsageError
from infer_bench.serving import application
from infer_bench.serving.endpoints import body
from infer_bench.serving.settings import ServingSettings
from tests.engines.zoo import NAMES, SavedModel
from tests.serving.client import ask, counters, predict

RECORD = dict.fromkeys(NAMES, 1.0)


@pytest.mark.parametrize("path", ["/v2", "/nowhere"])
def test_the_last_answer_of_a_connection_says_so(binary: SavedModel, path: str) -> None:
    app = application(binary.model.path)
    assert "connection" not in ask(app, "GET", path).headers
    app.service.draining = True
    assert ask(app, "GET", path).headers["connection"] == "close"


def test_health_says_not_ready_while_it_drains(binary: SavedModel) -> None:
    app = application(binary.model.path)
    assert ask(app, "GET", "/health").json() == {"live": True, "ready": True}
    app.service.draining = True
    response = ask(app, "GET", "/health")
    assert (response.status_code, response.json()) == (503, {"live": True, "ready": False})


def test_the_model_is_told(binary: SavedModel, binary_app: Any) -> None:
    info = ask(binary_app, "GET", "/model-info").json()
    assert (info["name"], info["file"]) == ("model", "model.txt")
    assert (info["family"], info["format"], info["engine"]) == ("lightgbm", "lightgbm-text", "lightgbm:feed=ndarray")
    assert info["sha256"] == hashlib.sha256(Path(binary.model.path).read_bytes()).hexdigest()
    assert info["inputs"] == [{"name": name, "dtype": "float64", "shape": [-1]} for name in NAMES]
    assert (info["task"], info["classes"], info["fallback"]) == ("binary", [0, 1], None)
    assert {"infer-bench", "python", "lightgbm", "numpy"} <= set(info["versions"])


def test_prometheus_reads_the_numbers(binary: SavedModel) -> None:
    app = application(binary.model.path)
    predict(app, RECORD)
    predict(app, [RECORD] * 3)
    predict(app, {})
    numbers = counters(app)
    assert numbers['infer_bench_requests_total{endpoint="/predict",status="200"}'] == 2
    assert numbers['infer_bench_requests_total{endpoint="/predict",status="422"}'] == 1
    assert numbers['infer_bench_errors_total{kind="columns"}'] == 1
    assert numbers["infer_bench_batch_rows_sum"] == 4
    assert numbers['infer_bench_phase_seconds_count{phase="predict"}'] == 2
    text = ask(app, "GET", "/metrics").text
    assert {family.type for family in text_string_to_metric_families(text)} == {"counter", "gauge", "histogram"}


def test_a_token_is_asked_for_everywhere_but_at_the_door(binary: SavedModel) -> None:
    app = application(binary.model.path, token="s3cret")
    for path in ("/model-info", "/metrics"):
        refusal = ask(app, "GET", path)
        assert (refusal.status_code, refusal.headers["www-authenticate"]) == (401, "Bearer")
    for wrong in ("Bearer s3cre", "Bearer s3crett", "Basic s3cret", "s3cret", "Bearer"):
        assert ask(app, "POST", "/predict", json=RECORD, headers={"authorization": wrong}).status_code == 401
    assert ask(app, "GET", "/health").status_code == 200
    assert ask(app, "POST", "/predict", json=RECORD, headers={"authorization": "bearer s3cret"}).status_code == 200


def test_it_can_be_mounted(binary: SavedModel) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    app = Starlette(routes=[Mount("/model", app=application(binary.model.path))])
    assert ask(app, "GET", "/model/health").status_code == 200
    assert ask(app, "POST", "/model/predict", json=RECORD).status_code == 200
    assert ask(app, "GET", "/model/nothing").status_code == 404


def test_a_body_that_is_too_large_is_not_read_on(binary: SavedModel) -> None:
    app = application(binary.model.path, max_body_bytes=100)
    assert predict(app, [RECORD] * 10).status_code == 413

    async def chunks() -> Any:
        for _ in range(10):
            yield b"[" * 20

    response = ask(app, "POST", "/predict", content=chunks())
    assert (response.status_code, response.json()["error"]) == (413, "the body is larger than 100 bytes")
    assert response.headers["connection"] == "close"


def send_never(*parts: bytes) -> body.Receive:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def test_a_body_that_does_not_come_is_given_up() -> None:
    from infer_bench.serving.faults import RequestFault

    settings = ServingSettings(body_timeout_s=0.001)
    with pytest.raises(RequestFault, match="did not arrive") as caught:
        asyncio.run(body.read_body({"headers": []}, send_never(b'{"age":'), settings))
    assert caught.value.status == 408


def test_a_client_that_goes_away_is_answered_nothing(binary_app: Any) -> None:
    answers: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/predict", "root_path": "", "headers": []}
    asyncio.run(binary_app(scope, receive, send))
    assert answers == []


def test_what_cannot_be_served_is_said(tmp_path: Path, binary: SavedModel) -> None:
    with pytest.raises(ModelError, match="no such model file"):
        application(str(tmp_path / "none.txt"))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x09" + b"\x00" * 40)
    with pytest.raises(CannotRun):
        application(str(broken))
    with pytest.raises(UsageError):
        application(binary.model.path, engine="lightgbm:feed=none")
    with pytest.raises(UsageError, match="infer-bench convert"):
        application(binary.model.path, engine="onnxruntime")
    with pytest.raises(UsageError):
        application(binary.model.path, threads=0)
