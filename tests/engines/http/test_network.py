"""A service of a network: tensors go in as they are, and every output comes out by its name."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from infer_bench.engines.http.protocols.oip.codec import TensorCodec
from infer_bench.engines.http.protocols.oip.metadata import TensorMetadata
from infer_bench.errors import EngineError
from infer_bench.model import ModelRef, TensorInput
from infer_bench.typing import Array
from tests.engines.zoo import open_session
from tests.stub_service import Exchange, Handler, serve

MODEL = ModelRef("model.onnx", "onnx", "onnx", "", 0)
REQUEST: dict[str, Array] = {
    "image": np.linspace(-1, 1, 8, dtype=np.float32).reshape(1, 2, 2, 2),
    "half": np.array([[0.1, np.inf]], np.float16),
    "ids": np.array([[2**62, 3]]),
    "mask": np.array([[True, False]]),
    "words": np.array([["é", ""]], dtype=object),
    "nothing": np.zeros((1, 0), np.uint8),
    "rate": np.array(16_000),
}
DATATYPES = ("FP32", "FP16", "INT64", "BOOL", "BYTES", "UINT8", "INT64")
SHAPES: tuple[list[Any], ...] = (["batch", 2, 2, 2], [-1, 2], [-1, "length"], [-1, -1], [-1, -1], [-1, -1], [])
METADATA = [
    {"name": name, "datatype": datatype, "shape": [-1 if isinstance(size, str) else size for size in shape]}
    for name, datatype, shape in zip(REQUEST, DATATYPES, SHAPES, strict=True)
]
INFO = {
    "name": "my net",
    "task": "raw",
    "takes": "tensors",
    "inputs": [{"name": name, "shape": shape} for name, shape in zip(REQUEST, SHAPES, strict=True)],
    "outputs": list(REQUEST),
}


def service(extensions: list[str], info: Any = INFO, metadata: Any = METADATA) -> Handler:
    """Gives back what it is given, and a scalar as one."""
    pages = {
        "/model-info": info,
        "/v2": {"extensions": extensions},
        "/v2/models/my%20net": {"inputs": metadata, "outputs": metadata},
    }

    def handle(exchange: Exchange) -> None:
        if exchange.method == "GET":
            page = pages.get(exchange.path)
            exchange.reply_json(page if page is not None else {}, "200 OK" if page is not None else "404 Not Found")
            return
        length = int(exchange.head.get("inference-header-content-length", len(exchange.content)))
        message, rest = json.loads(exchange.content[:length]), exchange.content[length:]
        outputs = [{**one, "shape": [] if one["name"] == "rate" else one["shape"]} for one in message["inputs"]]
        head = json.dumps({"outputs": outputs, "parameters": {"predict_us": 3.5}}).encode()
        exchange.reply(head + rest, "200 OK", f"Inference-Header-Content-Length: {len(head)}")

    return handle


def answer(session: Any, request: Mapping[str, Array]) -> dict[str, Array]:
    outputs: dict[str, Array] = session.named_outputs(session.predict(session.preprocess(request)))
    return outputs


@pytest.mark.parametrize("path", ["", "/v2/models/my%20net"])
def test_every_tensor_comes_back_in_its_datatype_and_shape(path: str) -> None:
    with serve(service(["binary_tensor_data"])) as url:
        session = open_session("http", MODEL, url=url + path)
        outputs = answer(session, REQUEST)
        assert session.preprocess(REQUEST).dtype == "bytes"
        session.close()
        with pytest.raises(EngineError, match="closed"):
            answer(session, REQUEST)
    assert outputs.keys() == REQUEST.keys()
    for name, array in outputs.items():
        assert (array.dtype, array.shape) == (REQUEST[name].dtype, REQUEST[name].shape)
        np.testing.assert_array_equal(array, REQUEST[name])
    assert session.spec.inputs[0] == TensorInput("image", "float32", ("batch", 2, 2, 2), 0)
    assert session.spec.output_names == tuple(REQUEST)


def test_a_server_without_the_extension_is_sent_json_which_carries_no_infinity() -> None:
    request = {**REQUEST, "half": np.array([[0.1, 0.2]], np.float16)}
    with serve(service([])) as url:
        session = open_session("http", MODEL, url=url)
        outputs = answer(session, request)
        with pytest.raises(EngineError, match="'half' is not finite"):
            session.preprocess(REQUEST)
        session.close()
    for name, array in outputs.items():
        assert array.dtype == request[name].dtype
        np.testing.assert_array_equal(array, request[name])


def test_what_does_not_fit_is_one_line() -> None:
    with serve(service(["binary_tensor_data"])) as url:
        session = open_session("http", MODEL, url=url)
        for request, sentence in (
            ({**REQUEST, "image": np.zeros((1, 3, 2, 2), np.float32)}, "the input is image float32"),
            ({"image": REQUEST["image"]}, "lacks the input 'half'"),
        ):
            with pytest.raises(EngineError, match=sentence):
                session.preprocess(request)
        session.close()
        with pytest.raises(EngineError, match="protocol predict has no tensors"):
            open_session("http", MODEL, url=url, protocol="predict")


@pytest.mark.parametrize(
    ("tensors", "options", "is_network"),
    [
        ([("FP32", [-1, 3, 8, 8])], {}, True),
        ([("INT64", [-1, 16])], {}, True),
        ([("INT64", [-1, 16])], {"takes": "rows"}, False),
        ([("FP32", [-1, 30])], {}, False),
        ([("FP32", [-1, 30])], {"takes": "tensors"}, True),
        ([("FP32", [-1, -1])], {}, False),
        ([("FP32", [-1, 1]), ("BYTES", [-1, 1])], {}, False),
        ([("FP32", [-1, 4]), ("FP32", [-1, 4])], {}, True),
    ],
)
def test_a_server_that_says_no_more_than_the_protocol_is_told_by_its_inputs(
    tensors: list[tuple[str, list[int]]], options: dict[str, str], is_network: bool
) -> None:
    inputs = [{"name": f"x{i}", "datatype": kind, "shape": shape} for i, (kind, shape) in enumerate(tensors)]
    with serve(service([], None, inputs)) as url:
        session = open_session("http", MODEL, url=f"{url}/v2/models/my%20net", **options)
        assert bool(session.spec.inputs) == is_network
        session.close()


def test_text_that_is_cut_off_and_numbers_of_another_kind_are_no_answer() -> None:
    codec = TensorCodec([TensorMetadata("x", "FP32", [1])], binary=True)
    output = {"name": "y", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 6}}
    head = json.dumps({"outputs": [output]}).encode()
    with pytest.raises(ValueError, match="longer"):
        codec.decode(head + b"\x09\0\0\0ab", {b"inference-header-content-length": str(len(head)).encode()}, 1)
    for datatype, data in (("INT8", [300]), ("INT64", [0.5]), ("FP32", ["a"]), ("FP32", [1.0, 2.0])):
        content = json.dumps({"outputs": [{"name": "y", "datatype": datatype, "shape": [1], "data": data}]}).encode()
        with pytest.raises(ValueError, match="'y' does not hold"):
            codec.decode(content, {}, 1)
