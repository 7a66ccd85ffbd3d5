"""The ASGI application: a model, and the one behind it, behind HTTP."""

from collections.abc import Mapping
from typing import Any

from infer_bench.engines.session import require
from infer_bench.errors import CannotRun, InferBenchError, UsageError
from infer_bench.serving.endpoints.about import Health, Metrics, ModelInfo
from infer_bench.serving.endpoints.body import Receive, Scope, Send
from infer_bench.serving.endpoints.docs import document_endpoint, page_endpoint
from infer_bench.serving.endpoints.endpoint import describe_fault, send_response
from infer_bench.serving.endpoints.inference import Inference
from infer_bench.serving.endpoints.open_inference import Infer, Live, ModelMetadata, Ready, ServerMetadata
from infer_bench.serving.endpoints.predict import Predict
from infer_bench.serving.faults import RequestFault
from infer_bench.serving.openapi.document import describe_api
from infer_bench.serving.paths.dual_path import DualPath
from infer_bench.serving.paths.served_model import ServedModel, choose_candidate, open_model
from infer_bench.serving.service import Service
from infer_bench.serving.settings import ModelPlan, ServingSettings
from infer_bench.serving.tensors.schema import TensorSchema

EXTRA = "serve"
APPLICATION = ("starlette", "prometheus_client")
"""What the application needs; whoever mounts it has a server."""


class Application:
    """An ASGI application. `service` is what it serves, and `inferences` are the endpoints that ask it, by path."""

    def __init__(self, service: Service) -> None:
        self.service = service
        predict = Predict(service)
        infer = Infer(service, TensorSchema(service.paths.main, service.reader))
        self._app = _route(service, predict, infer)
        self.inferences: Mapping[str, Inference] = {"/predict": predict, f"/v2/models/{service.name}/infer": infer}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; of a server's other messages, accept its start and its end."""
        if scope["type"] == "http" and not scope.get("root_path"):
            endpoint = self.inferences.get(scope["path"]) if scope["method"] == "POST" else None
            if endpoint is not None:  # past Starlette, whose layers take a tenth of such a request
                await endpoint(scope, receive, send)
                return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        await self._app(scope, receive, send)

    def close(self) -> None:
        """Release the models; requests are answered no more."""
        self.service.close()


def application(
    model: str, fallback: str | None = None, *, engine: str = "", fallback_engine: str = "", **settings: Any
) -> Application:
    """An ASGI application that serves the model at a path, to be run or to be mounted.

    `fallback` is the model that answers where the first cannot; `engine` and `fallback_engine` are candidates, as in
    `onnxruntime:threads=2`. The other keywords are the fields of `ServingSettings`. The models are loaded before this
    returns.

    Raises `ModelError` and `EngineError` for a model that cannot be loaded (a first one only where there is no
    fallback), `UsageError` for settings that make no sense, and `MissingDependency`.
    """
    own = ServingSettings(**settings)
    require_libraries(*APPLICATION)
    plan = ModelPlan(model, fallback or "", engine, fallback_engine)
    paths, _ = open_paths(plan, own)
    return Application(Service(paths, own, own.name or plan.name))


def require_libraries(*modules: str) -> None:
    """Raise `MissingDependency` where one is not installed."""
    for module in modules:
        require(module, EXTRA)


def open_paths(plan: ModelPlan, settings: ServingSettings) -> tuple[DualPath, str]:
    """The model and its fallback, loaded, and what kept the first from being loaded (empty: nothing).

    Raises it where there is no second.
    """
    if settings.shadow and not plan.fallback:
        raise UsageError("there is no fallback to compare with", "a share of the requests is asked of both: name one")
    second = _open(plan.fallback, plan.fallback_engine, settings, plan.fallback_sha256) if plan.fallback else None
    if second is not None and plan.primary_error:
        return DualPath(None, second), plan.primary_error
    try:
        return DualPath(_open(plan.model, plan.engine, settings, plan.sha256), second), ""
    except UsageError:
        raise
    except InferBenchError as error:
        if second is None:
            raise
        return DualPath(None, second), str(error)


def _open(model: str, engine: str, settings: ServingSettings, sha256: str) -> ServedModel:
    try:
        candidate = choose_candidate(model, engine, settings)
        if sha256 and candidate.artefact.sha256 != sha256:  # it answers otherwise than the other workers, unseen
            raise CannotRun(f"{model} is another file than the server started with", "start the server anew")
        return open_model(candidate, settings)
    except (InferBenchError, MemoryError):
        raise
    except Exception as error:  # an engine from outside may raise anything
        raise CannotRun(f"{model} cannot be opened: {type(error).__name__}: {error}") from error


def _route(service: Service, predict: Predict, infer: Infer) -> Any:
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def describe_http_error(request: Any, error: Any) -> Any:
        path, methods = request.url.path, (error.headers or {}).get("Allow", "")
        missing = f"there is no {path}" if error.status_code == 404 else f"{path} is asked with {methods}"
        headers = [(key.lower().encode(), value.encode()) for key, value in (error.headers or {}).items()]
        fault = RequestFault(error.status_code, "not-found", missing, headers=headers)
        return _Sent(service, fault)

    document = describe_api(service)
    routes = [
        Route("/predict", predict, methods=["POST"], name="predict"),
        Route("/health", Health(service), methods=["GET"], name="health"),
        Route("/model-info", ModelInfo(service), methods=["GET"], name="model-info"),
        Route("/metrics", Metrics(service), methods=["GET"], name="metrics"),
        Route("/v2", ServerMetadata(service), methods=["GET"], name="server-metadata"),
        Route("/v2/health/live", Live(service), methods=["GET"], name="live"),
        Route("/v2/health/ready", Ready(service), methods=["GET"], name="ready"),
        Route("/openapi.json", document_endpoint(service, document), methods=["GET"], name="openapi"),
        Route("/docs", page_endpoint(service, document), methods=["GET"], name="docs"),
        *_route_model(service, infer),
    ]
    app = Starlette(routes=routes, exception_handlers={404: describe_http_error, 405: describe_http_error})
    app.router.redirect_slashes = False
    return app


def _route_model(service: Service, infer: Infer) -> list[Any]:
    """The paths of the Open Inference Protocol that name the model, with and without its version."""
    from starlette.routing import Route

    routes = []
    for path in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        routes += [
            Route(path, ModelMetadata(service, infer.schema), methods=["GET"], name="model-metadata"),
            Route(f"{path}/ready", Ready(service), methods=["GET"], name="model-ready"),
            Route(f"{path}/infer", infer, methods=["POST"], name="infer"),
        ]
    return routes


class _Sent:
    """A fault as what Starlette takes for a response."""

    def __init__(self, service: Service, fault: RequestFault) -> None:
        self._service, self._response = service, describe_fault(service, fault)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_response(send, self._response, is_last=self._service.draining)
        self._service.counters.count_request("other", self._response.status, 0)
