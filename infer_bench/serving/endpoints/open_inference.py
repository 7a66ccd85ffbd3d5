"""The endpoints of the Open Inference Protocol, below `/v2`."""

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from infer_bench.model import PHASES, Phase
from infer_bench.serving.endpoints.body import Receive, RequestHeaders, Scope
from infer_bench.serving.endpoints.endpoint import JSON, Endpoint, Headers, Response
from infer_bench.serving.endpoints.inference import Inference, Query, as_microseconds
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.paths.dual_path import Answer
from infer_bench.serving.service import Service
from infer_bench.serving.tensors.messages import VERSION, read_request, write_response
from infer_bench.serving.tensors.schema import TensorSchema
from infer_bench.version import __version__

PLATFORM = "infer-bench"
EXTENSIONS = ("binary_tensor_data",)
_LENGTH = b"inference-header-content-length"
_LATENCIES = {phase: f"{phase}_us" for phase in PHASES}
_BINARY: Headers = ((b"content-type", b"application/octet-stream"),)


class ServerMetadata(Endpoint):
    """`GET /v2`: what the server is."""

    label = "/v2"

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Say it."""
        content = {"name": PLATFORM, "version": __version__, "extensions": EXTENSIONS}
        return Response(msgspec.json.encode(content))


class Live(Endpoint):
    """`GET /v2/health/live`."""

    label = "/v2"
    public = True

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """It lives, since it answers."""
        return Response(msgspec.json.encode({"live": True}))


class Ready(Endpoint):
    """`GET /v2/health/ready`, and of the model."""

    label = "/v2"
    public = True

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Whether requests should be sent here."""
        require_model(self.service, scope)
        ready = self.service.ready
        return Response(msgspec.json.encode({"ready": ready}), 200 if ready else 503)


class ModelMetadata(Endpoint):
    """`GET /v2/models/NAME`: its tensors."""

    label = "/v2"

    def __init__(self, service: Service, schema: TensorSchema) -> None:
        super().__init__(service)
        self._schema = schema

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Say them."""
        require_model(self.service, scope)
        content = {
            "name": self.service.name,
            "versions": [VERSION],
            "platform": PLATFORM,
            "inputs": [spec.describe() for spec in self._schema.inputs],
            "outputs": [spec.describe() for spec in self._schema.outputs],
        }
        return Response(msgspec.json.encode(content))


class Infer(Inference):
    """`POST /v2/models/NAME/infer`."""

    label = "/v2/infer"

    def __init__(self, service: Service, schema: TensorSchema) -> None:
        super().__init__(service)
        self.schema = schema

    def check(self, scope: Scope, headers: RequestHeaders) -> None:
        """The path must name the model."""
        require_model(self.service, scope)

    def read(self, headers: RequestHeaders, body: bytes) -> Query:
        """Tensors, in JSON or behind it."""
        start = time.perf_counter_ns()
        request, tensors = read_request(body, headers.get(_LENGTH, b""))
        rows = self.schema.rows(tensors)
        return Query(rows, time.perf_counter_ns() - start, request)

    def write(self, query: Query, answer: Answer, phases_ns: Mapping[Phase, int]) -> Response:
        """The model's own tensors, and what the answer took among the parameters, which are flat."""
        parameters: dict[str, str | float] = {"path": answer.path}
        for phase, ns in phases_ns.items():
            parameters[_LATENCIES[phase]] = as_microseconds(ns)
        body, length = write_response(query.message, self.service.name, self.schema.answer(answer), parameters)
        return Response(body, headers=JSON if length is None else (*_BINARY, (_LENGTH, str(length).encode())))


def require_model(service: Service, scope: Scope) -> None:
    """Raise `RequestFault` where the path names another model or version than the one that is served."""
    names: dict[str, Any] = scope.get("path_params", {})
    if names.get("model", service.name) != service.name:
        raise RequestFault(404, "not-found", f"there is no model {names['model']!r}: {service.name!r} is served")
    if names.get("version", VERSION) != VERSION:
        raise RequestFault(404, "not-found", f"there is no version {names['version']!r}: {VERSION!r} is the only one")
