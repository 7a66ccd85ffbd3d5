"""A service of the Open Inference Protocol, to be run by `tests.stub_service`."""

import json
from typing import Any

import numpy as np

from tests.stub_service import Exchange

METADATA = {"name": "m", "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 2]}], "outputs": []}


def answer_tensors(exchange: Exchange) -> None:
    """The sum of each row, in the form that was asked for."""
    if exchange.method == "GET":
        exchange.reply_json(METADATA)
        return
    length = int(exchange.head.get("inference-header-content-length", len(exchange.content)))
    (tensor,) = json.loads(exchange.content[:length])["inputs"]
    data = exchange.content[length:]
    values = np.frombuffer(data, "<f8") if data else np.array(tensor["data"], float)
    sums = values.reshape(tensor["shape"]).sum(axis=1)
    output: dict[str, Any] = {"name": "sum", "datatype": "FP64", "shape": [len(sums)]}
    if not data:
        exchange.reply_json({"outputs": [output | {"data": sums.tolist()}]})
        return
    head = json.dumps({"outputs": [output | {"parameters": {"binary_data_size": sums.nbytes}}]}).encode()
    exchange.reply(head + sums.tobytes(), "200 OK", f"Inference-Header-Content-Length: {len(head)}")
