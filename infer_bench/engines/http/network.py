"""A network that is served: named tensors go in, and every output comes out by its name."""

from typing import NamedTuple

import numpy as np

from infer_bench.engines.base import Request
from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.engines.http.client import Client, Content
from infer_bench.engines.http.conversation import Conversation, ask_right_answer
from infer_bench.engines.http.messages import require_plain
from infer_bench.engines.tensor_session import TensorSession
from infer_bench.errors import EngineError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import ModelSpec
from infer_bench.typing import Array


class TensorMessage(NamedTuple):
    """The bytes of a request, and of what the service is fed in them."""

    request: bytes
    dtype: str


class HttpNetwork(TensorSession):
    """A connection to a service of the network of `spec`.

    `preprocess` is tensors to the bytes of a request, `predict` the round trip, `named_outputs` the answer to arrays.
    """

    def __init__(self, client: Client, conversation: Conversation, spec: ModelSpec) -> None:
        self._client, self._conversation, self._url = client, conversation, conversation.target.url
        self._codec = conversation.make_tensor_codec()
        self._feed = TensorFeed(spec.inputs)
        super().__init__(spec, self._write, self._ask)

    def _write(self, request: Request) -> TensorMessage:
        """Raises `EngineError` for what the service does not take, and for what JSON cannot carry."""
        arrays = self._feed(request)
        if misfit := self._feed.explain(arrays):
            raise EngineError(misfit)
        if not self._codec.carries_infinity:
            for name, array in arrays.items():
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise EngineError(f"{name!r} is not finite, which JSON cannot carry", "protocol=oip-binary can")
        message = self._conversation.write(self._codec, [arrays])
        return TensorMessage(message, "bytes" if self._codec.carries_infinity else "JSON")

    def _ask(self, message: TensorMessage) -> Content:
        return ask_right_answer(self._client, self._url, message.request)

    def named_outputs(self, outputs: Content) -> dict[str, Array]:
        """Every output by its name, in its datatype and shape. Raises `EngineError` for what holds none."""
        try:
            require_plain(outputs.headers)
            answer = self._codec.decode(outputs.body, outputs.headers, 1)
        except ValueError as error:
            raise EngineError(f"{self._url} answers what holds no outputs: {error}") from None
        return dict(answer.outputs or {})

    def input_uses(self) -> dict[str, InputUse]:
        """None: a service does not tell what its network does with its inputs."""
        return {}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
        super().close()
