"""A service as an engine: what it is asked, and what it is told where it does not answer as it should."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.base import Session
from infer_bench.engines.http.description import UNKNOWN
from infer_bench.errors import CannotRun, EngineError, OptionError
from infer_bench.model import ModelRef
from tests.engines.zoo import answer, open_session
from tests.stub_service import Exchange, Handler, serve
from tests.stub_tensors import answer_tensors

MODEL = ModelRef("model.txt", "lightgbm", "lightgbm-text", "", 0)
INFO = {
    "task": "binary",
    "inputs": [{"name": "age", "dtype": "int64"}, {"name": "city", "dtype": "object"}],
    "outputs": ["1"],
    "classes": ["no", "yes"],
}


def service(handle: Handler, info: Any = INFO) -> Handler:
    def handle_either(exchange: Exchange) -> None:
        if exchange.method != "GET":
            handle(exchange)
        elif info is None:
            exchange.reply_json({"error": "no such path"}, "404 Not Found")
        else:
            exchange.reply_json(info)

    return handle_either


def reply(value: Any, status: str = "200 OK") -> Handler:
    return lambda exchange: exchange.reply_json(value, status)


def ask(session: Session, request: Any) -> Any:
    return answer(session, request).tolist()


def test_what_is_served_is_known_from_the_service() -> None:
    contents: list[Any] = []

    def handle(exchange: Exchange) -> None:
        contents.append(json.loads(exchange.content))
        exchange.reply_json({"predictions": [[0.75]]})

    with serve(service(handle)) as url:
        session = open_session("http", MODEL, url=url)
        assert ask(session, {"age": 3.0, "other": 1, "city": None}) == [[0.75]]
        assert ask(session, {"city": "Bern"}) == [[0.75]]
        session.close()
    assert contents == [{"age": 3, "city": None}, {"age": None, "city": "Bern"}]
    assert (session.spec.task, session.spec.classes) == ("binary", ("no", "yes"))
    assert session.labels(np.array([[0.75]])).tolist() == ["yes"]  # type: ignore[union-attr]


def test_truth_values_are_sent_as_the_service_takes_them() -> None:
    contents: list[Any] = []
    inputs = [{"name": "age", "dtype": "int64"}, {"name": "debt"}, {"name": "flag", "dtype": "bool"}]

    def handle(exchange: Exchange) -> None:
        contents.append(json.loads(exchange.content))
        exchange.reply_json({"predictions": [[0.75]]})

    with serve(service(handle, {**INFO, "inputs": inputs})) as url:
        session = open_session("http", MODEL, url=url)
        ask(session, {"age": True, "debt": np.bool_(False), "flag": True})
        session.close()
    assert json.dumps(contents) == '[{"age": 1, "debt": 0, "flag": true}]'


def test_a_service_that_says_nothing_is_asked_as_it_comes() -> None:
    with serve(service(reply({"predictions": [[0.1, 0.2], [0.3, None]]}), None)) as url:
        session = open_session("http", ModelRef(url, "http", "http", "", 0))
        assert session.spec == UNKNOWN
        predictions = ask(session, {"x": np.array([1.0, 2.0])})
        assert predictions[0] == [0.1, 0.2]
        assert np.isnan(predictions[1][1])
        session.close()


def close_after(exchange: Exchange) -> None:
    exchange.reply_json({"predictions": [[0.5]]}, "200 OK", "connection: close")
    exchange.transport.close()


def close_silently(exchange: Exchange) -> None:
    exchange.reply_json({"predictions": [[0.5]]})
    exchange.transport.close()


@pytest.mark.parametrize("handle", [close_after, close_silently])
def test_a_connection_that_was_closed_is_opened_again(handle: Callable[[Exchange], None]) -> None:
    with serve(service(handle)) as url:
        session = open_session("http", MODEL, url=url)
        for _ in range(3):
            assert ask(session, {"age": 1}) == [[0.5]]
        session.close()


def break_off(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    exchange.transport.close()


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        (reply({"error": "column age: no number"}, "422 Unprocessable"), "answers 422: column age: no number"),
        (reply({"predictions": [[0.5], [0.5]]}), "2 predictions for 1 rows"),
        (reply({"predictions": [[0.5, 0.2, 0.3]]}), "3 columns"),
        (reply([1]), "holds no predictions"),
        (break_off, "closed the connection"),
        (lambda e: e.write(b"+PONG\r\n"), "does not speak HTTP"),
        (lambda e: None, r"no answer in 5 s"),
    ],
)
def test_what_is_no_answer_is_one_line(handle: Handler, message: str) -> None:
    with serve(service(handle)) as url:
        session = open_session("http", MODEL, url=url, timeout="5" if message.startswith("no answer") else "600")
        with pytest.raises(EngineError, match=message) as caught:
            ask(session, {"age": 1})
        session.close()
    assert "\n" not in str(caught.value)


def test_what_json_cannot_carry_is_refused() -> None:
    with serve(service(reply({"predictions": [[0.5]]}))) as url:
        session = open_session("http", MODEL, url=url)
        for record, column in (({"age": float("inf")}, "age"), ({"age": "old"}, "age")):
            with pytest.raises(EngineError, match=column):
                session.preprocess(record)
        session.close()


@pytest.mark.parametrize("options", [{}, {"protocol": "oip-binary"}])
def test_a_model_of_the_open_inference_protocol(options: dict[str, str]) -> None:
    with serve(answer_tensors) as url:
        session = open_session("http", MODEL, url=f"{url}/v2/models/m", **options)
        assert [feature.name for feature in session.spec.features] == ["f0", "f1"]
        assert ask(session, {"f0": 1.5, "f1": 2.0}) == [[3.5]]
        assert ask(session, {"f0": np.array([1.0, 2.0]), "f1": np.array([0.5, 0.5])}) == [[1.5], [2.5]]
        if options:
            assert ask(session, {"f0": np.inf, "f1": 1.0}) == [[np.inf]]
        else:
            with pytest.raises(EngineError, match="infinite"):
                ask(session, {"f0": np.inf, "f1": 1.0})
        session.close()


def test_a_template_of_json(tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text('{"rows": "$[*].*"}')

    def handle(exchange: Exchange) -> None:
        exchange.reply_json({"scores": [sum(row) for row in json.loads(exchange.content)["rows"]]})

    with serve(handle) as url:
        session = open_session("http", MODEL, url=f"{url}/score", body=str(template), answer="$.scores")
        assert ask(session, {"a": np.array([1.0, 2.0]), "b": np.array([0.5, 0.5])}) == [[1.5], [2.5]]
        session.close()
    with pytest.raises(OptionError, match="template"):
        open_session("http", MODEL, url="http://127.0.0.1:1", protocol="json")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://192.0.2.1", "127.0.0.1", "http://a:b@127.0.0.1"])
def test_what_cannot_be_reached_is_no_model(url: str) -> None:
    with pytest.raises(CannotRun):
        open_session("http", MODEL, url=url)


def test_options_are_checked() -> None:
    with pytest.raises(OptionError, match="timeout"):
        open_session("http", MODEL, url="http://127.0.0.1:1", timeout="soon")
    with pytest.raises(CannotRun, match="token"):
        open_session("http", MODEL, url="http://127.0.0.1:1", **{"token-file": "/no/such/file"})
