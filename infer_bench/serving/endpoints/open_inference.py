"""The endpoints of the Open Inference Protocol, below `/v2`."""

import time
from typing import Any

import msgspec

from infer_bench.model import Phase
from infer_bench.serving.endpoints.body import Receive, Scope, header, read_body
from infer_bench.serving.endpoints.endpoint import JSON, Endpoint, Headers, Response
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.service import Service
from infer_bench.serving.tensors.messages import VERSION, read_request, write_response
from infer_bench.serving.tensors.schema import TensorSchema
from infer_bench.version import __version__

PLATFORM = "infer-bench"
EXTENSIONS = ("binary_tensor_data",)
_LENGTH = b"inference-header-content-length"
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


class Infer(Endpoint):
    """`POST /v2/models/NAME/infer`."""

    label = "/v2/infer"

    def __init__(self, service: Service, schema: TensorSchema) -> None:
        super().__init__(service)
        self._schema = schema

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Read the tensors, wait for the model, write its own."""
        service = self.service
        require_model(service, scope)
        body = await read_body(scope, receive, service.settings)
        start = time.perf_counter_ns()
        request, tensors = read_request(body, header(scope, _LENGTH))
        rows = self._schema.rows(tensors)
        read_ns = time.perf_counter_ns() - start
        answer = await service.batcher.answer(rows)
        phases_ns = {**answer.phases_ns, "preprocess": answer.phases_ns["preprocess"] + read_ns}
        service.record(rows, answer, phases_ns)
        parameters = {"path": answer.path, **_latencies(phases_ns)}
        body, length = write_response(request, service.name, self._schema.answer(answer), parameters)
        return Response(body, headers=JSON if length is None else (*_BINARY, (_LENGTH, str(length).encode())))


def _latencies(phases_ns: dict[Phase, int]) -> dict[str, float]:
    """The protocol's parameters are flat."""
    return {f"{phase}_us": round(ns / 1000, 1) for phase, ns in phases_ns.items()}


def require_model(service: Service, scope: Scope) -> None:
    """Raise `RequestFault` where the path names another model or version than the one that is served."""
    names: dict[str, Any] = scope.get("path_params", {})
    if names.get("model", service.name) != service.name:
        raise RequestFault(404, "not-found", f"there is no model {names['model']!r}: {service.name!r} is served")
    if names.get("version", VERSION) != VERSION:
        raise RequestFault(404, "not-found", f"there is no version {names['version']!r}: {VERSION!r} is the only one")
