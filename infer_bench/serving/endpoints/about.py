"""What the server says of itself: whether it is ready, what it serves, what it has counted."""

import platform
from typing import Any

import msgspec

from infer_bench.engines.http.protocols.oip.inputs import TENSORS
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import find_versions
from infer_bench.model import Feature, TensorInput
from infer_bench.serving.endpoints.body import Receive, Scope, header
from infer_bench.serving.endpoints.endpoint import Endpoint, Response
from infer_bench.serving.metrics.exposition import expose
from infer_bench.serving.paths.served_model import ServedModel
from infer_bench.serving.service import Service
from infer_bench.version import __version__

DTYPES = {"float": "float64", "integer": "int64", "boolean": "bool", "category": "object", "string": "string"}
"""What a column's values are, by its kind; an `object` is a number or text."""


class Health(Endpoint):
    """Whether the process lives, and whether requests should be sent to it: 503 where they should not."""

    label = "/health"
    public = True

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Say so."""
        ready = self.service.ready
        return Response(msgspec.json.encode({"live": True, "ready": ready}), 200 if ready else 503)


class ModelInfo(Endpoint):
    """What is served."""

    label = "/model-info"

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._body = msgspec.json.encode(describe_service(service))

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Say it."""
        return Response(self._body)


class Metrics(Endpoint):
    """What was counted, for Prometheus."""

    label = "/metrics"

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """The numbers of all processes together."""
        accept = header(scope, b"accept").decode("latin-1")
        body, content_type = expose(self.service.memories, accept)
        return Response(body, headers=((b"content-type", content_type.encode()),))


def describe_service(service: Service) -> dict[str, Any]:
    """The model that answers, the one behind it, and the libraries at work."""
    paths = service.paths
    model = describe_model(paths.main)
    fallback = None if paths.fallback is None else describe_model(paths.fallback)
    return {
        "name": service.name,
        **model,
        "path": "fallback" if paths.primary is None else "primary",
        "batching": not paths.main.alone_because,
        "one_by_one_because": paths.main.alone_because or None,
        "absent_columns": "missing values" if service.settings.sparse else "refused",
        "fallback": fallback,
        "versions": {"infer-bench": __version__, "python": platform.python_version(), **find_versions(PACKAGES)},
    }


def describe_model(model: ServedModel) -> dict[str, Any]:
    """A file, and what it computes."""
    ref, spec = model.ref, model.spec
    return {
        "file": ref.name,
        "family": ref.family,
        "format": ref.format,
        "sha256": ref.sha256,
        "bytes": ref.bytes,
        "engine": model.candidate.label,
        "task": spec.task,
        "takes": TENSORS if spec.inputs else "rows",
        "inputs": [_describe_column(f) for f in spec.features] or [_describe_tensor(t) for t in spec.inputs],
        "outputs": list(spec.outputs) or [output.name for output in model.declared_outputs],
        "classes": list(spec.classes) or None,
    }


def _describe_tensor(tensor: TensorInput) -> dict[str, Any]:
    """Of its axes the file's names, -1 for a free one without a name; null where it has any number of them."""
    shape = None if tensor.shape is None else [-1 if size is None else size for size in tensor.shape]
    dtype = "string" if tensor.dtype == "object" else tensor.dtype
    return {"name": tensor.name, "dtype": dtype, "shape": shape, "optional": tensor.optional}


def _describe_column(feature: Feature) -> dict[str, Any]:
    column: dict[str, Any] = {"name": feature.name, "dtype": DTYPES[feature.kind], "shape": [-1]}
    return {**column, "categories": list(feature.categories)} if feature.categories else column
