"""Requests of a network that wait at the same time: which go through it together, and what each gets."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.serving import application
from infer_bench.serving.paths.dual_path import Answer
from infer_bench.serving.rows.rows import Rows
from infer_bench.typing import Array
from tests.graphs import VOICE
from tests.serving.client import ask, ask_together, counters
from tests.serving.server import serving

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
from tests.tensor_networks import (  # noqa: E402
    IMAGES,
    KEPT,
    LOOKUP,
    SEQUENCE,
    image_weights,
    save_graph,
    sequence_weights,
)


def together(app: Any, requests: Sequence[dict[str, Array]], gone: Sequence[int] = ()) -> list[Any]:
    """What each gets when all wait before the first is answered; callers whose places are `gone` wait no more."""

    async def run() -> list[Any]:
        futures = []
        for place, request in enumerate(requests):
            futures.append(asyncio.get_running_loop().create_future())
            app.service.batcher.submit(Rows((), None, [request]), futures[-1])
            if place in gone:
                futures[-1].cancel()
        return await asyncio.gather(*futures, return_exceptions=True)

    return asyncio.run(run())


def outputs(answer: Answer | Exception) -> dict[str, Array]:
    assert isinstance(answer, Answer), answer
    assert answer.outputs is not None
    (named,) = answer.outputs
    return dict(named)


def calls(app: Any) -> tuple[float, float, float]:
    """The calls of the model, the requests and the rows that they were of."""
    numbers = counters(app)
    name = "infer_bench_batch"
    return numbers[f"{name}_requests_count"], numbers[f"{name}_requests_sum"], numbers[f"{name}_rows_sum"]


def images(*counts: int) -> list[dict[str, Array]]:
    random = np.random.default_rng(5)
    return [{"image": random.random((count, 3, 16, 16), dtype=np.float32)} for count in counts]


def table(tmp_path: Path) -> str:
    numbers = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    return str(save_graph(tmp_path / "lookup.onnx", LOOKUP, {"table": numbers}))


@pytest.fixture(scope="module")
def seer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A convolution that is served."""
    return application(str(save_graph(tmp_path_factory.mktemp("seer") / "seer.onnx", IMAGES, image_weights())))


def test_requests_of_one_shape_go_together_and_get_what_they_get_alone(seer: Any) -> None:
    requests = images(1, 2, 3, 1)
    alone = [together(seer, [request])[0] for request in requests]
    before = calls(seer)
    answers = together(seer, requests)
    after = calls(seer)
    assert after[0] - before[0] <= 2  # a batch holds as many rows as were tried at the start: six at the least
    assert (after[1] - before[1], after[2] - before[2]) == (4, 7)
    for request, one, other in zip(requests, alone, answers, strict=True):
        assert outputs(other)["probs"].shape == (len(request["image"]), 10)
        np.testing.assert_allclose(outputs(other)["probs"], outputs(one)["probs"], rtol=1e-5)
        assert other.predictions.shape == one.predictions.shape


def test_what_is_of_another_shape_or_of_several_records_goes_alone(tmp_path: Path) -> None:
    app = application(str(save_graph(tmp_path / "words.onnx", SEQUENCE, sequence_weights())))
    random = np.random.default_rng(1)
    requests = [{"x": random.random((1, length, 64), dtype=np.float32)} for length in (3, 5, 3, 5, 3)]
    answers = together(app, requests)
    assert calls(app) == (2, 5, 5)
    for request, answer in zip(requests, answers, strict=True):
        assert outputs(answer)["y"].shape == (1, request["x"].shape[1], 5)
        assert outputs(answer)["best"].dtype == np.int64
    both = ask(app, "POST", "/predict", json=[{name: array.tolist() for name, array in r.items()} for r in requests])
    assert [np.shape(named["y"]) for named in both.json()["outputs"]] == [(1, length, 5) for length in (3, 5, 3, 5, 3)]


def test_a_request_that_is_refused_costs_no_other_its_answer(tmp_path: Path) -> None:
    app = application(table(tmp_path))
    good, bad = {"ids": np.array([[1, 2]])}, {"ids": np.array([[1, 77]])}
    answers = together(app, [good, bad, good])
    assert [isinstance(answer, Answer) for answer in answers] == [True, False, True]
    assert (answers[1].status, "77" in answers[1].message) == (422, True)
    assert outputs(answers[0])["embedding"].shape == (1, 2, 4)


def test_a_request_whose_caller_is_gone_is_left_out(seer: Any) -> None:
    before = calls(seer)
    answers = together(seer, images(1, 1, 1), gone=[0, 2])
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, Answer, asyncio.CancelledError]
    assert calls(seer)[2] - before[2] == 1


CENTRED = "centred (float[N, 2, 2] x) => (float[N, 2, 2] y) { m = ReduceMean<axes = [0]>(x) n = Exp(m) y = Mul(x, n) }"
SCALED = """scaled (float[N, 2, 2] x) => (float[N, 2, 2] y) {
    whole, scale, zero = DynamicQuantizeLinear(x)
    y = DequantizeLinear(whole, scale, zero)
}"""
RANDOM = "noisy (float[N, 2, 2] x) => (float[N, 2, 2] y) { n = RandomNormalLike(x) y = Add(x, n) }"
TOTAL = "total (float[N, 2, 2] x) => (float y) { y = ReduceSum<keepdims = 0>(x) }"
PAIRS = """pairs (float[N, 4, 1] x) => (float[N, N] y) {
    flat = Flatten(x) other = Transpose(flat) y = MatMul(flat, other)
}"""
FIXED = "fixed (float[1, 2, 2] x) => (float[1, 2, 2] y) { y = Relu(x) }"
TRAINED = """normed (float[N, 2, 2] x, float[2] one, float[2] nil) => (float[N, 2, 2] y) {
    y, mean, var = BatchNormalization<training_mode = 1>(x, one, nil, nil, one)
}"""


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (CENTRED, "the output 'y' depends on the requests beside it"),
        (SCALED, "the output 'y' depends on the requests beside it"),
        (RANDOM, "no two answers need be alike"),
        (TRAINED, "no two answers need be alike"),
        (TOTAL, "the output 'y' has no axis that counts requests"),
        (PAIRS, "the output 'y' has no axis that counts requests"),
        (FIXED, "the input 'x' has no free batch axis"),
        (VOICE, "the input 'sr' has no free batch axis"),
        (KEPT, "drawn requests all get the same answer, so that it cannot be tried"),
    ],
    ids=["centred", "scaled", "random", "training", "total", "pairs", "fixed", "scalar", "constant"],
)
def test_where_answers_might_differ_each_goes_alone_and_that_is_said(tmp_path: Path, graph: str, reason: str) -> None:
    app = application(str(save_graph(tmp_path / "graph.onnx", graph)))
    about = ask(app, "GET", "/model-info").json()
    assert (about["batching"], about["one_by_one_because"]) == (False, reason)
    if "sr" not in graph and "kept" not in graph:
        request = {"x": np.array([[[1, 2], [3, 4]]], np.float32).reshape(1, *((4, 1) if graph is PAIRS else (2, 2)))}
        others = {"one": np.ones(2, np.float32), "nil": np.zeros(2, np.float32)} if graph is TRAINED else {}
        together(app, [{**request, **others}] * 3)
        assert calls(app)[:2] == (3, 3)


def test_the_server_says_at_its_start_that_each_goes_alone(tmp_path: Path) -> None:
    path = save_graph(tmp_path / "graph.onnx", CENTRED)
    with serving(str(path)) as server:
        line, opening = server.opening.splitlines()
        environment = Path(f"/proc/{server.workers()[0]}/environ").read_bytes().split(b"\0")
    assert line == "requests are answered one by one: the output 'y' depends on the requests beside it"
    assert opening.startswith("serving ")
    assert b"ORT_DISABLE_TELEMETRY=1" in environment  # else it warns on stderr where the file system is read-only


def test_clients_of_several_threads_get_what_the_network_gives(tmp_path: Path) -> None:
    triton = pytest.importorskip("tritonclient.http")
    path = save_graph(tmp_path / "seer.onnx", IMAGES, image_weights())
    requests = images(*([1, 2, 3, 1] * 6))
    run = onnxruntime.InferenceSession(str(path)).run

    def ask_in_turn(place: int) -> list[Array]:
        answers = []
        with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            for request in requests[place::4]:
                tensor = triton.InferInput("image", list(request["image"].shape), "FP32")
                tensor.set_data_from_numpy(request["image"], binary_data=place % 2 == 0)
                output = triton.InferRequestedOutput("probs", binary_data=place > 1)
                answers.append(client.infer("seer", [tensor], outputs=[output]).as_numpy("probs"))
        return answers

    with serving(str(path)) as server, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask_in_turn, range(4)))
        code, errors = server.end()
    for place in range(4):
        for request, answer in zip(requests[place::4], answers[place], strict=True):
            np.testing.assert_allclose(answer, run(None, request)[0], rtol=1e-4, atol=1e-6)
    assert (code, errors) == (0, "")


def test_the_other_model_is_asked_for_each_request_of_a_batch(tmp_path: Path) -> None:
    first = str(save_graph(tmp_path / "first.onnx", IMAGES, image_weights()))
    second = str(save_graph(tmp_path / "second.onnx", IMAGES, image_weights()))
    app = application(first, second, shadow=1.0)
    requests = images(1, 2, 1)
    requests[1]["image"][:] = np.nan
    answers = together(app, requests)
    assert [answer.path for answer in answers] == ["primary"] * 3
    assert np.isfinite(outputs(answers[0])["probs"]).all()
    body = {"image": images(2)[0]["image"].tolist()}
    responses = ask_together(app, [body] * 4)
    app.close()
    assert [np.shape(response.json()["outputs"][0]["probs"]) for response in responses] == [(2, 10)] * 4


def test_a_fallback_alone_answers_requests_together_as_well(tmp_path: Path) -> None:
    app = application(str(tmp_path / "missing.onnx"), table(tmp_path))
    good, bad = {"ids": np.array([[1, 2]])}, {"ids": np.array([[1, 77]])}
    answers = together(app, [good, good])
    assert [(answer.path, answer.reason) for answer in answers] == [("fallback", "load")] * 2
    assert calls(app)[:2] == (1, 2)
    answers = together(app, [bad, good])
    assert (answers[0].status, answers[1].reason) == (422, "load")
